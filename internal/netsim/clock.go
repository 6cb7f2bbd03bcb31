package netsim

import (
	"container/heap"
	"time"
)

// Clock runs events in the order of their times. The zero value stands at 0.
type Clock struct {
	now    time.Duration
	events events
	seq    uint64
}

type event struct {
	at  time.Duration
	seq uint64
	do  func()
}

type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	return e[i].at < e[j].at || e[i].at == e[j].at && e[i].seq < e[j].seq
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }

func (e *events) Pop() any {
	last := (*e)[len(*e)-1]
	(*e)[len(*e)-1] = event{}
	*e = (*e)[:len(*e)-1]
	return last
}

// Now is the time since the start.
func (c *Clock) Now() time.Duration { return c.now }

// At plans do for a time; one in the past means now.
func (c *Clock) At(at time.Duration, do func()) {
	c.seq++
	heap.Push(&c.events, event{max(at, c.now), c.seq, do})
}

// Every plans do for now and then again and again.
func (c *Clock) Every(period time.Duration, do func()) {
	c.At(c.now, func() { c.again(period, do) })
}

func (c *Clock) again(period time.Duration, do func()) {
	do()
	c.At(c.now+period, func() { c.again(period, do) })
}

// Run lets time pass until then, and returns with Now at then.
func (c *Clock) Run(then time.Duration) {
	for len(c.events) > 0 && c.events[0].at <= then {
		e := heap.Pop(&c.events).(event)
		c.now = e.at
		e.do()
	}
	c.now = max(c.now, then)
}
