package sfu

import (
	"errors"
	"fmt"
	"sync"

	"github.com/pion/webrtc/v4"
)

const (
	reliableChannel   = 0 // ids, see docs/protocol.md
	unreliableChannel = 1

	reliableQueue   = 1 << 20   // bytes waiting for a receiver; when full, reliable messages are dropped
	unreliableQueue = 256 << 10 // bytes waiting for a receiver; beyond, unreliable messages are dropped
)

// dataChannels are a peer's two channels. Messages wait in pion's SCTP queue, which we keep short; before the channels are
// open, reliable ones wait here.
type dataChannels struct {
	reliable, unreliable *webrtc.DataChannel // Static after construction.

	mu      sync.Mutex // makes looking at the queue and adding to it one step
	open    bool       // Guarded by mu: the reliable channel is.
	waiting [][]byte   // Guarded by mu: reliable messages from before, reliableQueue bytes at most.
	bytes   int        // Guarded by mu: their size.
}

func (p *Peer) openData() error {
	yes, no, never := true, false, uint16(0)
	for _, c := range []struct {
		to   **webrtc.DataChannel
		name string
		id   uint16
		init webrtc.DataChannelInit
	}{
		{&p.data.reliable, "reliable", reliableChannel, webrtc.DataChannelInit{Ordered: &yes}},
		{&p.data.unreliable, "unreliable", unreliableChannel, webrtc.DataChannelInit{Ordered: &no, MaxRetransmits: &never}},
	} {
		c.init.Negotiated, c.init.ID = &yes, &c.id
		ch, err := p.pc.CreateDataChannel(c.name, &c.init)
		if err != nil {
			return fmt.Errorf("data channel %s: %w", c.name, err)
		}
		reliable := c.id == reliableChannel
		ch.OnMessage(func(m webrtc.DataChannelMessage) { p.receiveData(m, reliable) })
		*c.to = ch
	}
	p.data.reliable.OnOpen(p.dataOpened)
	return nil
}

func (p *Peer) dataOpened() {
	d := &p.data
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open = true
	for _, b := range d.waiting {
		if err := d.reliable.Send(b); err != nil {
			p.count.dataDropped.Add(1)
		}
	}
	d.waiting, d.bytes = nil, 0
}

// receiveData takes one message from the client.
func (p *Peer) receiveData(m webrtc.DataChannelMessage, reliable bool) {
	defer p.guard("OnData")
	if m.IsString || len(m.Data) > p.node.cfg.MaxDataBytes {
		p.count.dataBad.Add(1)
		return
	}
	d, err := parseData(m.Data)
	if err != nil {
		p.count.dataBad.Add(1)
		return
	}
	d.Reliable = reliable
	p.count.dataIn.Add(1)
	if !p.closed.Load() {
		p.on.OnData(d)
	}
}

// Send gives a message to the client: d.From, d.Topic and d.Payload, on the channel that d.Reliable tells; d.To is not sent.
// It does not wait. Unreliable messages are dropped while 256 KiB wait for the client, reliable ones while 1 MiB does: the
// error is ErrSlow. Unreliable messages to a client that is not connected yet are dropped without an error.
// ErrBadData: the message cannot be sent to anybody. ErrNoData: the client offered no data section.
func (p *Peer) Send(d Data) error {
	if p.closed.Load() {
		return ErrClosed
	}
	frame, err := appendData(nil, d, p.node.cfg.MaxDataBytes)
	if err != nil {
		return err
	}
	if !p.hasData.Load() {
		p.count.dataDropped.Add(1)
		return ErrNoData
	}
	if err := p.data.send(frame, d.Reliable); err != nil {
		p.count.dataDropped.Add(1)
		if errors.Is(err, errNotOpen) {
			return nil
		}
		return err
	}
	p.count.dataOut.Add(1)
	return nil
}

var errNotOpen = errors.New("unreliable channel is not open")

func (d *dataChannels) send(frame []byte, reliable bool) error {
	ch, limit := d.reliable, uint64(reliableQueue)
	if !reliable {
		ch, limit = d.unreliable, unreliableQueue
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if reliable && !d.open {
		if d.bytes+len(frame) > reliableQueue {
			return ErrSlow
		}
		d.waiting = append(d.waiting, frame)
		d.bytes += len(frame)
		return nil
	}
	if ch.ReadyState() == webrtc.DataChannelStateConnecting {
		return errNotOpen
	}
	if d.reliable.BufferedAmount()+d.unreliable.BufferedAmount()+uint64(len(frame)) > limit {
		return ErrSlow
	}
	if err := ch.Send(frame); err != nil {
		return fmt.Errorf("%w: %w", ErrClosed, err)
	}
	return nil
}
