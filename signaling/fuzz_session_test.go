package signaling

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley/parley/sfu"
)

// maxLines bounds a script of FuzzSession: what is to be found needs few.
const maxLines = 32

// FuzzSession plays a script with two participants of a room, in any order. A line begins with who acts, "1" or "2", and goes on
// with a message, in which ONE, TWO and SECRET stand for their ids and the actor's secret, PLACE and TICKET for the knock of the second; or with "cut", "close", "back" (a new
// connection), "data" or "wait". Whatever they do, nothing is our fault, and a third can go on.
func FuzzSession(f *testing.F) {
	for _, script := range []string{
		`1{"type":"publish","id":2,"kind":"camera"}
2{"type":"subscribe","id":2,"tiles":[{"participant":"ONE","stream":"camera","width":640,"height":360}]}
1cut
1back
1{"type":"resume","id":3,"session":"ONE","secret":"SECRET","position":""}
2{"type":"stats","id":3}
1{"type":"unpublish","id":4,"kind":"camera"}`,
		`1{"type":"chat","id":2,"text":"x","to":"TWO"}
2{"type":"signal","id":2,"to":"ONE","data":{"a":[1]}}
2{"type":"update","id":3,"name":"x","metadata":{"hand":true}}
2data
1{"type":"negotiate","id":3,"media":{"sdp":"v=0","send":[{"mid":"0","kind":"screen"}],"slots":[{},{},{}]}}
1{"type":"publish","id":4,"kind":"screen","muted":true}
1{"type":"mute","id":5,"kind":"screen","muted":false}`,
		`1{"type":"moderate","id":2,"action":"mute","participant":"TWO"}
1{"type":"moderate","id":3,"action":"remove","participant":"TWO","ban":false}
2back
2{"type":"join","id":1,"name":"again","media":{"sdp":"v=0"}}
1{"type":"moderate","id":4,"action":"lock"}
1{"type":"moderate","id":5,"action":"remove","participant":"ONE"}
1wait`,
		`1{"type":"leave"}
1{"type":"ping"}
2{"type":"join","id":2}
2{"type":"resume","id":9,"session":"ONE","secret":"x","position":"a.1"}
2close
2back
2{"type":"moderate","id":1,"action":"end"}`,
		`1{"type":"moderate","id":2,"action":"lock"}
2{"type":"leave"}
2back
2{"type":"knock","id":1,"name":"Ann"}
2cut
2back
2{"type":"knock","id":2,"knock":"PLACE","secret":"TICKET"}
1{"type":"moderate","id":3,"action":"admit"}
2{"type":"join","id":3,"name":"Ann"}
1wait`,
		`1{"type":"moderate","id":2,"action":"lock"}
2close
2back
2{"type":"knock","id":1,"knock":"x","secret":"y","metadata":{}}
2{"type":"knock","id":2}
2{"type":"knock","id":3}
1{"type":"moderate","id":3,"action":"decline","knock":"PLACE"}
2back
2{"type":"knock","id":4,"knock":"PLACE","secret":"TICKET"}
1{"type":"moderate","id":4,"action":"unlock"}
1close`,
	} {
		f.Add([]byte(script))
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, anyone(false))
			defer r.shutdown()
			actors := []*client{r.joined("a", "Ann", 2), r.joined("a", "Ben", 2)}
			third := r.joined("a", "Cem", 2)
			for i, line := range bytes.Split(script, []byte("\n")) {
				if i == maxLines {
					break
				}
				if len(line) > 0 {
					actors[line[0]&1].act(string(line[1:]), actors)
				}
				synctest.Wait()
				blameless(t, append(actors, third)...)
			}
			if third.isOpen() {
				third.must("update", fields{"name": "Cem 2"})
				third.must("subscribe", fields{"tiles": []fields{{"participant": actors[0].me, "stream": "camera", "width": 1, "height": 1}}})
			} else if third.pipe.code != closeRemoved && third.pipe.code != closeRoomEnded {
				t.Errorf("the third was closed with %d", third.pipe.code)
			}
		})
	})
}

// act does what one line of a script says.
func (c *client) act(line string, actors []*client) {
	switch line {
	case "cut":
		c.cut()
	case "close":
		c.closePage()
	case "back":
		c.cut()
		c.connect("")
	case "wait":
		time.Sleep(5 * time.Second)
	case "data":
		if p := c.rig.media.peer(c.me); p != nil {
			p.on.OnData(sfu.Data{To: []string{actors[0].me, "nobody"}, Payload: []byte(line)})
		}
	default:
		place, ticket := actors[0].place()
		msg := strings.NewReplacer("ONE", actors[1].me, "TWO", actors[0].me, "SECRET", c.secret, "PLACE", place, "TICKET", ticket).Replace(line)
		c.link.Receive([]byte(msg))
	}
}

// place is what the client needs to take up its newest knock.
func (c *client) place() (knock, secret string) {
	for _, m := range c.all() {
		if m["type"] == "waiting" {
			c.knock, c.ticket = m["knock"].(string), m["secret"].(string)
		}
	}
	return c.knock, c.ticket
}

// blameless fails where the server told anybody of a fault of its own.
func blameless(t *testing.T, clients ...*client) {
	t.Helper()
	for _, c := range clients {
		c.pipe.mu.Lock()
		for _, raw := range c.pipe.msgs {
			if bytes.Contains(raw, []byte(`"code":"`+codeInternal+`"`)) {
				t.Errorf("our fault: %s", raw)
			}
		}
		if c.pipe.code == closeInternal {
			t.Error("a connection was closed for a fault of ours")
		}
		c.pipe.mu.Unlock()
	}
}
