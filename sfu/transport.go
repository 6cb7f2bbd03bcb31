package sfu

import (
	"context"
	"time"

	"github.com/pion/rtcp"
)

// transport is a client's connection below its media: ICE, DTLS, what carries the data channels, and SRTCP. There are two:
// direct, which belongs to the batched plane, and stock, pion's PeerConnection, to compare with.
type transport interface {
	// exchange answers a checked offer, and gives the lines of new slots their SSRCs. Peer.negotiating is held.
	exchange(ctx context.Context, o *offer, added []*slot) (answer string, sections map[string]answered, err error)

	// state is the connection's present state. Changes are told by Peer.stateChanged.
	state() PeerState

	// writeRTCP sends one compound packet. Before the connection is up it is lost. The caller is in the peer's loop.
	writeRTCP(pkts []rtcp.Packet) error

	// wantData is told that a reliable message waits for the data channels.
	wantData()

	// tick does what is due now and then.
	tick(now time.Time)

	// close ends the connection and waits for its goroutines, calls of the peer's events included.
	close() error
}

var (
	_ transport = (*direct)(nil)
	_ transport = (*stock)(nil)
)
