package signaling

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/parley/parley/sfu"
	"github.com/parley/parley/sfu/quality"
	"github.com/parley/parley/signaling/internal/eventlog"
	"github.com/parley/parley/signaling/token"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares v, as indented JSON, with a file in testdata.
func golden(t *testing.T, path string, v any) {
	t.Helper()
	path = filepath.Join("testdata", path)
	got, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", path, diff)
	}
}

// request is a message as a client sends it.
type request struct {
	envelope
	checker
}

func (r request) MarshalJSON() ([]byte, error) {
	head, err := json.Marshal(r.envelope)
	if err != nil || r.checker == nil {
		return head, err
	}
	body, err := json.Marshal(r.checker)
	if err != nil || string(body) == "{}" {
		return head, err
	}
	return append(append(bytes.TrimSuffix(head, []byte("}")), ','), body[1:]...), nil
}

func (*joinRequest) check() error { return nil }

func goldenRequests() map[string]checker {
	yes, name := true, "Ann Lee"
	offer := &sfu.Offer{
		SDP:   "v=0\r\n",
		Send:  []sfu.SendLine{{MID: "0", Kind: sfu.Microphone}, {MID: "1", Kind: sfu.Camera}},
		Slots: []sfu.SlotLine{{Audio: "4", Video: "5"}},
	}
	return map[string]checker{
		"join": &joinRequest{
			Token: "eyJhbGciOi", Identity: "ann@example.org", Name: "Ann", Metadata: json.RawMessage(`{"hand":true}`), Media: offer,
		},
		"resume":    &resumeRequest{Session: "k3v9q2m1xa7bcdef", Secret: "S3CRET", Position: "e1.42"},
		"negotiate": &negotiateRequest{Media: offer},
		"publish":   &publishRequest{Kind: sfu.Camera, Muted: true},
		"unpublish": &unpublishRequest{Kind: sfu.Camera},
		"mute":      &muteRequest{Kind: sfu.Microphone, Muted: &yes},
		"layers":    &layersRequest{Kind: sfu.Camera, Used: []string{"q", "h"}},
		"subscribe": &subscribeRequest{Tiles: []tile{{Participant: "p2", Stream: streamCamera, Width: 640, Height: 360, Pinned: true}}},
		"chat":      &chatRequest{Text: "hello", To: "p2"},
		"update":    &updateRequest{Name: &name, Metadata: json.RawMessage(`{"hand":false}`)},
		"signal":    &signalRequest{To: "p2", Data: json.RawMessage(`{"sdp":"v=0"}`)},
		"moderate":  &moderateRequest{Action: "mute", Participant: "p2", Kind: sfu.Microphone},
		"stats":     nil,

		"knock":       &knockRequest{Token: "eyJhbGciOi", Identity: "bob@example.org", Name: "Bob", Metadata: json.RawMessage(`{"a":1}`)},
		"invite":      &inviteRequest{TTL: 3600, Knock: true, Can: permissions{token.Publish, token.Subscribe}, Label: "Tuesday"},
		"revoke":      nil,
		"invitations": nil,
		"bans":        nil,
		"ping":        nil,
		"leave":       nil,
	}
}

func TestGoldenRequests(t *testing.T) {
	t.Parallel()
	requests := goldenRequests()
	for _, typ := range messageTypes() {
		r, ok := requests[typ]
		if !ok {
			t.Errorf("no golden file for %s", typ)
			continue
		}
		id := uint64(7)
		env := envelope{Type: typ, ID: &id}
		if typ == "ping" || typ == "leave" {
			env.ID = nil
		}
		golden(t, "client/"+typ+".json", request{env, r})
	}
	id := uint64(7)
	golden(t, "client/knock_again.json", request{envelope{"knock", &id}, &knockRequest{Knock: "k1", Secret: "S3CRET"}})
	golden(t, "client/moderate_admit.json", request{envelope{"moderate", &id}, &moderateRequest{Action: "admit", Knock: "k1"}})
}

