package probe

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/berth-ecs/berth/proxyconf"
)

// Target is what is looked at, and how.
type Target struct {
	Key
	Space string // eni-..., or "" for the machine's own network
	Check proxyconf.Check
}

// Prober looks at targets again and again.
type Prober struct {
	check   func(context.Context, Target) Outcome
	changed func(Key, Health)
	ctx     context.Context
	wg      sync.WaitGroup

	mu      sync.Mutex
	targets map[Key]*watched
}

type watched struct {
	target Target
	state  state
	stop   context.CancelFunc
}

// New makes a Prober that looks until ctx ends. changed hears of each change of a target's health, also of its reason.
func New(ctx context.Context, check func(context.Context, Target) Outcome, changed func(Key, Health)) *Prober {
	return &Prober{ctx: ctx, check: check, changed: changed, targets: map[Key]*watched{}}
}

// Wait returns when ctx has ended and no check is under way.
func (p *Prober) Wait() { p.wg.Wait() }

// Set makes want what is looked at. Those that are new begin as known says, or as initial.
func (p *Prober) Set(want map[Key]Target, known map[Key]Health) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for k, w := range p.targets {
		if t, wanted := want[k]; !wanted || t != w.target {
			w.stop()
			if !wanted {
				delete(p.targets, k)
			}
		}
	}
	for k, t := range want {
		old, had := p.targets[k]
		if had && old.target == t {
			continue
		}
		s := newState()
		if h, ok := known[k]; ok {
			s.Health = h
		}
		if had {
			s.Health = old.state.Health
		}
		p.begin(t, s, !had)
	}
}

func (p *Prober) begin(t Target, s state, isNew bool) {
	ctx, cancel := context.WithCancel(p.ctx)
	w := &watched{target: t, state: s, stop: cancel}
	p.targets[t.Key] = w
	p.wg.Go(func() { p.watch(ctx, w, isNew) })
}

// newJitter: a target that is new is looked at soon, so that it gets requests soon.
const newJitter = time.Second

// watch looks at one target. The first look comes at a random moment, so that many targets are spread over their interval.
func (p *Prober) watch(ctx context.Context, w *watched, isNew bool) {
	interval := max(w.target.Check.Interval, time.Second)
	first := interval
	if isNew && w.state.State == Initial {
		first = min(newJitter, interval)
	}
	next := time.NewTimer(rand.N(first)) //nolint:gosec // spreads load
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-next.C:
		}
		next.Reset(interval)
		once, cancel := context.WithTimeout(ctx, w.target.Check.Timeout)
		o := p.check(once, w.target)
		cancel()
		if ctx.Err() != nil {
			return
		}
		p.learn(w, o)
	}
}

func (p *Prober) learn(w *watched, o Outcome) {
	p.mu.Lock()
	before := w.state.Health
	w.state = w.state.next(o, w.target.Check)
	after, current := w.state.Health, p.targets[w.target.Key] == w
	p.mu.Unlock()
	if current && before != after {
		p.changed(w.target.Key, after)
	}
}

// Health is how every target is.
func (p *Prober) Health() map[Key]Health {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make(map[Key]Health, len(p.targets))
	for k, w := range p.targets {
		out[k] = w.state.Health
	}
	return out
}

// Of is how a target is; false: it is not looked at.
func (p *Prober) Of(k Key) (Health, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w, ok := p.targets[k]
	if !ok {
		return Health{}, false
	}
	return w.state.Health, true
}
