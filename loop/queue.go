package loop

import (
	"container/heap"
	"time"
)

// queue holds when each key is due. It knows no clock and no goroutine: Run owns it.
type queue struct {
	items   map[string]*item
	due     dueHeap
	backoff Backoff
}

type item struct {
	key      string
	at       time.Time // due, when waiting or marked
	pos      int       // in the heap, -1 when not waiting
	running  bool
	marked   bool // while running
	failures int
}

func newQueue(b Backoff) *queue { return &queue{items: map[string]*item{}, backoff: b} }

// mark makes a key due at the given time or earlier.
func (q *queue) mark(key string, at time.Time) {
	it, ok := q.items[key]
	if !ok {
		it = &item{key: key, pos: -1}
		q.items[key] = it
	}
	switch {
	case it.running && (!it.marked || at.Before(it.at)):
		it.marked, it.at = true, at
	case it.running:
	case it.pos < 0:
		it.at = at
		heap.Push(&q.due, it)
	case at.Before(it.at):
		it.at = at
		heap.Fix(&q.due, it.pos)
	}
}

// next takes a key that is due. When none is, it answers when the first will be; the zero time is never.
func (q *queue) next(now time.Time) (key string, at time.Time, ok bool) {
	if len(q.due) == 0 {
		return "", time.Time{}, false
	}
	it := q.due[0]
	if it.at.After(now) {
		return "", it.at, false
	}
	heap.Pop(&q.due)
	it.running = true
	return it.key, it.at, true
}

// done ends the run of a key. It answers how often in a row the key failed.
func (q *queue) done(key string, r Result, err error, now time.Time) int {
	it := q.items[key]
	it.running = false
	if err != nil {
		it.failures++
	} else {
		it.failures = 0
	}
	switch {
	case it.marked:
		it.marked = false
		heap.Push(&q.due, it)
	case err != nil:
		it.at = now.Add(q.backoff.delay(it.failures))
		heap.Push(&q.due, it)
	case r.After > 0:
		it.at = now.Add(r.After)
		heap.Push(&q.due, it)
	default:
		delete(q.items, key)
	}
	return it.failures
}

// waiting is how many keys are due now or later.
func (q *queue) waiting() int { return len(q.due) }

// dueHeap orders items by time, then by key, so that the order is the same every time.
type dueHeap []*item

func (h dueHeap) Len() int { return len(h) }

func (h dueHeap) Less(i, j int) bool {
	if !h[i].at.Equal(h[j].at) {
		return h[i].at.Before(h[j].at)
	}
	return h[i].key < h[j].key
}

func (h dueHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].pos, h[j].pos = i, j
}

func (h *dueHeap) Push(x any) {
	it := x.(*item)
	it.pos = len(*h)
	*h = append(*h, it)
}

func (h *dueHeap) Pop() any {
	last := len(*h) - 1
	it := (*h)[last]
	it.pos = -1
	(*h)[last] = nil
	*h = (*h)[:last]
	return it
}
