package store

import (
	"context"
	"sync"
)

// maxPending is how many changes a slow subscriber may be behind before they are replaced by a Resync.
const maxPending = 4096

// subscription collects changes until its reader takes them; what piled up meanwhile is one batch.
type subscription struct {
	e      *Engine
	tables map[string]bool
	ready  chan struct{} // holds one token when there is something to take
	closed chan struct{}
	once   sync.Once
	unhook func() bool // of the subscriber's ctx

	mu      sync.Mutex
	snap    *snapshot // of the last commit in pending
	resync  bool
	pending []Change
}

// Watch implements Store. ctx ends the subscription like Close.
func (e *Engine) Watch(ctx context.Context, tables ...string) Subscription {
	s := &subscription{e: e, tables: map[string]bool{}, ready: make(chan struct{}, 1), closed: make(chan struct{})}
	for _, name := range tables {
		if _, ok := e.layout.byName[name]; !ok {
			panic("store: watch: table " + name + " is not in the schema of this store")
		}
		s.tables[name] = true
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	s.offer(e.snap.Load(), nil, true)
	e.subs[s] = true
	s.unhook = context.AfterFunc(ctx, s.Close)
	return s
}

// offer adds a commit. It never blocks: the feed does not wait for readers.
func (s *subscription) offer(snap *snapshot, changes []Change, resync bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if resync {
		s.resync, s.pending = true, nil
	} else if !s.keep(changes) {
		return
	}
	s.snap = snap
	select {
	case s.ready <- struct{}{}:
	default:
	}
}

// keep adds the changes of watched tables and tells whether there is news.
func (s *subscription) keep(changes []Change) bool {
	n := len(s.pending)
	for _, c := range changes {
		if s.tables[c.Table] {
			n++
		}
	}
	switch {
	case n == len(s.pending):
		return false
	case s.resync: // the snapshot that is due will hold them
		return true
	case n > maxPending:
		s.resync, s.pending = true, nil
		return true
	}
	for _, c := range changes {
		if s.tables[c.Table] {
			s.pending = append(s.pending, c)
		}
	}
	return true
}

// Next implements Subscription.
func (s *subscription) Next(ctx context.Context) (Batch, error) {
	select {
	case <-s.closed:
		return Batch{}, ErrClosed
	case <-s.e.ctx.Done():
		return Batch{}, context.Cause(s.e.ctx)
	case <-ctx.Done():
		return Batch{}, context.Cause(ctx)
	case <-s.ready:
		return s.take(), nil
	}
}

func (s *subscription) take() Batch {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := Batch{Revision: s.snap.revision, Resync: s.resync, Changes: s.pending}
	b.Snapshot = &tx{snap: s.snap, origin: s.e.origin()}
	s.resync, s.pending = false, nil
	return b
}

// Close implements Subscription.
func (s *subscription) Close() {
	s.once.Do(func() {
		close(s.closed)
		s.e.mu.Lock()
		defer s.e.mu.Unlock()
		s.unhook()
		delete(s.e.subs, s)
	})
}
