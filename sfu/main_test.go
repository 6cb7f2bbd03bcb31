package sfu

import (
	"flag"
	"testing"

	"go.uber.org/goleak"
)

// planeFlag is the plane that all tests run on which do not name one: go test ./sfu -args -plane=pion.
var planeFlag = flag.String("plane", string(PlaneBatched), "batched or pion")

func TestMain(m *testing.M) {
	flag.Parse()
	if servedCost() { // this process was started by TestCost
		return
	}
	goleak.VerifyTestMain(m)
}
