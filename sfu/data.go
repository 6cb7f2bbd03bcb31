package sfu

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/pion/sctp"
)

const (
	reliableChannel   = 0 // ids, see docs/protocol.md
	unreliableChannel = 1

	reliableQueue   = 1 << 20   // bytes waiting for a receiver; when full, reliable messages are dropped
	unreliableQueue = 256 << 10 // bytes waiting for a receiver; beyond, unreliable messages are dropped

	firstReadBuffer = 2 << 10 // bytes; most peers never need more
)

const channels = 2

// channel is one that can be sent on.
type channel interface {
	Send([]byte) error
	BufferedAmount() uint64
}

// messageReader reads a channel: the length of the next message, and whether it is one of a kind that is not spoken here. The
// error is io.ErrShortBuffer where b is too small; the message stays then.
type messageReader interface {
	readMessage(b []byte) (n int, foreign bool, err error)
}

// dataChannels are a peer's two channels. Messages wait in pion's SCTP queue, which we keep short; before the channels are
// open, reliable ones wait here.
type dataChannels struct {
	readersMu sync.Mutex // taken within mu, and nothing is within it
	readers   sync.WaitGroup
	ended     bool // Guarded by readersMu: no reader may start.

	mu      sync.Mutex        // makes looking at the queue and adding to it one step
	open    [channels]channel // Guarded by mu. nil: not yet
	waiting [][]byte          // Guarded by mu: reliable messages from before, reliableQueue bytes at most.
	shares  shares            // Guarded by mu: of reliable messages.
}

// dataOpened tells that a channel can be sent on.
func (p *Peer) dataOpened(id int, ch channel) {
	d := &p.data
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open[id] = ch
	if id != reliableChannel {
		return
	}
	for _, b := range d.waiting {
		if err := ch.Send(b); err != nil {
			p.count.dataDropped.Add(1)
		}
	}
	d.waiting = nil
}

// startReading starts a channel's reader, which ends with the channel.
func (p *Peer) startReading(id int, r messageReader) {
	d := &p.data
	d.readersMu.Lock()
	defer d.readersMu.Unlock()
	if !d.ended {
		d.readers.Go(func() {
			defer p.guard("data")
			p.readData(r, id == reliableChannel)
		})
	}
}

// isWaiting reports whether reliable messages wait for the channel to open.
func (d *dataChannels) isWaiting() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.waiting) > 0
}

// endData waits for the readers, after the connection was closed.
func (p *Peer) endData() {
	p.data.readersMu.Lock()
	p.data.ended = true
	p.data.readersMu.Unlock()
	p.data.readers.Wait()
}

// readData takes the client's messages until the channel ends. The buffer grows as needed, and is kept up to the default limit.
// What is too large is read, too, or it would stay in SCTP's window, which bounds it to 1 MiB.
func (p *Peer) readData(ch messageReader, reliable bool) {
	buf := make([]byte, firstReadBuffer)
	for {
		n, text, err := ch.readMessage(buf)
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
// It does not wait. Unreliable messages are dropped while 256 KiB wait for the client, reliable ones while 1 MiB does, or of their
// sender as much as is free: the error is ErrSlow. Unreliable messages to a client that is not connected yet are dropped without an error.
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
	waits, err := p.data.send(d.From, frame, d.Reliable)
	if waits {
		p.transport.wantData()
	}
	if err != nil {
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

// send queues a frame of a sender's. waits: it waits for the channel.
func (d *dataChannels) send(from string, frame []byte, reliable bool) (waits bool, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	queued := 0
	for _, c := range d.open {
		if c != nil {
			queued += int(c.BufferedAmount())
		}
	}
	id := unreliableChannel
	if reliable {
		id = reliableChannel
		if ch := d.open[id]; ch != nil {
			d.shares.left(int(ch.BufferedAmount()))
		} else {
			queued += d.shares.bytes
		}
		if !d.shares.admits(from, len(frame), reliableQueue-queued) {
			return false, ErrSlow
		}
	} else if queued+len(frame) > unreliableQueue {
		return false, ErrSlow
	}
	ch := d.open[id]
	switch {
	case ch == nil && reliable:
		d.waiting = append(d.waiting, frame)
		d.shares.add(from, len(frame))
		return true, nil
	case ch == nil:
		return false, errNotOpen
	}
	switch err := ch.Send(frame); {
	case errors.Is(err, sctp.ErrOutboundPacketTooLarge):
		return false, fmt.Errorf("%w: larger than the client takes", ErrBadData)
	case err != nil:
		return false, fmt.Errorf("%w: %w", ErrClosed, err)
	}
	if reliable {
		d.shares.add(from, len(frame))
	}
	return false, nil
}
