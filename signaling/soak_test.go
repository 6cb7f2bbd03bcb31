package signaling

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/parley/parley/sfu"
)

// walker is a client that does random things, loses its connection at random moments, and keeps its own idea of the room
// from nothing but what it is sent.
type walker struct {
	t    *testing.T
	rig  *rig
	rnd  *rand.Rand
	room string

	link *Link
	pipe *pipe
	read int // messages of the present connection that were processed

	// What it knows.
	me, secret string
	id         uint64
	position   string
	people     map[string]Participant
	order      []string
	locked     bool
	messages   []messageEvent
	slots      []slotState
	muted      int
	unanswered map[uint64]fields
	resyncs    int
	replays    int
}

func (w *walker) open() {
	w.pipe, w.read = newPipe(), 0
	link, err := w.rig.srv.Open(w.room, "", netip.Addr{}, w.pipe)
	if err != nil {
		w.t.Error(err)
		return
	}
	w.link = link
	p := w.pipe
	go func() {
		<-p.closed
		link.End(p.code == 1001)
	}()
}

func (w *walker) put(f fields) { w.link.Receive([]byte(compact(w.t, f))) }

// ask sends a request without waiting for the answer.
func (w *walker) ask(f fields) {
	w.id++
	f["id"] = w.id
	if f["type"] != "join" && f["type"] != "resume" {
		w.unanswered[w.id] = f
	}
	w.put(f)
}

func (w *walker) join() {
	w.open()
	w.me, w.unanswered, w.people = "", map[uint64]fields{}, nil
	w.ask(fields{"type": "join", "name": fmt.Sprint("walker ", w.rnd.IntN(1000)), "media": offer(1 + w.rnd.IntN(4))})
	w.wait("welcome")
}

// wait processes what comes until the client has an answer to its handshake.
func (w *walker) wait(typ string) {
	for {
		if got := w.process(-1); got == typ || got == "gone" {
			return
		}
		select {
		case <-w.pipe.news:
		case <-time.After(time.Minute):
			w.t.Errorf("no %s", typ)
			return
		}
	}
}

// process takes in what came, or the first n of it. It returns the type of the handshake's answer if that was there.
func (w *walker) process(n int) (handshake string) {
	w.pipe.mu.Lock()
	fresh := slices.Clone(w.pipe.msgs[w.read:])
	w.pipe.mu.Unlock()
	if n >= 0 {
		fresh = fresh[:min(n, len(fresh))]
	}
	w.read += len(fresh)
	for _, raw := range fresh {
		if typ := w.take(raw); typ != "" {
			handshake = typ
		}
	}
	return handshake
}

func (w *walker) take(raw []byte) (handshake string) {
	var m struct {
		Type     string          `json:"type"`
		ID       uint64          `json:"id"`
		Code     string          `json:"code"`
		Position string          `json:"position"`
		Session  string          `json:"session"`
		Secret   string          `json:"secret"`
		Room     *soakSnapshot   `json:"room"`
		Messages []soakMessage   `json:"messages"`
		Slots    json.RawMessage `json:"slots"`
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		w.t.Errorf("%s: %v", raw, err)
		return ""
	}
	switch m.Type {
	case "welcome":
		w.me, w.secret = m.Session, m.Secret
		w.slots = nil
		w.replace(m.Room, m.Messages)
		return m.Type
	case "resumed":
		if m.Room == nil {
			w.replays++
			if m.Position != w.position {
				w.t.Errorf("goes on from %s, not %s", m.Position, w.position)
			}
			return m.Type
		}
		w.resyncs++
		w.replace(m.Room, m.Messages)
		w.slots = parseSlots(w.t, m.Slots)
		return m.Type
	case "error":
		if m.Code == string(codeSessionGone) && w.unanswered[m.ID] == nil {
			return "gone"
		}
		fallthrough
	case "ok", "negotiated":
		if w.unanswered[m.ID] == nil {
			w.t.Errorf("an answer to nothing, or the second: %s", raw)
		}
		delete(w.unanswered, m.ID)
		return ""
	case "pong":
		return ""
	}
	if !rises(w.position, m.Position) {
		w.t.Errorf("%s after %s: %s", m.Position, w.position, raw)
	}
	w.position = m.Position
	w.apply(m.Type, raw)
	return ""
}

