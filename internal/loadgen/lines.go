package loadgen

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"
)

// Lines is a signaling connection to the comparator (package stock): the messages of docs/protocol.md, one a line, over TCP. The first line
// is the name of the room.
type Lines struct {
	conn   net.Conn
	reader *bufio.Reader

	mu sync.Mutex // held for a line that is written
}

var _ Conn = (*Lines)(nil)

// MaxLine bounds a message of the comparator's, in bytes: SDP of 25 slots is 40 KiB.
const MaxLine = 256 << 10

// DialLines connects to the comparator at address, host:port.
func DialLines(ctx context.Context, address, room string) (*Lines, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	l := &Lines{conn: conn, reader: bufio.NewReaderSize(conn, MaxLine)}
	if err := l.Write(ctx, []byte(room)); err != nil {
		_ = conn.Close() // the first error is told
		return nil, err
	}
	return l, nil
}

// Read returns the next message.
func (l *Lines) Read(ctx context.Context) ([]byte, error) {
	stop := context.AfterFunc(ctx, func() { _ = l.conn.SetReadDeadline(time.Unix(1, 0)) }) // fails once it is closed: then Read does too
	defer stop()
	line, err := l.reader.ReadSlice('\n')
	if err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, fmt.Errorf("read a line: %w", err)
	}
	return append([]byte(nil), line...), nil
}

// Write sends a message, which has no line feed in it.
func (l *Lines) Write(_ context.Context, msg []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, err := l.conn.Write(append(slices.Clip(msg), '\n'))
	return err
}

// Close ends the connection, and a Read with it.
func (l *Lines) Close() error { return l.conn.Close() }