// What the file says must be what the decoder understands, down to the last field.
func TestGoldenRequestsDecode(t *testing.T) {
	t.Parallel()
	decoders := map[string]checker{
		"join": &joinRequest{}, "resume": &resumeRequest{}, "negotiate": &negotiateRequest{}, "publish": &publishRequest{},
		"unpublish": &unpublishRequest{}, "mute": &muteRequest{}, "layers": &layersRequest{}, "subscribe": &subscribeRequest{}, "chat": &chatRequest{},
		"update": &updateRequest{}, "signal": &signalRequest{}, "moderate": &moderateRequest{}, "knock": &knockRequest{}, "invite": &inviteRequest{},
	}
	for typ, want := range goldenRequests() {
		msg, err := os.ReadFile(filepath.Join("testdata", "client", typ+".json"))
		if err != nil {
			t.Fatal(err)
		}
		env, err := decodeEnvelope(msg)
		if err != nil || env.Type != typ {
			t.Errorf("%s: envelope %v, %v", typ, env, err)
		}
		got := decoders[typ]
		if got == nil {
			continue
		}
		if err := parse(msg, got); err != nil {
			t.Errorf("%s: %v", typ, err)
		}
		if diff := cmp.Diff(compact(t, want), compact(t, got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", typ, diff)
		}
	}
}

func compact(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestGoldenReplies(t *testing.T) {
	t.Parallel()
	at := eventlog.Position{Epoch: "e1", Seq: 42}
	id := uint64(7)
	when := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	camera := Source{ID: "p1.camera", Kind: sfu.Camera, Muted: false}
	ann := Participant{
		ID: "p1", Identity: "ann@example.org", Name: "Ann", JoinedAt: when,
		Metadata: json.RawMessage(`{"hand":true}`), Sources: []Source{camera},
	}
	room := Snapshot{Room: "standup", Position: at, Participants: []Participant{ann}}
	hello := messageEvent{event: event{"message", at}, From: "p1", Name: "Ann", Text: "hello", At: when}
	servers := []ICEServer{{URLs: []string{"stun:203.0.113.1:7880", "turn:203.0.113.1:7880?transport=udp"}, Username: "1795255200:p1", Credential: "x="}}
	slots := []slotState{
		{Slot: 0, Participant: "p2", Stream: streamCamera, Video: "p2.camera", Audio: "p2.microphone"},
		{Slot: 1},
	}
	pass := passport{Token: "eyJhbGciOi", TokenTTL: 600, SessionTTL: 3660}
	bob := Knock{ID: "k1", Identity: "guest-5f", Name: "Bob", Guest: true, Since: when, Like: "p1"}
	link := Invitation{
		ID: "i1", Invite: "AQ", Room: "standup", By: "ann@example.org", ByName: "Ann", Can: permissions{token.Publish, token.Subscribe}, Knock: true,
		Label: "Tuesday", MadeAt: when, Expires: when.Add(24 * time.Hour), Uses: 2,
	}
	moderated := room
	moderated.Waiting = []Knock{bob}
	private := hello
	private.To = "p2"
	for name, v := range map[string]any{
		"welcome": welcomeReply{
			Type: "welcome", ID: id, Session: "p1", Secret: "S3CRET", Participant: "p1",
			Can: permissions{token.Publish, token.Subscribe, token.Message, token.Join, token.Update}, Room: room, Messages: []messageEvent{hello},
			Media: &answer{SDP: "v=0\r\n"}, ICEServers: servers, ICETTL: 3600, passport: pass, Limits: Limits{}.withDefaults(),
			PingSeconds: 4, ResumeSeconds: 30,
		},
		"resumed":     resumedReply{Type: "resumed", ID: id, Position: at, ICEServers: servers, ICETTL: 3600, passport: pass},
		"credentials": credentialsNotice{Type: "credentials", ICEServers: servers, ICETTL: 120, passport: pass},
		"resumed_gone": resumedReply{
			Type: "resumed", ID: id, Position: at, ICEServers: servers, ICETTL: 3600,
			resumedState: &resumedState{Room: room, Messages: []messageEvent{hello}, Slots: slots},
		},
		"negotiated":      negotiatedReply{Type: "negotiated", ID: id, Media: answer{SDP: "v=0\r\n"}, ICEServers: servers, ICETTL: 3600},
		"ok":              okay(id),
		"ok_publish":      okReply{Type: "ok", ID: id, Source: &camera},
		"ok_chat":         okReply{Type: "ok", ID: id, Position: &at},
		"pong":            pongReply{Type: "pong", Position: &at},
		"error":           errorReply{Type: "error", ID: &id, Code: codeRateLimited, Message: "too many messages", RetryMS: 34},
		"joined":          joinedEvent{event{"joined", at}, ann},
		"left":            leftEvent{event{"left", at}, "p1", reasonTimeout},
		"published":       publishedEvent{event{"published", at}, "p1", camera},
		"unpublished":     unpublishedEvent{event{"unpublished", at}, "p1", "p1.camera"},
		"updated":         updatedEvent{event{"updated", at}, ann},
		"speaking":        speakingEvent{event{"speaking", at}, []string{"p1", "p2"}},
		"room":            roomEvent{event{"room", at}, true},
		"message":         hello,
		"message_private": private,
		"signal":          signalEvent{event{"signal", at}, "p1", json.RawMessage(`{"sdp":"v=0"}`)},
		"slots":           slotsEvent{event{"slots", at}, slots},
		"stats": statsReply{Type: "stats", ID: id, Report: quality.Report{
			Downlink: quality.Downlink{
				Estimate: 2_400_000, Sent: 1_810_000, Loss: 0.4, RTT: 31, Queue: 3, State: "hold", Source: "twcc",
			},
			Slots: []quality.Slot{{
				Video: "p2.camera", Codec: "VP8", RID: "h", Spatial: 1, Temporal: 2, Width: 640, Height: 360, FPS: 30, Rate: 520_000,
				Target: 500_000, Reason: quality.Size,
			}},
			Uplink: []quality.Uplink{{Kind: "camera", Layers: []quality.Layer{{
				RID: "h", Active: true, Wanted: true, Width: 640, Height: 360, FPS: 30, Rate: 510_000, Loss: 0.1,
			}}}},
		}},
		"video":   videoEvent{event{"video", at}, []quality.Held{{Slot: 2, State: "paused", Reason: quality.Bandwidth}}},
		"layers":  layersEvent{event{"layers", at}, sfu.Camera, []string{"q", "h"}, map[string]int{"h": 270_000}},
		"quality": qualityEvent{event{"quality", at}, map[string]int{"p1": 4}},
		"muted":   mutedEvent{event{"muted", at}, sfu.Microphone, "p2"},

		"waiting_changed": waitingReply{Type: "waiting", Knock: "k1", Secret: "S3CRET", For: forModerator, PingSeconds: 4, ResumeSeconds: 30},
		"error_declined":  errorReply{Type: "error", ID: &id, Code: codeDeclined, Message: "a moderator declined to let you in", RetryMS: 41_000},
		"resumed_moderator": resumedReply{
			Type: "resumed", ID: id, Position: at, ICEServers: servers, ICETTL: 3600,
			resumedState: &resumedState{Room: moderated, Messages: []messageEvent{hello}, Slots: slots},
		},
		"welcome_moderator": welcomeReply{
			Type: "welcome", ID: id, Session: "p1", Secret: "S3CRET", Participant: "p1",
			Can: permissions{token.Moderate, token.Invite, token.Join, token.Update}, Room: moderated, Messages: []messageEvent{},
			ICEServers: servers, ICETTL: 3600, passport: pass, Limits: Limits{}.withDefaults(),
			PingSeconds: 4, ResumeSeconds: 30,
		},

		"waiting":     waitingReply{Type: "waiting", ID: &id, Knock: "k1", Secret: "S3CRET", For: forHost, PingSeconds: 4, ResumeSeconds: 30},
		"admitted":    admittedNotice{Type: "admitted", Token: "eyJhbGciOi", TokenTTL: 3600},
		"invited":     invitedReply{Type: "invited", ID: id, Invitation: link},
		"invitations": invitationsReply{Type: "invitations", ID: id, Invitations: []Invitation{link}},
		"bans":        bansReply{Type: "bans", ID: id, Bans: []Ban{{Identity: "eve", Name: "Eve", At: when, By: "ann@example.org", Invitation: "i1"}}},
		"knocking":    knockingEvent{event{"knocking", at}, bob},
		"knock_ended": knockEndedEvent{event{"knock_ended", at}, "k1", knockAdmitted, "p1"},
		"permissions": permissionsEvent{event{"permissions", at}, permissions{token.Publish, token.Moderate, token.Invite}, []Knock{bob}},
	} {
		golden(t, "server/"+name+".json", v)
	}
}

// The client's own tables are tested against these files.
func TestGoldenTables(t *testing.T) {
	t.Parallel()
	golden(t, "closecodes.json", closeTable())
	type row struct {
		Code    errorCode `json:"code"`
		Joining CloseCode `json:"closes_before_join,omitempty"`
		Joined  CloseCode `json:"closes_after_join,omitempty"`
	}
	var rows []row
	for _, r := range errorTable() {
		rows = append(rows, row{r.code, r.joining, r.joined})
	}
	golden(t, "errors.json", rows)
}

// docs/protocol.md names every message, error and close code.
func TestDocumented(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(filepath.Join("..", "docs", "protocol.md"))
	if err != nil {
		t.Fatal(err)
	}
	doc := string(raw)
	for _, row := range closeTable() {
		if row.Code != closeNormal && !strings.Contains(doc, "| "+jsonNumber(row.Code)+" | `"+row.Name+"` |") {
			t.Errorf("close code %d %s is not in the table", row.Code, row.Name)
		}
	}
	for _, row := range errorTable() {
		if !strings.Contains(doc, "`"+string(row.code)+"`") {
			t.Errorf("error %s is not described", row.code)
		}
	}
	for _, typ := range messageTypes() {
		if !strings.Contains(doc, "| `"+typ+"` |") {
			t.Errorf("message %s is not in the table", typ)
		}
	}
	files, err := os.ReadDir(filepath.Join("testdata", "server"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		name := strings.TrimSuffix(f.Name(), ".json")
		typ, _, _ := strings.Cut(name, "_")
		if !strings.Contains(doc, "| `"+name+"` |") && !strings.Contains(doc, "| `"+typ+"` |") {
			t.Errorf("message %s is not in the table", typ)
		}
	}
}

func jsonNumber(c CloseCode) string {
	raw, err := json.Marshal(c)
	if err != nil {
		panic(err)
	}
	return string(raw)
}

func TestCloseCodesSplit(t *testing.T) {
	t.Parallel()
	seen := map[CloseCode]bool{}
	for _, row := range closeTable() {
		if seen[row.Code] {
			t.Errorf("%d is there twice", row.Code)
		}
		seen[row.Code] = true
		if row.Code != closeNormal && (row.Code < 4000 || row.Code > 4999) {
			t.Errorf("%d is not ours to give", row.Code)
		}
		if row.Retry != (row.Code >= 4000 && row.Code < 4500) {
			t.Errorf("%d: retry is %v", row.Code, row.Retry)
		}
	}
	for _, row := range errorTable() {
		for _, code := range []CloseCode{row.joining, row.joined} {
			if code != closeGone && !seen[code] {
				t.Errorf("error %s closes with %d, which is not in the table", row.code, code)
			}
		}
	}
}
