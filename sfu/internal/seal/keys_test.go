package seal

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// TestKeysAreNotPrinted guards that no log line and no error can hold a key, however it is formatted.
func TestKeysAreNotPrinted(t *testing.T) {
	t.Parallel()
	keys := Keys{Local: Key{Key: []byte("the local key.."), Salt: []byte("local salt")}, Remote: Key{Key: []byte("the remote key."), Salt: []byte("remote salt")}}
	var b bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&b, verb+" "+verb+"\n", keys, &keys)
	}
	for _, h := range []slog.Handler{slog.NewTextHandler(&b, nil), slog.NewJSONHandler(&b, nil)} {
		slog.New(h).Info("keys", "keys", keys.Local, "all", fmt.Sprint(keys))
	}
	printed := b.String()
	for _, secret := range [][]byte{keys.Local.Key, keys.Local.Salt, keys.Remote.Key, keys.Remote.Salt} {
		for _, s := range []string{string(secret), hex.EncodeToString(secret), strings.Trim(fmt.Sprintf("%d", secret), "[]")} {
			if strings.Contains(printed, s) {
				t.Errorf("%q is in\n%s", s, printed)
			}
		}
	}
}
