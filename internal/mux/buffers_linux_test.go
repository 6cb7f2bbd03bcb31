package mux

import (
	"strings"
	"testing"
)

func TestBufferHint(t *testing.T) {
	t.Parallel()
	if hint := bufferHint(socketBuffer, socketBuffer); hint != "" {
		t.Errorf("enough, but: %s", hint)
	}
	if hint := bufferHint(208<<10, socketBuffer); !strings.Contains(hint, "208 KiB (receive)") || !strings.Contains(hint, "sysctl -w net.core.rmem_max=4194304") {
		t.Errorf("too small: %q", hint)
	}
}