type soakSnapshot struct {
	Position     string        `json:"position"`
	Locked       bool          `json:"locked"`
	Participants []Participant `json:"participants"`
}

// soakMessage is a messageEvent with its position as text.
type soakMessage struct {
	Position string `json:"position"`
	From     string `json:"from"`
	Text     string `json:"text"`
	To       string `json:"to"`
}

// rises reports whether b is of a's epoch and behind it.
func rises(a, b string) bool {
	epochA, seqA, _ := strings.Cut(a, ".")
	epochB, seqB, _ := strings.Cut(b, ".")
	x, _ := strconv.Atoi(seqA)
	y, _ := strconv.Atoi(seqB)
	return epochA == epochB && y > x
}

func (w *walker) replace(room *soakSnapshot, messages []soakMessage) {
	w.position, w.locked = room.Position, room.Locked
	w.people, w.order, w.messages = map[string]Participant{}, nil, nil
	for _, p := range room.Participants {
		w.people[p.ID] = p
		w.order = append(w.order, p.ID)
	}
	for _, m := range messages {
		w.messages = append(w.messages, messageEvent{From: m.From, Text: m.Text, To: m.To})
	}
}

func parseSlots(t *testing.T, raw json.RawMessage) []slotState {
	var list []struct {
		Slot                              int
		Participant, Stream, Video, Audio *string
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		t.Error(err)
	}
	text := func(s *string) nullable {
		if s == nil {
			return ""
		}
		return nullable(*s)
	}
	slots := []slotState{}
	for _, s := range list {
		slots = append(slots, slotState{s.Slot, text(s.Participant), text(s.Stream), text(s.Video), text(s.Audio)})
	}
	return slots
}

func (w *walker) apply(typ string, raw []byte) {
	var e struct {
		Participant json.RawMessage
		Source      json.RawMessage
		Locked      bool
		Slots       json.RawMessage
		soakMessage
	}
	if err := json.Unmarshal(raw, &e); err != nil {
		w.t.Errorf("%s: %v", raw, err)
	}
	var person Participant
	var id string
	if json.Unmarshal(e.Participant, &person) != nil {
		_ = json.Unmarshal(e.Participant, &id) // one of the two
	}
	p, known := w.people[id]
	switch typ {
	case "joined":
		if _, twice := w.people[person.ID]; twice {
			w.t.Errorf("joined twice: %s", raw)
		}
		w.people[person.ID] = person
		w.order = append(w.order, person.ID)
	case "updated":
		if _, known := w.people[person.ID]; !known {
			w.t.Errorf("updated, but never joined: %s", raw)
		}
		w.people[person.ID] = person
	case "left":
		if !known {
			w.t.Errorf("left, but never joined: %s", raw)
		}
		delete(w.people, id)
		w.order = slices.DeleteFunc(w.order, func(o string) bool { return o == id })
	case "published":
		var s Source
		_ = json.Unmarshal(e.Source, &s)
		p.Sources = append(slices.Clone(p.Sources), s)
		slices.SortFunc(p.Sources, func(a, b Source) int {
			return slices.Index(sourceOrder(), a.Kind) - slices.Index(sourceOrder(), b.Kind)
		})
		w.people[id] = p
	case "unpublished":
		var source string
		_ = json.Unmarshal(e.Source, &source)
		before := len(p.Sources)
		p.Sources = slices.DeleteFunc(slices.Clone(p.Sources), func(s Source) bool { return s.ID == source })
		if len(p.Sources) != before-1 {
			w.t.Errorf("unpublished what was not: %s", raw)
		}
		w.people[id] = p
	case "room":
		w.locked = e.Locked
	case "message":
		w.messages = append(w.messages, messageEvent{From: e.From, Text: e.Text, To: e.To})
	case "slots":
		w.slots = parseSlots(w.t, e.Slots)
	case "muted":
		w.muted++
	case "speaking", "signal":
	default:
		w.t.Errorf("an unknown event: %s", raw)
	}
}

