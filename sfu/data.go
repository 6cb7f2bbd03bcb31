package sfu

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/pion/datachannel"
	"github.com/pion/sctp"
	"github.com/pion/webrtc/v4"
)

const (
	reliableChannel   = 0 // ids, see docs/protocol.md
	unreliableChannel = 1

	reliableQueue   = 1 << 20   // bytes waiting for a receiver; when full, reliable messages are dropped
	unreliableQueue = 256 << 10 // bytes waiting for a receiver; beyond, unreliable messages are dropped

	firstReadBuffer = 2 << 10 // bytes; most peers never need more
)

// dataChannels are a peer's two channels. Messages wait in pion's SCTP queue, which we keep short; before the channels are
// open, reliable ones wait here.
type dataChannels struct {
	reliable, unreliable *webrtc.DataChannel // Static after construction.

	readers sync.WaitGroup

	mu      sync.Mutex // makes looking at the queue and adding to it one step
	ended   bool       // Guarded by mu: no reader may start.
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
		ch.OnOpen(func() { p.dataOpened(ch, reliable) })
		*c.to = ch
	}
	return nil
}

// dataOpened starts to read a channel. pion's own reader would keep 64 KiB for each.
func (p *Peer) dataOpened(ch *webrtc.DataChannel, reliable bool) {
	d := &p.data
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended {
		return
	}
	raw, err := ch.Detach()
	if err != nil {
		p.log.Error("data channel cannot be read", "err", err)
		return
	}
	d.readers.Go(func() { p.readData(raw, reliable) })
	if !reliable {
		return
	}
	d.open = true
	for _, b := range d.waiting {
		if err := d.reliable.Send(b); err != nil {
			p.count.dataDropped.Add(1)
		}
	}
	d.waiting, d.bytes = nil, 0
}

// endData waits for the readers, after the connection was closed.
func (p *Peer) endData() {
	p.data.mu.Lock()
	p.data.ended = true
	p.data.mu.Unlock()
	p.data.readers.Wait()
}

// readData takes the client's messages until the channel ends. The buffer grows as needed, and is kept up to the default limit.
// What is too large is read, too, or it would stay in SCTP's window, which bounds it to 1 MiB.
func (p *Peer) readData(ch datachannel.ReadWriteCloser, reliable bool) {
	buf := make([]byte, firstReadBuffer)
	for {
		n, text, err := ch.ReadDataChannel(buf)
		switch {
		case errors.Is(err, io.ErrShortBuffer):
			buf = make([]byte, 2*len(buf))
			continue
		case err != nil:
			return
		}
		p.receiveData(bytes.Clone(buf[:n]), text, reliable) // a copy: the receiver keeps it
		if len(buf) > defaultMaxDataBytes {
			buf = make([]byte, firstReadBuffer)
		}
	}
}

func (p *Peer) receiveData(b []byte, text, reliable bool) {
	defer p.guard("OnData")
	if text || len(b) > p.node.cfg.MaxDataBytes {
		p.count.dataBad.Add(1)
		return
	}
	d, err := parseData(b)
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
	switch err := ch.Send(frame); {
	case errors.Is(err, sctp.ErrOutboundPacketTooLarge):
		return fmt.Errorf("%w: larger than the client takes", ErrBadData)
	case err != nil:
		return fmt.Errorf("%w: %w", ErrClosed, err)
	}
	return nil
}
