package store

import (
	"container/heap"
	"context"
	"sync"
)

// barrier coalesces linearizable reads: callers that arrive while one is under way share the next.
type barrier struct {
	mu      sync.Mutex
	running bool
	next    *flight
}

type flight struct {
	done     chan struct{}
	revision int64
	err      error
}

// revision answers a revision that was read after the call began. base outlives the caller: other callers wait too.
func (b *barrier) revision(ctx, base context.Context, read func(context.Context) (int64, error)) (int64, error) {
	b.mu.Lock()
	if b.next == nil {
		b.next = &flight{done: make(chan struct{})}
	}
	f := b.next
	if !b.running {
		b.running = true
		go b.fly(base, read)
	}
	b.mu.Unlock()
	select {
	case <-f.done:
		return f.revision, f.err
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	case <-base.Done():
		return 0, context.Cause(base)
	}
}

func (b *barrier) fly(base context.Context, read func(context.Context) (int64, error)) {
	for {
		b.mu.Lock()
		f := b.next
		b.next = nil
		if f == nil {
			b.running = false
			b.mu.Unlock()
			return
		}
		b.mu.Unlock()
		f.revision, f.err = read(base)
		close(f.done)
	}
}

// waiters are blocked until the snapshot reaches a revision; lowest first.
type waiters []waiter

type waiter struct {
	revision int64
	done     chan struct{}
}

func (w waiters) Len() int           { return len(w) }
func (w waiters) Less(i, j int) bool { return w[i].revision < w[j].revision }
func (w waiters) Swap(i, j int)      { w[i], w[j] = w[j], w[i] }
func (w *waiters) Push(x any)        { *w = append(*w, x.(waiter)) }

func (w *waiters) Pop() any {
	last := len(*w) - 1
	x := (*w)[last]
	*w = (*w)[:last]
	return x
}

func (w *waiters) add(revision int64) <-chan struct{} {
	done := make(chan struct{})
	heap.Push(w, waiter{revision, done})
	return done
}

func (w *waiters) release(revision int64) {
	for len(*w) > 0 && (*w)[0].revision <= revision {
		close(heap.Pop(w).(waiter).done)
	}
}
