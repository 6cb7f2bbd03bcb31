package sfu

import (
	"time"

	"github.com/parley/parley/sfu/internal/budget"
)

// A keyframe that one viewer asks for is many times as large as other frames, and all who watch are sent it. So each viewer may make a
// publisher send some at once and one every askEvery from then on, whatever it loses. Who joins or goes to another layer waits for a
// keyframe, and does not ask for it here.
const (
	askEvery = 2 * time.Second
	askFirst = 3

	maxAsking = 16 // viewers that are remembered though they may ask as if they never had
)

// asking is what the viewers of a source have asked for. It is the source's loop's.
type asking struct{ byViewer map[viewerOf]*budget.Budget }

// viewerOf names who a line leads to: a peer, or, where nothing is known of him, the line.
type viewerOf struct {
	peer *downlink
	line *Line
}

// take reports whether the line's viewer may ask for one more keyframe now, and takes note that he does.
func (a *asking) take(l *Line, now time.Time) bool {
	who := viewerOf{peer: l.cfg.paced}
	if who.peer == nil {
		who.line = l
	}
	b := a.byViewer[who]
	if b == nil {
		a.forget(now)
		if a.byViewer == nil {
			a.byViewer = make(map[viewerOf]*budget.Budget)
		}
		full := budget.Every(askEvery, askFirst)
		b = &full
		a.byViewer[who] = b
	}
	return b.Take(now, 1)
}

// forget drops those who have not asked for long, when there are many.
func (a *asking) forget(now time.Time) {
	if len(a.byViewer) < maxAsking {
		return
	}
	for who, b := range a.byViewer {
		if b.Full(now) {
			delete(a.byViewer, who)
		}
	}
}
