package runtime

import (
	"context"
	"sync"
)

// sharedPulls lets those who want the same thing at once wait for one pull.
type sharedPulls struct {
	mu sync.Mutex
	m  map[string]*sharedPull
}

type sharedPull struct {
	cancel  context.CancelFunc
	waiters int
	done    chan struct{}
	img     Image
	err     error
}

func (s *sharedPulls) do(ctx context.Context, key string, f func(context.Context) (Image, error)) (Image, error) {
	s.mu.Lock()
	p := s.m[key]
	if p == nil {
		p = s.begin(ctx, key, f)
	}
	p.waiters++
	s.mu.Unlock()
	select {
	case <-p.done:
		return p.img, p.err
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.waiters--; p.waiters == 0 {
		p.cancel()
		s.drop(key, p) // who comes now begins anew
	}
	return Image{}, ctx.Err()
}

func (s *sharedPulls) begin(ctx context.Context, key string, f func(context.Context) (Image, error)) *sharedPull {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	p := &sharedPull{cancel: cancel, done: make(chan struct{})}
	if s.m == nil {
		s.m = map[string]*sharedPull{}
	}
	s.m[key] = p
	go func() {
		defer cancel()
		p.img, p.err = f(ctx)
		s.mu.Lock()
		s.drop(key, p)
		s.mu.Unlock()
		close(p.done)
	}()
	return p
}

func (s *sharedPulls) drop(key string, p *sharedPull) {
	if s.m[key] == p {
		delete(s.m, key)
	}
}