// step does one random thing.
func (w *walker) step() {
	w.process(-1)
	if !w.link.isOpen() || w.people == nil {
		w.comeBack()
		return
	}
	kind := sourceOrder()[w.rnd.IntN(4)]
	someone := w.order[w.rnd.IntN(len(w.order))]
	switch w.rnd.IntN(16) {
	case 0, 1:
		w.ask(fields{"type": "publish", "kind": kind, "muted": w.rnd.IntN(2) == 0})
	case 2:
		w.ask(fields{"type": "unpublish", "kind": kind})
	case 3, 4:
		w.ask(fields{"type": "mute", "kind": kind, "muted": w.rnd.IntN(2) == 0})
	case 5, 6, 7:
		to := ""
		if w.rnd.IntN(3) == 0 {
			to = someone
		}
		w.ask(fields{"type": "chat", "text": fmt.Sprint(w.me, " ", w.id), "to": to})
	case 8:
		w.ask(fields{"type": "update", "metadata": fields{"n": w.rnd.IntN(1000)}})
	case 9, 10:
		tiles := []fields{}
		for _, i := range w.rnd.Perm(len(w.order))[:w.rnd.IntN(len(w.order)+1)] {
			size := w.rnd.IntN(3) * 320
			stream := []string{streamCamera, streamScreen}[w.rnd.IntN(2)]
			tiles = append(tiles, fields{"participant": w.order[i], "stream": stream, "width": size, "height": size})
		}
		w.ask(fields{"type": "subscribe", "tiles": tiles})
	case 11:
		w.ask(fields{"type": "moderate", "action": "mute", "participant": someone})
	case 12:
		w.ask(fields{"type": "signal", "to": someone, "data": w.rnd.IntN(9)})
	case 13:
		w.cutAndResume()
	case 14:
		w.rig.media.speak(someone, w.order[0])
	case 15:
		w.rare(someone)
	}
}

func (w *walker) rare(someone string) {
	switch w.rnd.IntN(6) {
	case 0:
		w.put(fields{"type": "leave"})
		w.join()
	case 1:
		w.pipe.Close(1001, "")
		w.join()
	case 2:
		w.ask(fields{"type": "moderate", "action": "remove", "participant": someone})
	case 3:
		w.cutAndResume()
		time.Sleep(time.Duration(w.rnd.IntN(20)) * time.Second)
	case 4:
		w.put(fields{"type": "ping"})
	case 5:
		old := w.link // resume without the old connection's end being noticed
		w.tryResume()
		if old.isOpen() {
			w.t.Error("two connections of one session")
		}
	}
}

// cutAndResume loses the connection, and of what was on its way to the client a random part.
func (w *walker) cutAndResume() {
	w.process(w.rnd.IntN(4))
	w.pipe.mu.Lock()
	w.pipe.broken = true
	w.pipe.mu.Unlock()
	w.pipe.Close(closeGone, "")
	time.Sleep(time.Duration(w.rnd.IntN(3000)) * time.Millisecond)
	w.tryResume()
}

func (w *walker) comeBack() {
	<-w.pipe.closed
	if w.people != nil && w.pipe.code.Retry() {
		w.tryResume()
		return
	}
	w.join()
}

func (w *walker) tryResume() {
	w.open()
	w.id++
	w.put(fields{"type": "resume", "id": w.id, "session": w.me, "secret": w.secret, "position": w.position})
	w.wait("resumed")
	w.pipe.mu.Lock()
	gone := len(w.pipe.msgs) > 0 && strings.Contains(string(w.pipe.msgs[0]), string(codeSessionGone))
	w.pipe.mu.Unlock()
	if gone {
		w.me, w.unanswered, w.people = "", map[uint64]fields{}, nil
		w.ask(fields{"type": "join", "name": "again", "media": offer(2)})
		w.wait("welcome")
		return
	}
	for _, id := range slices.Sorted(maps.Keys(w.unanswered)) {
		w.put(w.unanswered[id])
	}
}

// settle processes all that is there, and makes sure of a connection.
func (w *walker) settle() {
	w.process(-1)
	for !w.link.isOpen() {
		w.comeBack()
		w.process(-1)
	}
}

