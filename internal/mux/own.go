package mux

import (
	"net"
	"net/netip"
	"sync/atomic"
	"time"
)

// ownRefresh is how often the machine's addresses are looked up again, at most, when a packet comes from an unknown one.
const ownRefresh = time.Second

// ownAddrs knows the addresses of this machine.
type ownAddrs struct {
	known   atomic.Pointer[map[netip.Addr]struct{}]
	renewed atomic.Int64 // Unix ns
}

// has reports whether a is an address of this machine. An address that came up within the last second may not be known.
func (o *ownAddrs) has(a netip.Addr, now time.Time) bool {
	if a.IsLoopback() {
		return true
	}
	a = a.WithZone("")
	if known := o.known.Load(); known != nil {
		if _, ok := (*known)[a]; ok {
			return true
		}
	}
	last := o.renewed.Load()
	if now.UnixNano()-last < int64(ownRefresh) || !o.renewed.CompareAndSwap(last, now.UnixNano()) {
		return false
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return false // a system that does not tell: loopback alone is known
	}
	known := make(map[netip.Addr]struct{}, len(addrs))
	for _, addr := range addrs {
		if n, ok := addr.(*net.IPNet); ok {
			if ip, ok := netip.AddrFromSlice(n.IP); ok {
				known[ip.Unmap()] = struct{}{}
			}
		}
	}
	o.known.Store(&known)
	_, ok := known[a]
	return ok
}
