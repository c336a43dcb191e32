package engine

import (
	"context"
	"errors"
	"time"

	"github.com/berth-ecs/berth/internal/clock"
)

// advance takes every step of t that can be taken now, and sets its timer for the next one.
func (e *Engine) advance(t *Task) {
	if e.ctx == nil || e.ctx.Err() != nil {
		return
	}
	now := clock.Now()
	var next time.Time
	for again := true; again; {
		again, next = false, time.Time{}
		for i := range t.Containers {
			a := Next(t, i, now)
			next = sooner(next, a.At)
			again = e.do(t, i, a, now) || again
		}
	}
	for i := range t.Containers {
		next = sooner(next, e.probe(t, i, now))
	}
	next = sooner(next, e.finish(t, now))
	e.wake(t, next, now)
}

// sooner is the earlier of two times, of which zero is never.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// wake advances t again at the time.
func (e *Engine) wake(t *Task, at, now time.Time) {
	if t.timer != nil {
		t.timer.Stop()
		t.timer = nil
	}
	if !at.IsZero() {
		t.timer = time.AfterFunc(max(0, at.Sub(now)), func() { e.update(func() { e.advance(t) }) })
	}
}

// do carries out an action. It answers true when the state changed at once.
func (e *Engine) do(t *Task, i int, a Action, now time.Time) bool {
	c := &t.Containers[i]
	switch a.Kind { //nolint:exhaustive // the others take time: begin
	case Wait:
		return false
	case Fail:
		t.failed(i, a.Reason, now)
		e.changed(t)
		c.need = t.rev
		e.cancel(t)
		return true
	}
	c.Busy = a.Kind
	e.begin(t, i, a.Kind, now)
	return false
}

// cancel ends the work on containers that should not run any more.
func (e *Engine) cancel(t *Task) {
	if !t.Stop {
		return
	}
	for i := range t.Containers {
		if c := &t.Containers[i]; c.Busy == Provision && c.cancel != nil {
			c.cancel()
		}
	}
	if t.attaching != nil {
		t.attaching.cancel()
	}
}

// begin starts the work of an action; its outcome is applied when it is done.
func (e *Engine) begin(t *Task, i int, k Kind, now time.Time) {
	c := &t.Containers[i]
	var work func(context.Context) outcome
	switch k { //nolint:exhaustive // the others take no time: do
	case Provision:
		if t.PullStarted.IsZero() {
			t.PullStarted = now
		}
		work = e.provision(t, i)
	case Create:
		c.Launched = true
		e.changed(t)
		c.need = t.rev
		work = e.create(t, i)
	case Start:
		work = e.start(t, i)
	case Signal:
		c.signalled = now
		work = e.kill(t, i, c.StopSignal)
	case Kill:
		work = e.kill(t, i, "SIGKILL")
		c.killed = now
	case Collect:
		work = e.collect(t, i)
	case Restart:
		work = e.restart(t, i)
	}
	patience := timeouts[k]
	if k == Create && t.Plan.Interface != nil {
		patience += attachPatience // which ends the task in its own words
	}
	c.cancel = e.spawn(patience, func(ctx context.Context) {
		out := work(ctx)
		if out.err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
			out.err = errPatience{out.err}
		}
		e.update(func() { e.apply(t, i, k, out) })
	})
}

// The ECS agent's patience with each step.
var timeouts = map[Kind]time.Duration{
	Provision: 2 * time.Hour, Create: 4 * time.Minute, Start: 3 * time.Minute,
	Signal: time.Minute, Kill: time.Minute, Collect: time.Minute,
	Restart: 4 * time.Minute,
}

// outcome is the result of an action's work: then runs with the state held, unless err is set.
type outcome struct {
	err  error
	then func(now time.Time)
}

// The wait before a step is tried again, and how often a step of a container's start is.
const (
	patience   = 12 // two minutes and a half
	retryFirst = 250 * time.Millisecond
	retryMost  = 30 * time.Second
)

// apply feeds back what became of an action.
func (e *Engine) apply(t *Task, i int, k Kind, out outcome) {
	c, now := &t.Containers[i], clock.Now()
	if e.ctx.Err() != nil && out.err != nil {
		return // the work was cut off; the next process does it again
	}
	c.Busy, c.cancel = Wait, nil
	switch {
	case out.err == nil:
		c.failures, c.retryAt = 0, time.Time{}
		out.then(now)
	case k == Signal || k == Kill || k == Collect || e.cfg.Transient(out.err) && c.failures < patience:
		if k == Signal {
			c.signalled = time.Time{}
		}
		c.killed = time.Time{}
		c.failures++
		c.retryAt = now.Add(min(retryMost, retryFirst<<min(c.failures-1, 10)))
		e.log.Warn("will try again", "task", t.ARN, "container", t.Plan.Containers[i].Name, "step", k, "error", out.err)
	case t.Stop && (k == Provision || errors.Is(out.err, errNotAttached)):
		// The work was cut off because the task stops.
	default:
		e.log.Info("container failed", "task", t.ARN, "container", t.Plan.Containers[i].Name, "step", k, "error", out.err)
		t.failed(i, reason(k, out.err), now)
		e.changed(t)
		c.need = t.rev
		e.cancel(t)
	}
	e.advance(t)
}