// agree compares what the walker knows with what the server has.
func (w *walker) agree(r *room) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.sessions[w.me]
	if s == nil {
		w.t.Errorf("%s is not in the room", w.me)
		return
	}
	snapshot := r.snapshotLocked(r.events.Position())
	var known []Participant
	for _, id := range w.order {
		known = append(known, w.people[id])
	}
	if diff := cmp.Diff(compact(w.t, snapshot.Participants), compact(w.t, known)); diff != "" {
		w.t.Errorf("%s: participants (-server +client)\n%s", w.me, diff)
	}
	if len(w.unanswered) > 0 {
		w.t.Errorf("%s: no answer to %v", w.me, w.unanswered)
	}
	if w.slots != nil || slices.ContainsFunc(s.told, func(t slotState) bool { return t.Participant != "" }) {
		if diff := cmp.Diff(s.told, w.slots); diff != "" {
			w.t.Errorf("%s: slots (-server +client)\n%s", w.me, diff)
		}
	}
	tail := func(m []messageEvent) (texts []string) {
		for _, e := range m[max(0, len(m)-50):] {
			texts = append(texts, e.From+">"+e.To+": "+e.Text)
		}
		return texts
	}
	if diff := cmp.Diff(tail(s.messagesLocked()), tail(w.messages)); diff != "" {
		w.t.Errorf("%s: messages (-server +client)\n%s", w.me, diff)
	}
	w.mediaAgrees(s)
}

// mediaAgrees compares the media node with the room: what is published and muted, and what is shown.
func (w *walker) mediaAgrees(s *session) {
	peer := w.rig.media.peer(s.id)
	peer.mu.Lock()
	defer peer.mu.Unlock()
	for _, kind := range sourceOrder() {
		pub := s.sources[kind]
		if (pub != nil) != (peer.published[kind] != nil) || pub != nil && pub.muted != peer.muted[kind] {
			w.t.Errorf("%s: %s is %+v in the room, %v and muted %v in the media", s.id, kind, pub, peer.published[kind], peer.muted[kind])
		}
	}
	shown := map[int]sfu.SlotView{}
	for _, v := range peer.view {
		shown[v.Slot] = v
	}
	for _, t := range s.told {
		v, any := shown[t.Slot]
		if any != (t.Participant != "") || (v.Video != nil) != (t.Video != "") || (v.Audio != nil) != (t.Audio != "") {
			w.t.Errorf("%s: slot %+v, but the media shows %+v", s.id, t, v)
		}
	}
}

func TestSoak(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		t.Run(fmt.Sprint("seed", seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { soak(t, seed) })
		})
	}
}

// settleAll settles all: a comeback is told to others who have settled already.
func settleAll(walkers []*walker) {
	for range 3 {
		for _, w := range walkers {
			synctest.Wait()
			w.settle()
		}
	}
}

func soak(t *testing.T, seed uint64) {
	r := newRig(t, func(cfg *Config) {
		if seed%2 == 1 { // often too little for a resume
			cfg.Limits.LogEntries = 32
		}
	})
	defer r.shutdown()
	var walkers []*walker
	for i := range 8 {
		w := &walker{t: t, rig: r, rnd: rand.New(rand.NewPCG(seed, uint64(i))), room: "soak"}
		w.join()
		walkers = append(walkers, w)
	}
	rounds, steps := 5, 25
	if testing.Short() {
		rounds = 2
	}
	for range rounds {
		var all sync.WaitGroup
		for _, w := range walkers {
			all.Go(func() {
				for range steps {
					w.step()
					time.Sleep(time.Duration(w.rnd.IntN(200)) * time.Millisecond)
				}
			})
		}
		all.Wait()
		settleAll(walkers)
		r.media.speak()
		time.Sleep(time.Second)
		settleAll(walkers)
		for _, w := range walkers {
			w.agree(r.srv.lookup("soak"))
		}
		if t.Failed() {
			return
		}
	}
	replays, resyncs := 0, 0
	for _, w := range walkers {
		replays, resyncs = replays+w.replays, resyncs+w.resyncs
	}
	if replays == 0 || seed%2 == 1 && resyncs == 0 {
		t.Errorf("%d replays and %d resyncs: the test tests too little", replays, resyncs)
	}
	t.Logf("%d replays, %d resyncs, %d events", replays, resyncs, r.srv.lookup("soak").events.Position().Seq)
}
