package presence_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if addr := os.Getenv(crowdAddr); addr != "" {
		crowd(addr) // this is the other process of BenchmarkStreams
		return
	}
	goleak.VerifyTestMain(m)
}
