package turn

import (
	"net"
	"net/netip"
	"sync"
)

// quota counts allocations by identity, by client address and in all.
type quota struct {
	limits Limits

	mu         sync.Mutex
	total      int
	byIdentity map[string]int
	byIP       map[netip.Addr]int
}

func newQuota(l Limits) *quota {
	return &quota{limits: l, byIdentity: map[string]int{}, byIP: map[netip.Addr]int{}}
}

// take counts one more allocation, or says which limit it breaks.
func (q *quota) take(identity string, ip netip.Addr) (Reason, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.byIdentity[identity] >= q.limits.PerIdentity:
		return IdentityQuota, false
	case q.byIP[ip] >= q.limits.PerIP:
		return IPQuota, false
	case q.total >= q.limits.Allocations:
		return TotalQuota, false
	}
	q.total++
	q.byIdentity[identity]++
	q.byIP[ip]++
	return 0, true
}

func (q *quota) give(identity string, ip netip.Addr) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.total--
	if q.byIdentity[identity]--; q.byIdentity[identity] == 0 {
		delete(q.byIdentity, identity)
	}
	if q.byIP[ip]--; q.byIP[ip] == 0 {
		delete(q.byIP, ip)
	}
}

func (q *quota) count() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.total
}

// addrPort is a's address without IPv4 mapping and zone; invalid if a is neither UDP nor TCP.
func addrPort(a net.Addr) netip.AddrPort {
	var at netip.AddrPort
	switch a := a.(type) {
	case *net.UDPAddr:
		at = a.AddrPort()
	case *net.TCPAddr:
		at = a.AddrPort()
	}
	return netip.AddrPortFrom(at.Addr().Unmap().WithZone(""), at.Port())
}

// client is the address that limits count by: an IPv4 address, or the /64 that one IPv6 host usually owns.
func client(a net.Addr) netip.Addr {
	ip := addrPort(a).Addr()
	if !ip.Is6() {
		return ip
	}
	prefix, err := ip.Prefix(64)
	if err != nil {
		return ip
	}
	return prefix.Addr()
}
