package sfu

import (
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"

	"github.com/pion/logging"

	"github.com/parley/parley/internal/steady"
)

// pionLog passes pion's warnings and errors to slog, at most one a second for each peer; what it holds back is counted and
// told with the next line. Everything below a warning is dropped, except that the SRTP session tells of packets that did
// not authenticate only there: they are counted.
type pionLog struct {
	log             *slog.Logger
	unauthenticated *atomic.Uint64 // nil: not counted
	last            atomic.Int64   // Unix seconds of the last line
	held            atomic.Uint64
}

func newPionLog(l *slog.Logger, unauthenticated *atomic.Uint64) *pionLog {
	return &pionLog{log: l, unauthenticated: unauthenticated}
}

// NewLogger returns the logger of one part of pion.
func (f *pionLog) NewLogger(scope string) logging.LeveledLogger {
	return &scopedLog{f: f, scope: scope, srtp: scope == "srtp"}
}

type scopedLog struct {
	f     *pionLog
	scope string
	srtp  bool
}

// expected are parts of warnings about what this package does on purpose, or what ends every connection.
var expected = []string{
	"Incoming unhandled RT",           // streams are read in edge.go
	"UDPMuxDefault should not",        // one socket for all addresses is what we want
	"Failed to accept RT",             // the session closed
	"undeclaredMediaProcessor failed", // the same
	"Failed to accept data channel",   // the same
	"failed to write packets on netC", // the same
	"Failed to start manager",         // the peer closed before it was connected
	"Failed to send packet",           // the peer is gone, ICE will tell
	"Discard request with wrong user", // a check from before an ICE restart
	"Failed to read from candidate",   // the candidate closed: a restart, or the end
	"Failed to read streaming packet", // an ICE-TCP connection closed
	"no endpoint for packet",          // from the client after its end
	"Failed to start SCTP",            // the peer closed before it was connected
	"the agent is closed",             // the same
	"Failed to write packet: io: rea", // the peer closed meanwhile
	"io: read/write on closed pipe",   // the same, of whatever was to be written
	"read from packetio.Buffer short", // a packet larger than any of ours
	"by alive timeout",                // an ICE-TCP connection of nobody's
	"use of closed network connecti",  // an ICE-TCP connection that its client closed first
	"write: broken pipe",              // the same
	"connection reset by peer",        // the same
	"Failed to handle decode ICE",     // a stranger on ICE-TCP
	"Not a STUN message",              // the same
	"No Username attribute",           // the same
	"Error reading first packet",      // an ICE-TCP connection that was not needed, or a port scan
}

func (s *scopedLog) write(msg string) {
	for _, e := range expected {
		if strings.Contains(msg, e) {
			return
		}
	}
	now := steady.Now().Unix()
	if last := s.f.last.Load(); last == now || !s.f.last.CompareAndSwap(last, now) {
		s.f.held.Add(1)
		return
	}
	s.f.log.Warn(msg, "part", s.scope, "held_back", s.f.held.Swap(0))
}

// Trace drops msg.
func (s *scopedLog) Trace(string) {}

// Tracef drops the message.
func (s *scopedLog) Tracef(string, ...any) {}

// Debug drops msg.
func (s *scopedLog) Debug(string) {}

// Debugf drops the message.
func (s *scopedLog) Debugf(string, ...any) {}

// Info counts the SRTP session's refusals. A replayed packet is none: networks duplicate.
func (s *scopedLog) Info(msg string) {
	if s.srtp && s.f.unauthenticated != nil && !strings.Contains(msg, "duplicated") {
		s.f.unauthenticated.Add(1)
	}
}

// Infof drops the message.
func (s *scopedLog) Infof(string, ...any) {}

// Warn passes msg on.
func (s *scopedLog) Warn(msg string) { s.write(msg) }

// Warnf passes the message on.
func (s *scopedLog) Warnf(format string, args ...any) { s.write(fmt.Sprintf(format, args...)) }

// Error passes msg on: pion's errors are a connection's, not the program's.
func (s *scopedLog) Error(msg string) { s.write(msg) }

// Errorf passes the message on.
func (s *scopedLog) Errorf(format string, args ...any) { s.write(fmt.Sprintf(format, args...)) }
