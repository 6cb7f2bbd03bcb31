package pace

// queue is a first-in-first-out ring that grows as needed; its owner bounds it.
type queue[L comparable] struct {
	packets []Packet[L] // the length is a power of two
	head, n int
}

func (q *queue[L]) len() int { return q.n }

func (q *queue[L]) at(i int) *Packet[L] { return &q.packets[(q.head+i)&(len(q.packets)-1)] }

func (q *queue[L]) push(k Packet[L]) {
	if q.n == len(q.packets) {
		grown := make([]Packet[L], max(2*q.n, 16))
		for i := range q.n {
			grown[i] = *q.at(i)
		}
		q.packets, q.head = grown, 0
	}
	q.n++
	*q.at(q.n - 1) = k
}

func (q *queue[L]) pop() Packet[L] {
	k := *q.at(0)
	*q.at(0) = Packet[L]{}
	q.head = (q.head + 1) & (len(q.packets) - 1)
	if q.n--; q.n == 0 && len(q.packets) > 64 {
		q.packets, q.head = nil, 0 // a keyframe's burst is over
	}
	return k
}

// remove takes out what drop says, in order.
func (q *queue[L]) remove(drop func(Packet[L]) bool) {
	kept := 0
	for i := range q.n {
		if k := *q.at(i); !drop(k) {
			*q.at(kept) = k
			kept++
		}
	}
	for i := kept; i < q.n; i++ {
		*q.at(i) = Packet[L]{}
	}
	q.n = kept
}
