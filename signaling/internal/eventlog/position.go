package eventlog

import (
	"errors"
	"strconv"
	"strings"
)

// ErrPosition reports a string that is no position.
var ErrPosition = errors.New("eventlog: not a position")

// maxEpoch is the longest epoch, in bytes, that ParsePosition takes; our own have 12.
const maxEpoch = 32

// Position names a place in a log: just behind the entry with sequence number Seq, in the log called Epoch.
// Seq 0 is the place before the first entry. The zero Position is no place in any log.
type Position struct {
	Epoch string
	Seq   uint64
}

// String gives the form that goes over the wire, "<epoch>.<seq>".
func (p Position) String() string {
	return string(p.Append(make([]byte, 0, len(p.Epoch)+21)))
}

// Append appends the wire form to b.
func (p Position) Append(b []byte) []byte {
	b = append(b, p.Epoch...)
	b = append(b, '.')
	return strconv.AppendUint(b, p.Seq, 10)
}

// MarshalText makes a Position a JSON string in its wire form.
func (p Position) MarshalText() ([]byte, error) { return p.Append(nil), nil }

// ParsePosition reads the wire form. It takes only what String writes: one spelling for each position.
// The error is ErrPosition.
func ParsePosition(s string) (Position, error) {
	dot := strings.IndexByte(s, '.')
	if dot < 1 || dot > maxEpoch {
		return Position{}, ErrPosition
	}
	epoch, digits := s[:dot], s[dot+1:]
	for i := range len(epoch) {
		if !epochByte(epoch[i]) {
			return Position{}, ErrPosition
		}
	}
	if digits == "" || len(digits) > 1 && digits[0] == '0' || digits[0] == '+' {
		return Position{}, ErrPosition
	}
	seq, err := strconv.ParseUint(digits, 10, 64)
	if err != nil {
		return Position{}, ErrPosition
	}
	return Position{Epoch: epoch, Seq: seq}, nil
}

func epochByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_'
}
