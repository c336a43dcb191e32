// Package ready is which things of a kind are, and who waits for one. It knows nothing of what they are.
//
// Guarantees:
//
//   - Who waits for one that is, or comes to be, gets it; who waits when the board is closed, or his time is over, gets an error.
package ready

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// errClosed is what waits for an interface when its routers are closed.
var errClosed = errors.New("router: closed")

// Board is of things by id. The zero value is ready. Its methods may be called at once.
type Board[E any] struct {
	mu     sync.Mutex
	known  map[string]E
	failed map[string]error
	wait   map[string]chan struct{} // closed when the interface is ready
	closed bool
}

// Set says that one is, and what it is.
func (r *Board[E]) Set(id string, e E) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.known == nil {
		r.known = map[string]E{}
	}
	r.known[id] = e
	delete(r.failed, id)
	if c := r.wait[id]; c != nil {
		close(c)
		delete(r.wait, id)
	}
}

// Unset says that one is not, and why if that is a failure.
func (r *Board[E]) Unset(id string, why error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.known, id)
	delete(r.failed, id)
	if why != nil {
		if r.failed == nil {
			r.failed = map[string]error{}
		}
		r.failed[id] = why
	}
}

// Close ends what waits.
func (r *Board[E]) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	for id, c := range r.wait {
		close(c)
		delete(r.wait, id)
	}
}

// look returns it, or what is closed when that may have changed.
func (r *Board[E]) look(id string) (E, <-chan struct{}, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e, ok := r.known[id]
	if ok {
		return e, nil, nil
	}
	if r.closed {
		return e, nil, errClosed
	}
	c := r.wait[id]
	if c == nil {
		if r.wait == nil {
			r.wait = map[string]chan struct{}{}
		}
		c = make(chan struct{})
		r.wait[id] = c
	}
	return e, c, nil
}

// Why is why one is not, nil for no failure.
func (r *Board[E]) Why(id string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failed[id]
}

// Wait returns once one is, or, with why it is not, when the context ends.
func (r *Board[E]) Wait(ctx context.Context, id string) (E, error) {
	for {
		e, changed, err := r.look(id)
		if err != nil || changed == nil {
			return e, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return e, fmt.Errorf("router: interface %s is not ready: %w", id, errors.Join(context.Cause(ctx), r.Why(id)))
		}
	}
}
