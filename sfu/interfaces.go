package sfu

import (
	"sync"
	"time"

	pionnet "github.com/pion/transport/v5"
	"github.com/pion/transport/v5/stdnet"

	"github.com/parley/parley/internal/steady"
)

// interfacesEvery is for how long the machine's addresses are taken as known.
const interfacesEvery = 2 * time.Second

// interfaces is the machine's network, whose addresses are looked up once for many peers: three times for each took longer than
// the rest of making an ICE agent.
type interfaces struct {
	pionnet.Net // Static after construction.

	mu   sync.Mutex
	list []*pionnet.Interface // Guarded by mu.
	at   time.Time            // Guarded by mu: when it was made.
}

func newInterfaces() (*interfaces, error) {
	n, err := stdnet.NewNet()
	if err != nil {
		return nil, err
	}
	return &interfaces{Net: n}, nil
}

// Interfaces returns the machine's interfaces with their addresses.
func (i *interfaces) Interfaces() ([]*pionnet.Interface, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	now := steady.Now()
	if i.list != nil && now.Sub(i.at) < interfacesEvery {
		return i.list, nil
	}
	n, err := stdnet.NewNet()
	if err != nil {
		return nil, err
	}
	i.list, err = n.Interfaces()
	i.at = now
	return i.list, err
}
