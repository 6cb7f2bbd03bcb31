package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/parley/parley/internal/loadgen"
	"github.com/parley/parley/internal/loadgen/stock"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestMetricsAreRead checks that the load generator finds its figures.
func TestMetricsAreRead(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	writeMetrics(&b, stock.Stats{PacketsIn: 230, PacketsOut: 11_500, BytesOut: 1 << 40})
	s, err := loadgen.ParseMetrics(&b, time.Now())
	if err != nil || s.PacketsIn != 230 || s.PacketsOut != 11_500 || s.BytesOut != 1<<40 || s.Goroutines == 0 || s.Heap == 0 {
		t.Errorf("%+v, %v", s, err)
	}
	if runtime.GOOS == "linux" && s.Resident < uint64(os.Getpagesize()) {
		t.Errorf("%d bytes resident", s.Resident)
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	h := routes(&stock.Server{})
	for path, want := range map[string]int{"/readyz": 200, "/metrics": 200, "/debug/pprof/": 200, "/nothing": 404} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if w.Code != want {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"-what"}, {"-listen", "nowhere"}, {"-listen", "127.0.0.1:0", "-udp", "nowhere"}} {
		if err := run(args, &bytes.Buffer{}); err == nil {
			t.Errorf("%q is taken", args)
		}
	}
}
