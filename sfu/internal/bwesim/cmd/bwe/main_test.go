package main

import (
	"bytes"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestRun(t *testing.T) {
	t.Parallel()
	var table, trace bytes.Buffer
	if err := run(&table, []string{"-only", "constant 3 Mb/s"}); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(table.String(), "constant 3 Mb/s"); n != 3 {
		t.Errorf("%d lines:\n%s", n, &table)
	}
	if err := run(&trace, []string{"-only", "constant 3 Mb/s, 20 ms", "-trace", "20"}); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(trace.String(), "capacity"); n != 61 {
		t.Errorf("%d lines:\n%s", n, &trace)
	}
	if err := run(&trace, []string{"-seed", "x"}); err == nil {
		t.Error("a seed that is no number is taken")
	}
}
