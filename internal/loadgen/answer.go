package loadgen

import (
	"errors"
	"fmt"
	"strings"

	"github.com/pion/ice/v4"
)

// answer is what a client needs of the server's SDP.
type answer struct {
	ufrag, password string
	fingerprint     string // SHA-256, upper case with colons
	candidates      []ice.Candidate
}

// parseAnswer reads the first media section, which carries the transport of all (BUNDLE), and what stands above it.
func parseAnswer(sdp string) (answer, error) {
	var a answer
	sections := 0
	for line := range strings.Lines(sdp) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "m=") {
			if sections++; sections > 1 {
				break
			}
		}
		key, value, _ := strings.Cut(strings.TrimPrefix(line, "a="), ":")
		switch key {
		case "ice-ufrag":
			a.ufrag = value
		case "ice-pwd":
			a.password = value
		case "fingerprint":
			hash, sum, _ := strings.Cut(value, " ")
			if !strings.EqualFold(hash, "sha-256") {
				return answer{}, fmt.Errorf("the answer's fingerprint is %q, not sha-256", hash)
			}
			a.fingerprint = strings.ToUpper(sum)
		case "setup":
			if value != "passive" {
				return answer{}, fmt.Errorf("the answer has a=setup:%s, not passive", value)
			}
		case "candidate":
			c, err := ice.UnmarshalCandidate(value)
			if err != nil {
				return answer{}, fmt.Errorf("candidate %q: %w", value, err)
			}
			if c.NetworkType().IsUDP() && c.Component() == ice.ComponentRTP {
				a.candidates = append(a.candidates, c)
			}
		}
	}
	switch {
	case a.ufrag == "" || a.password == "":
		return answer{}, errors.New("the answer has no ICE user name and password")
	case a.fingerprint == "":
		return answer{}, errors.New("the answer has no DTLS fingerprint")
	case len(a.candidates) == 0:
		return answer{}, errors.New("the answer has no UDP candidate")
	}
	return a, nil
}
