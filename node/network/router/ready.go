package router

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// errClosed is what waits for an interface when its routers are closed.
var errClosed = errors.New("router: closed")

// ready is which interfaces are, and who waits for one. The zero value is ready.
type ready struct {
	mu     sync.Mutex
	known  map[string]Endpoint
	failed map[string]error
	wait   map[string]chan struct{} // closed when the interface is ready
	closed bool
}

func (r *ready) set(e Endpoint) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.known == nil {
		r.known = map[string]Endpoint{}
	}
	r.known[e.ID] = e
	delete(r.failed, e.ID)
	if c := r.wait[e.ID]; c != nil {
		close(c)
		delete(r.wait, e.ID)
	}
}

func (r *ready) unset(id string, why error) {
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

func (r *ready) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	for id, c := range r.wait {
		close(c)
		delete(r.wait, id)
	}
}

// look returns the endpoint, or what is closed when that may have changed.
func (r *ready) look(id string) (Endpoint, <-chan struct{}, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e, ok := r.known[id]; ok {
		return e, nil, nil
	}
	if r.closed {
		return Endpoint{}, nil, errClosed
	}
	c := r.wait[id]
	if c == nil {
		if r.wait == nil {
			r.wait = map[string]chan struct{}{}
		}
		c = make(chan struct{})
		r.wait[id] = c
	}
	return Endpoint{}, c, nil
}

func (r *ready) why(id string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failed[id]
}

// Netns is the path of the namespace of an interface, whether it is there or not.
func (r *Routers) Netns(id string) string { return r.cfg.eniMount(id) }

// Wait returns once the interface is ready, or, with why it is not, when the context ends.
func (r *Routers) Wait(ctx context.Context, id string) (Endpoint, error) {
	for {
		e, changed, err := r.ready.look(id)
		switch {
		case err != nil:
			return Endpoint{}, err
		case changed == nil:
			e.Addresses, e.Addresses6, e.Public = slices.Clone(e.Addresses), slices.Clone(e.Addresses6), slices.Clone(e.Public)
			return e, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return Endpoint{}, fmt.Errorf("router: interface %s is not ready: %w", id, errors.Join(context.Cause(ctx), r.ready.why(id)))
		}
	}
}
