package steady_test

import (
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/parley/parley/internal/steady"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Of time.Now this is not true: the two clocks are read one after the other, and the wall's is corrected.
func TestNumbersAreAsFarApartAsTimes(t *testing.T) {
	t.Parallel()
	first := steady.Now()
	for range 10_000 {
		now := steady.Now()
		if byNumber, byClock := time.Duration(now.UnixNano()-first.UnixNano()), now.Sub(first); byNumber != byClock {
			t.Fatalf("%v by UnixNano, %v by Sub", byNumber, byClock)
		}
	}
}

func TestNowIsNow(t *testing.T) {
	t.Parallel()
	if off := time.Until(steady.Now()); off < -time.Minute || off > 0 {
		t.Errorf("off by %v", off)
	}
}

func BenchmarkNow(b *testing.B) {
	for b.Loop() {
		_ = steady.Now()
	}
}
