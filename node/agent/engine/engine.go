package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/berth-ecs/berth/internal/clock"
	"github.com/berth-ecs/berth/node/agent/files"
	"github.com/berth-ecs/berth/node/agent/plan"
	"github.com/berth-ecs/berth/node/agent/volume"
	"github.com/berth-ecs/berth/node/network"
	"github.com/berth-ecs/berth/node/runtime"
	"github.com/berth-ecs/berth/node/runtime/keyed"
)

// Config is what an Engine works with.
type Config struct {
	Node    plan.Node // required
	Runtime Runtime   // required
	Network Network   // required
	// Interfaces are tasks' own. Optional: without, there are no tasks in awsvpc.
	Interfaces Interfaces
	Logs       Logs              // required
	Store      Store             // required
	Pull       runtime.Behaviour // optional; runtime.PullDefault
	// Registries signs in where a payload says so. Optional: such images are pulled without.
	Registries Registries
	Retention  time.Duration // optional; how long a stopped task and its output are kept; default 3 h
	Boot       string        // required; differs after the machine started anew
	// Transient says that an error is no answer: the runtime was not there. Optional.
	Transient func(error) bool
	Log       *slog.Logger // required
}

const defaultRetention = 3 * time.Hour

// Engine holds the tasks of a node. Its methods may be called at once.
type Engine struct {
	cfg Config
	log *slog.Logger

	mu      sync.Mutex       // guards everything below
	tasks   map[string]*Task // by ARN
	byID    map[string]*Task // those that have a plan
	unsaved map[string]bool
	waiters []waiter
	readers []chan struct{}
	ctx     context.Context // of Run; nil before it
	spawn   spawner         // does work that belongs to Run, whoever caused it

	dirty   chan struct{} // unsaved has news
	effects sync.WaitGroup
	volumes keyed.Mutex // held, by path, while a shared one is made or taken away; mu is taken within
}

// spawner does work in the background until it is done, cancelled, or out of patience.
type spawner func(patience time.Duration, work func(context.Context)) (cancel func())

// waiter is a call that returns when a revision is on disk.
type waiter struct {
	t    *Task
	rev  int64
	done chan struct{}
}

// Open rebuilds the engine from the records and from what really is on the node, and sweeps what belongs to no task.
func Open(ctx context.Context, c Config) (*Engine, error) {
	if c.Retention == 0 {
		c.Retention = defaultRetention
	}
	if c.Pull == "" {
		c.Pull = runtime.PullDefault
	}
	if c.Transient == nil {
		c.Transient = func(error) bool { return false }
	}
	c.Node.Interfaces = c.Interfaces != nil
	e := &Engine{
		cfg: c, log: c.Log.With("component", "engine"),
		tasks: map[string]*Task{}, byID: map[string]*Task{}, unsaved: map[string]bool{}, dirty: make(chan struct{}, 1),
	}
	if err := files.MakeDirs(c.Node.DataDir); err != nil {
		return nil, fmt.Errorf("engine: %w", err)
	}
	if err := e.load(); err != nil {
		return nil, err
	}
	if err := e.rebuild(ctx); err != nil {
		return nil, err
	}
	return e, e.sweep(ctx)
}

func (e *Engine) load() error {
	records, err := e.cfg.Store.Load()
	if err != nil {
		return fmt.Errorf("engine: load: %w", err)
	}
	for _, b := range records {
		t, err := decode(b, e.cfg.Node, e.cfg.Boot)
		if err != nil {
			return err
		}
		t.notAfter(clock.Now())
		e.know(t)
	}
	return nil
}

// rebuild compares the records with what is there.
func (e *Engine) rebuild(ctx context.Context) error {
	states, err := e.cfg.Runtime.List(ctx)
	if err != nil {
		return fmt.Errorf("engine: list containers: %w", err)
	}
	endpoints, err := e.cfg.Network.Endpoints(ctx)
	if err != nil {
		return fmt.Errorf("engine: list endpoints: %w", err)
	}
	state, endpoint := map[string]*runtime.State{}, map[string]network.Endpoint{}
	for i := range states {
		state[states[i].ID] = &states[i]
	}
	for _, ep := range endpoints {
		endpoint[ep.ID] = ep
	}
	now := clock.Now()
	for _, arn := range slices.Sorted(maps.Keys(e.tasks)) {
		t := e.tasks[arn]
		for i := range t.Containers {
			id := t.Plan.Containers[i].ID
			ep := endpoint[id]
			if t.Plan.Interface != nil {
				ep = e.interfaceOf(t)
			}
			t.adopt(i, state[id], ep, now)
		}
		e.changed(t)
		for i := range t.Containers {
			t.Containers[i].need = t.rev
		}
	}
	return nil
}

