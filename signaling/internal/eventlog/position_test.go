package eventlog

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func TestParsePosition(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]Position{
		"e1.0":                         {"e1", 0},
		"e1.42":                        {"e1", 42},
		"A-z_9.7":                      {"A-z_9", 7},
		"a.18446744073709551615":       {"a", 1<<64 - 1},
		strings.Repeat("e", 32) + ".1": {strings.Repeat("e", 32), 1},
	} {
		got, err := ParsePosition(in)
		if err != nil || got != want {
			t.Errorf("ParsePosition(%q) = %v, %v", in, got, err)
		}
	}
	for _, in := range []string{
		"", ".", "e", "e.", ".1", "42", "e.+1", "e.-1", "e.01", "e.00", "e. 1", " e.1", "e.1 ", "e.1\n", "e.1.2", "é.1",
		"e.1e3", "e.0x1", "e.1_0", "e.18446744073709551616", "e/.1", strings.Repeat("e", 33) + ".1",
		strings.Repeat("9", 1<<16), "e." + strings.Repeat("9", 1<<16),
	} {
		if got, err := ParsePosition(in); !errors.Is(err, ErrPosition) {
			t.Errorf("ParsePosition(%.40q) = %v, %v; want ErrPosition", in, got, err)
		}
	}
}

func TestPositionJSON(t *testing.T) {
	t.Parallel()
	b, err := json.Marshal(struct {
		P Position `json:"position"`
	}{Position{"e1", 7}})
	if err != nil || string(b) != `{"position":"e1.7"}` {
		t.Errorf("%s, %v", b, err)
	}
}

func FuzzParsePosition(f *testing.F) {
	for _, s := range []string{"e1.42", "", "a.18446744073709551615", "e.01", ".1", "e1.2.3", "x.\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParsePosition(s)
		if err == nil && p.String() != s {
			t.Errorf("%q is read as %v: a second spelling", s, p)
		}
		if err != nil && !errors.Is(err, ErrPosition) {
			t.Errorf("error %v", err)
		}
	})
}
