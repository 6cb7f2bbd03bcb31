//go:build linux

package main

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestUsage(t *testing.T) {
	t.Parallel()
	for _, line := range []string{"", "fly", "up now", "nat A", "exec sfu", "wire", "wire A one", "wire A 1 2", "-p", "-p x_"} {
		if err := run(t.Context(), strings.Fields(line)); !errors.Is(err, errUsage) {
			t.Errorf("%q: %v", line, err)
		}
	}
	for _, line := range []string{"-p UP up", "nat C full", "nat A cone", "wire C"} {
		if err := run(t.Context(), strings.Fields(line)); err == nil || errors.Is(err, errUsage) {
			t.Errorf("%q: %v", line, err)
		}
	}
}

func TestControlAnswersEveryLine(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	err := control(strings.NewReader("a\n\nbad\nlast"), &out, func(line string) (string, error) {
		if line == "bad" {
			return "", errors.New("no")
		}
		return "<" + line + ">", nil
	})
	if want := "<a>\n<>\nerror: no\n<last>\n"; err != nil || out.String() != want {
		t.Errorf("%v, %q", err, out.String())
	}
}

// A blocked read of an inherited pipe once kept SIGTERM from ending "netlab wire".
func TestInterruptibleReadEndsWithItsContext(t *testing.T) {
	t.Parallel()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	in, err := newInterruptible(ctx, r)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if _, err := w.WriteString("hello"); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 16)
	if n, err := in.Read(b); err != nil || string(b[:n]) != "hello" {
		t.Errorf("%q, %v", b[:n], err)
	}
	ended := make(chan error)
	go func() {
		_, err := in.Read(b) // nothing comes and nobody closes
		ended <- err
	}()
	cancel()
	if err := <-ended; !errors.Is(err, io.EOF) {
		t.Error(err)
	}
}