// sweep removes what an earlier process left half made, and what belongs to no task.
func (e *Engine) sweep(ctx context.Context) error {
	tasks, endpoints, used := map[string]bool{}, map[string]bool{}, e.usedVolumes(nil)
	for _, t := range e.tasks {
		tasks[t.ID] = !t.Released && t.Plan != nil
		for i := range t.Containers {
			endpoints[t.Plan.Containers[i].ID] = t.Containers[i].Phase < Stopped
		}
	}
	return errors.Join(
		e.cfg.Runtime.Sweep(ctx, func(id string) bool { return tasks[id] }),
		e.cfg.Network.Sweep(ctx, func(id string) bool { return endpoints[id] }),
		volume.Sweep(e.cfg.Node.DataDir, func(id string) bool { return tasks[id] }, func(path string) bool { return used[path] }),
		files.Sweep(e.cfg.Node.DataDir, tasks),
	)
}

// Run brings tasks to what is wanted of them until ctx ends. Ending it touches no container.
func (e *Engine) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	events := e.cfg.Runtime.Events(ctx)
	e.mu.Lock()
	e.ctx = ctx
	e.spawn = func(patience time.Duration, work func(context.Context)) (cancel func()) {
		ctx, cancel := context.WithTimeout(ctx, patience)
		e.effects.Go(func() {
			defer cancel()
			work(ctx)
		})
		return cancel
	}
	e.mu.Unlock()
	saver := make(chan struct{})
	go func() { defer close(saver); e.saveAll(ctx) }()
	e.update(func() {
		for _, t := range e.tasks {
			e.advance(t)
		}
	})
	e.follow(ctx, events)
	e.update(func() {}) // no work begins after this
	e.effects.Wait()
	<-saver
	return ctx.Err()
}

// follow applies exits until ctx ends.
func (e *Engine) follow(ctx context.Context, events <-chan runtime.Event) {
	for {
		select {
		case <-ctx.Done():
			return
		case ev, ok := <-events:
			switch {
			case !ok:
				events = nil
			case ev.Gap:
				e.resync(ctx)
			default:
				e.exit(ctx, ev)
			}
		}
	}
}

// update runs f with the state held.
func (e *Engine) update(f func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	f()
}

// changed marks a task for the disk and tells the readers.
func (e *Engine) changed(t *Task) {
	t.rev++
	e.unsaved[t.ARN] = true
	signal(e.dirty)
	for _, r := range e.readers {
		signal(r)
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// exit applies the end of a container. One whose start is still under way waits for that.
func (e *Engine) exit(ctx context.Context, ev runtime.Event) {
	e.update(func() {
		t, i := e.find(ev.ID)
		if t == nil {
			return
		}
		switch c := &t.Containers[i]; {
		case c.heard(ev):
			if !ev.At.Equal(c.LastExit.At) { // or the clock was set back: what is there tells
				e.effects.Go(func() { e.resync(ctx) })
			}
		case c.Phase == Running && !c.Down:
			t.ended(i, ev)
			e.over(t, i)
		case c.Busy == Start || c.Busy == Restart:
			c.exit = &ev
		}
	})
}

// missed applies the end of a container that ran its given life when nobody told of it. Times do not matter here: what was
// not there after that life began is not of one before.
func (e *Engine) missed(ev runtime.Event, life int) {
	e.update(func() {
		t, i := e.find(ev.ID)
		if t == nil {
			return
		}
		switch c := &t.Containers[i]; {
		case c.Restarts != life:
		case c.Phase == Running && !c.Down:
			t.ended(i, ev)
			e.over(t, i)
		case c.Busy == Restart:
			c.look = true // it is away while it is made anew
		}
	})
}

// over writes down that container i ended, for good or until it is started again.
func (e *Engine) over(t *Task, i int) {
	e.changed(t)
	t.Containers[i].need = t.rev
	e.advance(t)
}

// find answers the task and place of a container; its id is the task's, a dash and the place.
func (e *Engine) find(id string) (*Task, int) {
	task, place, ok := strings.Cut(id, "-")
	t := e.byID[task]
	i, err := strconv.Atoi(place)
	if !ok || t == nil || err != nil || i < 0 || i >= len(t.Containers) {
		return nil, 0
	}
	return t, i
}

// know adds a task.
func (e *Engine) know(t *Task) {
	e.tasks[t.ARN] = t
	if t.Plan != nil {
		e.byID[t.ID] = t
	}
}
