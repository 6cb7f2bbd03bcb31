package presence

import (
	"bytes"
	"strconv"
	"time"

	"github.com/parley/parley/signaling/internal/eventlog"
)

// The pieces of an event stream, as in the HTML standard, "Server-sent events". Lines end in LF alone: a client that
// meets CRLF and LF in one stream may lose its first event.

// appendEvent appends one event to b.
func appendEvent(b []byte, at eventlog.Position, typ string, data []byte) []byte {
	b = append(b, "id: "...)
	b = at.Append(b)
	b = append(b, "\nevent: "...)
	b = append(b, typ...)
	b = append(b, "\ndata: "...)
	// Encoded JSON has no line breaks; where it has, each line becomes a data line.
	for {
		end := bytes.IndexAny(data, "\r\n")
		if end < 0 {
			break
		}
		b = append(b, data[:end]...)
		b = append(b, "\ndata: "...)
		data = data[end+1:]
	}
	b = append(b, data...)
	return append(b, "\n\n"...)
}

// appendRetry appends the time after which a client should reconnect, in whole milliseconds.
func appendRetry(b []byte, d time.Duration) []byte {
	b = append(b, "retry: "...)
	b = strconv.AppendInt(b, max(1, d.Milliseconds()), 10)
	return append(b, "\n\n"...)
}

// heartbeat is a comment: it keeps proxies from closing a silent connection, and finds out dead ones.
const heartbeat = ":\n\n"
