package lan

import (
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// ErrNoAddress is that the machine is in no private network.
var ErrNoAddress = errors.New("lan: no interface that is up has a private address")

// refresh is how often the interfaces are read again, at most, when somebody comes from an address that is not known.
const refresh = time.Second

// View is the network as it was at one time. It is not changed.
type View struct {
	Addrs    []netip.Addr   // of this machine: the one to tell people first
	Prefixes []netip.Prefix // the networks that these are in
	Names    []string       // of this machine, in lower case

	links map[string]bool // zones whose link-local addresses belong to it, by name and by number
}

// Network is the private network around a machine, which may change. Make one with New.
type Network struct {
	// Static after construction.
	machine Machine

	view atomic.Pointer[View]
	read atomic.Int64 // when, as Unix ns of a steady clock
}

// New reads the interfaces. The error is ErrNoAddress where there is no private network.
func New(m Machine, now time.Time) (*Network, error) {
	n := &Network{machine: m}
	_, err := n.Look(now)
	return n, err
}

// View is the network as it was when it was last looked at.
func (n *Network) View() *View { return n.view.Load() }

// Look reads the interfaces again, and reports whether this machine's addresses or names are others now. After an error all is as it
// was: a machine that loses its network for a moment finds the same one mostly.
func (n *Network) Look(now time.Time) (changed bool, err error) {
	n.read.Store(now.UnixNano())
	list, err := n.machine.Interfaces()
	if err != nil {
		return false, err
	}
	next := look(list, n.machine)
	if len(next.Addrs) == 0 {
		return false, ErrNoAddress
	}
	old := n.view.Swap(next)
	return old != nil && !(slices.Equal(old.Addrs, next.Addrs) && slices.Equal(old.Names, next.Names)), nil
}

// Admits reports whether somebody at this address is in the network, or is this machine by loopback. An interface that came up within
// the last second may not be known.
func (n *Network) Admits(from netip.Addr, now time.Time) bool {
	from = from.Unmap()
	if from.IsLoopback() || n.View().has(from) {
		return true
	}
	last := n.read.Load()
	if !private(from) && !from.IsLinkLocalUnicast() || now.UnixNano()-last < int64(refresh) || !n.read.CompareAndSwap(last, now.UnixNano()) {
		return false
	}
	if _, err := n.Look(now); err != nil {
		return false
	}
	return n.View().has(from)
}

func (v *View) has(from netip.Addr) bool {
	if from.IsLinkLocalUnicast() {
		return v.links[from.Zone()] // of IPv6 alone: others have no zone
	}
	if !private(from) {
		return false // whatever length an interface's network is said to have
	}
	return slices.ContainsFunc(v.Prefixes, func(p netip.Prefix) bool { return p.Contains(from.WithZone("")) })
}

// Answers reports whether host, as a browser sends it without the port, means this machine in its own network. The names of others must
// be refused: a web page may have its name lead here, and would be of our own origin then.
func (v *View) Answers(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if ip, err := netip.ParseAddr(host); err == nil {
		ip = ip.Unmap()
		return ip.IsLoopback() || slices.Contains(v.Addrs, ip.WithZone(""))
	}
	return slices.Contains(v.Names, host)
}

func look(list []Interface, m Machine) *View {
	v := &View{links: map[string]bool{}, Names: names(m)}
	var rank []int // of each address
	preferred := m.Route()
	for _, i := range list {
		linked := false
		for _, p := range i.Prefixes {
			ip := p.Addr()
			if !private(ip) {
				continue
			}
			linked = true
			if network := p.Masked(); !slices.Contains(v.Prefixes, network) {
				v.Prefixes = append(v.Prefixes, network)
			}
			if slices.Contains(v.Addrs, ip) {
				continue
			}
			at := slices.IndexFunc(rank, func(r int) bool { return r > rankOf(i.Name, ip, preferred) })
			if at < 0 {
				at = len(rank)
			}
			rank = slices.Insert(rank, at, rankOf(i.Name, ip, preferred))
			v.Addrs = slices.Insert(v.Addrs, at, ip)
		}
		if linked {
			v.links[i.Name], v.links[strconv.Itoa(i.Index)] = true, true
		}
	}
	return v
}

// rankOf is small for addresses that people around are likely to reach.
func rankOf(name string, ip, preferred netip.Addr) int {
	rank := 0
	if ip != preferred {
		rank = 1
	}
	if slices.ContainsFunc([]string{"docker", "br-", "veth", "virbr", "vmnet", "vboxnet", "tun", "tap", "wg", "zt", "tailscale", "lxc", "podman", "cni"},
		func(p string) bool { return strings.HasPrefix(strings.ToLower(name), p) }) {
		rank += 2 // of programs and far networks
	}
	if !ip.Is4() {
		rank += 4 // nobody likes to type it
	}
	return rank
}

func private(ip netip.Addr) bool { return ip.IsPrivate() }

// names are those that the machine may be called by: its own, with .local, as neighbours ask for it by multicast, and localhost.
func names(m Machine) []string {
	out := []string{"localhost"}
	host, err := m.Hostname()
	if err != nil {
		return out
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	first, _, _ := strings.Cut(host, ".")
	for _, name := range []string{host, first, first + ".local"} {
		if hostname(name) && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// hostname reports whether s may stand in an address and in a certificate.
func hostname(s string) bool {
	if s == "" || len(s) > 253 {
		return false
	}
	if _, err := netip.ParseAddr(s); err == nil {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return false
		}
	}
	return true
}
