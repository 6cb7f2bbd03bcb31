package sfu

import (
	"testing"

	"github.com/pion/srtp/v3"

	"github.com/parley/parley/sfu/internal/seal"
)

func wiped(k *seal.Keys) bool {
	for _, b := range [][]byte{k.Local.Key, k.Local.Salt, k.Remote.Key, k.Remote.Salt} {
		for _, x := range b {
			if x != 0 {
				return false
			}
		}
	}
	return true
}

// TestKeysAreWiped on each path: once the contexts are made, where they cannot be made, and where the peer has gone.
func TestKeysAreWiped(t *testing.T) {
	t.Parallel()
	n := newDirectNode(t)
	b := newBrowser(t, n, "b", browserConfig{})
	k := b.peer.leg
	bad := testKeys()
	bad.Profile = srtp.ProtectionProfile(0xFFFF)
	if err := k.start(&bad); err == nil || !wiped(&bad) {
		t.Errorf("no such profile: %v, wiped %v", err, wiped(&bad))
	}
	short := testKeys()
	short.Local.Key = short.Local.Key[:5]
	if err := k.start(&short); err == nil || !wiped(&short) {
		t.Errorf("a short key: %v, wiped %v", err, wiped(&short))
	}
	good := testKeys()
	if err := k.start(&good); err != nil || !wiped(&good) {
		t.Errorf("good keys: %v, wiped %v", err, wiped(&good))
	}
	must(t, b.peer.Close())
	<-b.peer.done
	late := testKeys()
	if err := k.start(&late); err == nil || !wiped(&late) {
		t.Errorf("a peer that has gone: %v, wiped %v", err, wiped(&late))
	}
	if k.in != nil || k.out != nil || k.gcm.Ready() {
		t.Error("a closed leg has contexts")
	}
}

// TestClosedPeersForgetTheirKeys, whether DTLS is up or parked.
func TestClosedPeersForgetTheirKeys(t *testing.T) {
	t.Parallel()
	n := newDirectNode(t)
	up := join(t, n, "up", browserConfig{slots: 1})
	parked, _ := idle(t, n, browserConfig{slots: 1, noData: true})
	for _, b := range []*browser{up, parked} {
		must(t, b.peer.Close())
		<-b.peer.done
		d, k := b.peer.transport.(*direct), b.peer.leg
		if d.conn != nil || d.dtlsPath != nil || d.parked != nil || k.in != nil || k.out != nil || k.gcm.Ready() {
			t.Errorf("%s: something is left", b.peer.ID())
		}
	}
}
