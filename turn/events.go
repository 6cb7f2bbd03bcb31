package turn

import (
	"net"
	"net/netip"

	pion "github.com/pion/turn/v4"
)

// events is what pion tells an endpoint. Deletions come from pion's timers and relay readers as well, and possibly after
// the same client has started its next allocation: they are matched by user name or relay address, not by client alone.
func (e *endpoint) events() pion.EventHandler {
	return pion.EventHandler{
		OnAuth:              e.authenticated,
		OnAllocationCreated: e.created,
		OnAllocationDeleted: e.deleted,
		OnAllocationError:   e.failed,
		OnPermissionCreated: func(from, _ net.Addr, _, _, _ string, relay net.Addr, peer net.IP) {
			e.update(from, relay, func(h *holding) { h.peers[peerIP(peer)] = struct{}{} })
		},
		OnPermissionDeleted: func(from, _ net.Addr, _, _, _ string, relay net.Addr, peer net.IP) {
			e.update(from, relay, func(h *holding) { delete(h.peers, peerIP(peer)) })
		},
		OnChannelCreated: func(from, _ net.Addr, _, _, _ string, relay, _ net.Addr, number uint16) {
			e.update(from, relay, func(h *holding) { h.channels[number] = struct{}{} })
		},
		OnChannelDeleted: func(from, _ net.Addr, _, _, _ string, relay, _ net.Addr, number uint16) {
			e.update(from, relay, func(h *holding) { delete(h.channels, number) })
		},
	}
}

func peerIP(ip net.IP) netip.Addr {
	addr, _ := netip.AddrFromSlice(ip) // pion has parsed it, so it has 4 or 16 bytes
	return addr.Unmap()
}

func (e *endpoint) authenticated(_, _ net.Addr, _, _, _, _ string, verdict bool) {
	if !verdict {
		e.s.refuse(BadPassword)
	}
}

func (e *endpoint) created(from, _ net.Addr, _, _, _ string, relay net.Addr, _ int) {
	h := e.pending
	e.pending = nil
	h.relay = addrPort(relay)
	at := addrPort(from)
	e.s.allocations.Add(1)
	e.s.allocated.Add(1)
	e.mu.Lock()
	e.held[at] = append(e.held[at], h)
	e.mu.Unlock()
}

// failed is told of every message that pion could not handle.
func (e *endpoint) failed(_, _ net.Addr, _, _ string) {
	if h := e.pending; h != nil {
		e.pending = nil
		e.s.quota.give(h.user.Identity, h.ip)
		return
	}
	e.s.badMessages.Add(1)
}

func (e *endpoint) deleted(from, _ net.Addr, _, username, _ string) {
	at := addrPort(from)
	e.mu.Lock()
	all := e.held[at]
	var gone *holding
	for i, h := range all {
		if h.username == username {
			gone = h
			all = append(all[:i:i], all[i+1:]...)
			break
		}
	}
	if len(all) == 0 {
		delete(e.held, at)
	} else {
		e.held[at] = all
	}
	e.mu.Unlock()
	if gone != nil {
		e.s.quota.give(gone.user.Identity, gone.ip)
		e.s.allocations.Done()
	}
}

func (e *endpoint) update(from, relay net.Addr, change func(*holding)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, h := range e.held[addrPort(from)] {
		if h.relay == addrPort(relay) {
			change(h)
		}
	}
}
