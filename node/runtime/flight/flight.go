// Package flight lets those who want the same thing at once wait for one call.
//
// Guarantees: while a call for a key is under way no second one begins; whoever waits may leave, by the end of their context, without
// disturbing the others; when the last one left, the call is cancelled, and who comes then begins anew.
package flight

import (
	"context"
	"sync"
)

// Calls are the calls under way, by key. The zero value is ready to use.
type Calls[T any] struct {
	mu sync.Mutex
	m  map[string]*call[T]
}

type call[T any] struct {
	cancel  context.CancelFunc
	waiters int
	done    chan struct{}
	value   T
	err     error
}

// Do answers what f answers, or what the call for the key that is under way does.
func (s *Calls[T]) Do(ctx context.Context, key string, f func(context.Context) (T, error)) (T, error) {
	s.mu.Lock()
	c := s.m[key]
	if c == nil {
		c = s.begin(ctx, key, f)
	}
	c.waiters++
	s.mu.Unlock()
	select {
	case <-c.done:
		return c.value, c.err
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.waiters--; c.waiters == 0 {
		c.cancel()
		s.drop(key, c)
	}
	var none T
	return none, ctx.Err()
}

func (s *Calls[T]) begin(ctx context.Context, key string, f func(context.Context) (T, error)) *call[T] {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	c := &call[T]{cancel: cancel, done: make(chan struct{})}
	if s.m == nil {
		s.m = map[string]*call[T]{}
	}
	s.m[key] = c
	go func() {
		defer cancel()
		c.value, c.err = f(ctx)
		s.mu.Lock()
		s.drop(key, c)
		s.mu.Unlock()
		close(c.done)
	}()
	return c
}

func (s *Calls[T]) drop(key string, c *call[T]) {
	if s.m[key] == c {
		delete(s.m, key)
	}
}
