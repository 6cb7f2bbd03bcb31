package loadgen

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// The messages of docs/protocol.md, as far as a client needs them here.

type joinMessage struct {
	Type     string    `json:"type"`
	ID       int       `json:"id"`
	Token    string    `json:"token,omitempty"`
	Identity string    `json:"identity,omitempty"`
	Name     string    `json:"name"`
	Media    wireOffer `json:"media"`
}

type publishMessage struct {
	Type string `json:"type"`
	ID   int    `json:"id"`
	Kind string `json:"kind"`
}

type subscribeMessage struct {
	Type  string `json:"type"`
	ID    int    `json:"id"`
	Tiles []tile `json:"tiles"`
}

type tile struct {
	Participant string `json:"participant"`
	Stream      string `json:"stream"`
	Width       int    `json:"width"`
	Height      int    `json:"height"`
}

// event is what the server says. Participant is an object in some events and an id in others.
type event struct {
	Type        string          `json:"type"`
	ID          int             `json:"id"`
	Code        string          `json:"code"`
	Message     json.RawMessage `json:"message"`
	Participant json.RawMessage `json:"participant"`
	Media       struct {
		SDP string `json:"sdp"`
	} `json:"media"`
	Room struct {
		Participants []member `json:"participants"`
	} `json:"room"`
}

type member struct {
	ID      string            `json:"id"`
	Sources []json.RawMessage `json:"sources"`
}

// parseEvent reads a message. Those that say nothing to a viewer are not parsed any further than their type: a room of
// hundreds tells everybody of everybody.
func parseEvent(msg []byte) (event, error) {
	for _, quiet := range []string{`"type":"joined"`, `"type":"speaking"`, `"type":"updated"`} {
		if bytes.Contains(msg[:min(len(msg), 80)], []byte(quiet)) {
			return event{}, nil
		}
	}
	var head struct {
		Type string `json:"type"`
	}
	var e event
	if err := json.Unmarshal(msg, &head); err != nil {
		return e, fmt.Errorf("a message from the server: %w", err)
	}
	switch head.Type {
	case "welcome", "published", "left", "error":
		if err := json.Unmarshal(msg, &e); err != nil {
			return e, fmt.Errorf("%s from the server: %w", head.Type, err)
		}
	}
	e.Type = head.Type
	return e, nil
}

// who is the id in Participant, "" where there is none.
func (e event) who() string {
	var id string
	if json.Unmarshal(e.Participant, &id) != nil {
		return ""
	}
	return id
}
