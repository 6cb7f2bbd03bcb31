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
	if *costServer != "" {
		if err := serveCost(Plane(*costServer), *costProfile); err != nil {
			panic(err)
		}
		return
	}
	goleak.VerifyTestMain(m)
}
