//go:build linux

package lab

import (
	"context"
	"fmt"
	"strings"
)

// NAT is a kind of NAT or firewall (RFC 4787's words in brackets).
type NAT string

// The kinds. All but Full let in only what answers the client.
const (
	Full       NAT = "full"       // endpoint-independent mapping and filtering: "full cone"
	Restricted NAT = "restricted" // endpoint-independent mapping, address and port-dependent filtering
	Symmetric  NAT = "symmetric"  // address and port-dependent mapping and filtering
	UDPBlock   NAT = "udpblock"   // no UDP at all
	Only443    NAT = "only443"    // nothing but TCP to port 443
)

// NATs are all kinds.
var NATs = []NAT{Full, Restricted, Symmetric, UDPBlock, Only443}

// SetNAT changes the NAT of a side and forgets its connections.
func (l *Lab) SetNAT(ctx context.Context, s Side, kind NAT) error {
	if err := s.check(); err != nil {
		return err
	}
	rules, err := ruleset(kind, "10."+s.subnet()+".0.2")
	if err != nil {
		return err
	}
	nft := l.Command(ctx, s.nat(), "nft", "-f", "-")
	nft.Stdin = strings.NewReader(rules)
	if err := run(nft); err != nil {
		return err
	}
	return run(l.Command(ctx, s.nat(), "conntrack", "-F"))
}

// ruleset is the nft script of a kind, for the client at that address.
//
// The kernel's masquerade keeps a client's port where it can, whatever the destination: that is endpoint-independent
// mapping; fully-random chooses anew for every destination. New packets from outside are dropped on input as well: an early
// packet of a hole punch would otherwise take the place of the mapping to come, and the port would change.
func ruleset(kind NAT, client string) (string, error) {
	masquerade := "masquerade"
	var inbound, outbound string
	answersOnly := "iifname wan ct state new drop"
	switch kind {
	case Full:
		inbound = "iifname wan udp dport 1024-65535 dnat to " + client
		answersOnly = ""
	case Restricted:
	case Symmetric:
		masquerade = "masquerade fully-random"
	case UDPBlock:
		outbound = "meta l4proto udp drop"
	case Only443:
		outbound = "iifname lan tcp dport != 443 drop\n\t\tiifname lan meta l4proto != tcp drop"
	default:
		return "", fmt.Errorf("lab: no NAT %q, there are %v", string(kind), NATs)
	}
	return fmt.Sprintf(`flush ruleset
table ip nat {
	chain inbound {
		type nat hook prerouting priority dstnat
		%s
	}
	chain outbound {
		type nat hook postrouting priority srcnat
		oifname wan %s
	}
}
table ip filter {
	chain through {
		type filter hook forward priority filter; policy accept
		%s
		%s
	}
	chain here {
		type filter hook input priority filter; policy accept
		iifname wan ct state new drop
	}
}
`, inbound, masquerade, outbound, answersOnly), nil
}
