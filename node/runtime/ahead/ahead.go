// Package ahead keeps a few things ready that take long to make, each of some kind, for who wants one of that kind next.
//
// Guarantees:
//
//   - There are never more than Config.Most, those that are being made among them.
//   - What is taken is nobody else's: a thing is given away once.
//   - Only what was asked for lately is kept. Nothing is made before somebody asked.
//   - Making waits until it has been calm for a while: who asks now comes first.
package ahead

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/berth-ecs/berth/node/runtime/again"
)

// Config says what is made, and how.
type Config[K comparable] struct {
	Most int           // required
	Calm time.Duration // required: how long nobody must have nudged
	Name func() string // required: of the next one

	// Make makes the thing of that name. What a failure leaves is dropped.
	Make func(ctx context.Context, name string, kind K) error // required
	// Drop removes it, whatever there is of it.
	Drop func(ctx context.Context, name string) error // required
	Log  *slog.Logger                                 // required
}

// patience is how often something else may be asked for before what is ready goes.
const patience = 2

// Pool is a number of things that are ready. Its methods may be called at once.
type Pool[K comparable] struct {
	c     Config[K]
	nudge chan struct{}
	loop  sync.WaitGroup

	mu     sync.Mutex
	ready  []item[K]
	making string
	wanted *K // the kind that was asked for last
	spoilt []string
	missed int // how often in a row none was ready because others were
	closed bool
}

type item[K comparable] struct {
	name string
	kind K
}

// Open begins to keep things ready, until life ends.
func Open[K comparable](life context.Context, c Config[K]) *Pool[K] {
	p := &Pool[K]{c: c, nudge: make(chan struct{}, 1)}
	p.loop.Go(func() {
		for {
			select {
			case <-life.Done():
				return
			case <-p.nudge:
			}
			if !p.calm(life) {
				return
			}
			p.fill(life)
		}
	})
	return p
}

// calm waits until nobody has nudged for a while.
func (p *Pool[K]) calm(life context.Context) bool {
	for again.Pause(life, p.c.Calm) {
		select {
		case <-p.nudge:
		default:
			return true
		}
	}
	return false
}

// Take answers one of the kind, which is the caller's then; false when none is ready.
func (p *Pool[K]) Take(kind K) (name string, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wanted = &kind
	for i, it := range p.ready {
		if it.kind == kind && !p.closed {
			p.ready = append(p.ready[:i:i], p.ready[i+1:]...)
			p.missed = 0
			return it.name, true
		}
	}
	if len(p.ready) > 0 {
		p.missed++
	}
	return "", false
}

// Spoilt gives back one that was taken and is of no use: it is dropped.
func (p *Pool[K]) Spoilt(name string) {
	p.mu.Lock()
	p.spoilt = append(p.spoilt, name)
	p.mu.Unlock()
	p.Nudge()
}

// Nudge says that now is a time to make what is missing.
func (p *Pool[K]) Nudge() {
	select {
	case p.nudge <- struct{}{}:
	default:
	}
}

// Keeps says whether the thing of that name is the pool's.
func (p *Pool[K]) Keeps(name string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, it := range p.ready {
		if it.name == name {
			return true
		}
	}
	return name == p.making || slices.Contains(p.spoilt, name)
}

// Ready are the names of those that can be taken.
func (p *Pool[K]) Ready() (names []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, it := range p.ready {
		names = append(names, it.name)
	}
	return names
}

// fill does what is missing, one after the other.
func (p *Pool[K]) fill(ctx context.Context) {
	for ctx.Err() == nil {
		drop, name, kind := p.next()
		switch {
		case drop != "":
			p.drop(ctx, drop)
		case name == "":
			return
		default:
			if !p.make(ctx, name, kind) {
				return
			}
		}
	}
}

// next is what to drop, or to make.
func (p *Pool[K]) next() (drop, name string, kind K) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.wanted == nil {
		return "", "", kind
	}
	if n := len(p.spoilt); n > 0 {
		drop, p.spoilt = p.spoilt[n-1], p.spoilt[:n-1]
		return drop, "", kind
	}
	for i, it := range p.ready {
		if it.kind != *p.wanted && p.missed >= patience {
			p.ready = append(p.ready[:i:i], p.ready[i+1:]...)
			return it.name, "", kind
		}
	}
	if len(p.ready) >= p.c.Most {
		return "", "", kind
	}
	p.making, p.missed = p.c.Name(), 0
	return "", p.making, *p.wanted
}

func (p *Pool[K]) make(ctx context.Context, name string, kind K) bool {
	// It is not cut off: who makes it would go on without us.
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), makeTime)
	defer cancel()
	err := p.c.Make(within, name, kind)
	p.mu.Lock()
	p.making = ""
	keep := err == nil && !p.closed && ctx.Err() == nil
	if keep {
		p.ready = append(p.ready, item[K]{name, kind})
	}
	p.mu.Unlock()
	if err != nil {
		p.c.Log.Warn("nothing is made ahead", "name", name, "error", err)
	}
	if !keep {
		p.drop(context.WithoutCancel(ctx), name)
	}
	return keep
}

// makeTime bounds a making.
const makeTime = time.Minute

// dropTime bounds a removal, which may come after the end.
const dropTime = time.Minute

func (p *Pool[K]) drop(ctx context.Context, name string) {
	ctx, cancel := context.WithTimeout(ctx, dropTime)
	defer cancel()
	if err := p.c.Drop(ctx, name); err != nil {
		p.c.Log.Warn("what was made ahead is left", "name", name, "error", err)
	}
}

// Close drops everything. The life that Open was given must have ended, or nothing is made any more when this returns.
func (p *Pool[K]) Close(ctx context.Context) {
	p.mu.Lock()
	rest := p.spoilt
	for _, it := range p.ready {
		rest = append(rest, it.name)
	}
	p.ready, p.spoilt, p.closed = nil, nil, true
	p.mu.Unlock()
	for _, name := range rest {
		p.drop(ctx, name)
	}
}

// Wait returns when nothing goes on any more, after the end of life.
func (p *Pool[K]) Wait() { p.loop.Wait() }
