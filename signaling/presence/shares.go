package presence

import (
	"crypto/sha256"
	"net/http"
	"net/netip"

	"github.com/parley/parley/internal/clientip"
	"github.com/parley/parley/signaling/token"
)

// sharer is who watchers are counted by besides all together: a token, or an address. The other is zero.
type sharer struct {
	token   [sha256.Size]byte
	address netip.Prefix
}

// sharersOf are the token and the address of a request: none where there is no token, or for this machine.
func (s *Server) sharersOf(r *http.Request, accessToken string) (of [2]sharer) {
	compact, err := token.FromHeader(r.Header.Values("Authorization"))
	if err != nil || compact == "" {
		compact = accessToken
	}
	if compact != "" && !s.cfg.Tokens.Lenient() {
		of[0].token = sha256.Sum256([]byte(compact))
	}
	if a := clientip.Of(r); a.IsValid() && !a.IsLoopback() {
		of[1].address = clientip.Group(a)
	}
	return of
}

// admit counts a watcher. The error is a failure: there are too many, or the server shuts down.
func (s *Server) admit(of [2]sharer) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	limits := [2]int{s.cfg.PerToken, s.cfg.PerAddress}
	full := [2]failure{errTokenBusy, errAddressBusy}
	if s.draining || s.watchers >= s.cfg.MaxWatchers {
		s.count.busy.Add(1)
		return errBusy
	}
	for i, sh := range of {
		if sh != (sharer{}) && s.shares[sh] >= limits[i] {
			s.count.shared[i].Add(1)
			return full[i]
		}
	}
	for _, sh := range of {
		if sh != (sharer{}) {
			s.shares[sh]++
		}
	}
	s.watchers++
	return nil
}

// dismiss takes back what admit counted.
func (s *Server) dismiss(of [2]sharer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sh := range of {
		if sh == (sharer{}) {
			continue
		}
		if s.shares[sh]--; s.shares[sh] == 0 {
			delete(s.shares, sh)
		}
	}
	s.watchers--
	if s.draining && s.watchers == 0 {
		close(s.idle)
	}
}
