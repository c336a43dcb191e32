package store

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// lines put this server's Updates that fight over a key in a queue, so that each writes once instead of all losing to
// one. An Update stands in at most one line, and waits for lineWait at most: a line is for speed, the guards are what
// makes an Update right.
type lines struct {
	n  atomic.Int64 // how many lines there are; none is the common case
	mu sync.Mutex
	by map[string]*line
}

type line struct {
	key   string
	turn  chan struct{} // holds a token while somebody has the turn
	users int
}

const lineWait = 100 * time.Millisecond

// busy answers a key that has a line, or "".
func (l *lines) busy(guards []Guard) string {
	if l.n.Load() == 0 {
		return ""
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, g := range guards {
		if l.by[g.Key] != nil {
			return g.Key
		}
	}
	return ""
}

// join waits for a turn and answers what ends it.
func (l *lines) join(ctx context.Context, key string) (leave func()) {
	l.mu.Lock()
	if l.by == nil {
		l.by = map[string]*line{}
	}
	q := l.by[key]
	if q == nil {
		q = &line{key: key, turn: make(chan struct{}, 1)}
		l.by[key] = q
		l.n.Add(1)
	}
	q.users++
	l.mu.Unlock()
	t := time.NewTimer(lineWait)
	defer t.Stop()
	select {
	case q.turn <- struct{}{}:
		return func() { <-q.turn; l.done(q) }
	case <-t.C:
	case <-ctx.Done():
	}
	return func() { l.done(q) }
}

func (l *lines) done(q *line) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if q.users--; q.users == 0 {
		delete(l.by, q.key)
		l.n.Add(-1)
	}
}
