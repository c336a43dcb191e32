package store

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// Options are the inputs an Engine takes from outside; all optional.
type Options struct {
	Now   func() time.Time // time.Now
	NewID func() string    // 128 random bits
	// Ahead decodes writes while they are committed; worth it when a commit takes longer than starting a goroutine.
	Ahead bool
}

// Engine is a Store over a Backend: it owns the snapshot, the transactions and the subscriptions.
type Engine struct {
	layout  *layout
	opts    Options
	backend Backend
	barrier barrier
	ahead   ahead
	lines   lines
	ctx     context.Context // ends at Close or when the feed failed; its cause is the reason
	cancel  context.CancelCauseFunc

	closing  sync.Once
	closeErr error

	snap atomic.Pointer[snapshot]
	mu   sync.Mutex // orders publication: snapshot, waiters, subscriptions
	wait waiters
	subs map[*subscription]bool
}

var _ Store = (*Engine)(nil)

// Open makes the engine of an implementation: connect is called once, with the Sink to feed, and answers the Backend
// after it has delivered the first Reset.
func Open(s Schema, o Options, connect func(Sink) (Backend, error)) (*Engine, error) {
	l, err := newLayout(s)
	if err != nil {
		return nil, err
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.NewID == nil {
		o.NewID = randomID
	}
	e := &Engine{layout: l, opts: o, subs: map[*subscription]bool{}}
	e.ctx, e.cancel = context.WithCancelCause(context.Background())
	e.snap.Store(emptySnapshot(l))
	if e.backend, err = connect(feed{e}); err != nil {
		e.cancel(err)
		return nil, err
	}
	return e, nil
}

func randomID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	return hex.EncodeToString(b[:])
}

func (e *Engine) origin() *origin {
	return &origin{now: e.opts.Now().UTC().Truncate(time.Millisecond), newID: e.opts.NewID}
}

// ended answers why the store takes no more calls, or nil.
func (e *Engine) ended() error {
	if e.ctx.Err() != nil {
		return context.Cause(e.ctx)
	}
	return nil
}

// View implements Store.
func (e *Engine) View(ctx context.Context, f Freshness, fn func(Tx) error) error {
	if err := e.ended(); err != nil {
		return err
	}
	if f == Fresh {
		if err := e.freshen(ctx); err != nil {
			return fmt.Errorf("store: fresh view: %w", err)
		}
	}
	return fn(&tx{snap: e.snap.Load(), origin: e.origin()})
}

// freshen returns when the snapshot holds everything acknowledged before the call.
func (e *Engine) freshen(ctx context.Context) error {
	rev, err := e.barrier.revision(ctx, e.ctx, e.backend.Revision)
	if err != nil {
		return err
	}
	return e.reach(ctx, rev)
}

// yields is how often reach lets others run before it blocks. The feed has mostly been given the change already and
// waits for a processor: yielding is cheaper than being woken.
const yields = 8

// reach waits until the snapshot is at revision or later.
func (e *Engine) reach(ctx context.Context, revision int64) error {
	for range yields {
		if e.snap.Load().revision >= revision {
			return nil
		}
		runtime.Gosched()
	}
	e.mu.Lock()
	if e.snap.Load().revision >= revision {
		e.mu.Unlock()
		return nil
	}
	done := e.wait.add(revision)
	e.mu.Unlock()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-e.ctx.Done():
		return context.Cause(e.ctx)
	}
}

// Lead implements Store. A store that ends ends leading, too.
func (e *Engine) Lead(ctx context.Context, run func(ctx context.Context, s Store) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stop := context.AfterFunc(e.ctx, func() { cancel(context.Cause(e.ctx)) })
	defer stop()
	for {
		err := e.backend.Lead(ctx, func(ctx context.Context, leader Guard) error {
			return run(ctx, &led{Engine: e, ctx: ctx, leader: leader})
		})
		switch {
		case e.ctx.Err() != nil:
			return context.Cause(e.ctx)
		case ctx.Err() != nil, !errors.Is(err, ErrNotLeader):
			return err
		}
		// A guard that fails may tell of the next leader before the backend does: compete again.
	}
}

// Close implements Store. Closing again answers the same.
func (e *Engine) Close() error {
	e.closing.Do(func() {
		e.cancel(ErrClosed)
		e.closeErr = e.backend.Close()
	})
	return e.closeErr
}

// led is the store of a leader.
type led struct {
	*Engine
	ctx    context.Context
	leader Guard
}

// Update carries the leadership guard.
func (l *led) Update(ctx context.Context, fn func(Tx) error) error {
	if l.ctx.Err() != nil {
		return ErrNotLeader
	}
	return l.update(ctx, &l.leader, fn)
}

// Close does nothing: the store belongs to whoever opened it.
func (l *led) Close() error { return nil }
