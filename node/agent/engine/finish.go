package engine

import (
	"context"
	"errors"
	"time"

	"github.com/berth-ecs/berth/internal/clock"
	"github.com/berth-ecs/berth/node/agent/files"
	"github.com/berth-ecs/berth/node/runtime"
)

// finish takes away what is left of a task that is over, and forgets it after its time. It answers when to look again.
func (e *Engine) finish(t *Task, now time.Time) time.Time {
	if !t.gone() || t.releasing {
		return time.Time{}
	}
	if t.StoppedAt.IsZero() {
		t.StoppedAt = now
		e.changed(t)
		e.log.Info("task stopped", "task", t.ARN, "reason", t.Reason)
	}
	switch forget := t.StoppedAt.Add(e.cfg.Retention); {
	case !t.Released:
		e.tidy(t, e.releaseTask, func() {
			t.Released = true
			e.changed(t)
		})
	case t.Reported.Status != StatusStopped:
	case now.Before(forget):
		return forget
	default:
		e.tidy(t, e.forget, func() {
			delete(e.tasks, t.ARN)
			delete(e.byID, t.ID)
		})
	}
	return time.Time{}
}

// tidyPatience bounds one try of cleaning up, the wait before it included.
const tidyPatience = 5 * time.Minute

// tidy runs work for a task until it succeeds.
func (e *Engine) tidy(t *Task, work func(context.Context, *Task) error, then func()) {
	t.releasing = true
	id, delay := t.ID, time.Duration(0)
	if t.failures > 0 {
		delay = min(retryMost, retryFirst<<min(t.failures-1, 10))
	}
	e.spawn(tidyPatience, func(ctx context.Context) {
		select {
		case <-ctx.Done():
			return
		case <-time.After(delay):
		}
		err := work(ctx, t)
		e.update(func() {
			t.releasing = false
			if err != nil {
				t.failures++
				e.log.Warn("cannot clean up after a task; will try again", "task", id, "error", err)
			} else {
				t.failures = 0
				then()
			}
			if e.tasks[t.ARN] == t {
				e.advance(t)
			}
		})
	})
}

// releaseTask removes what the task's containers shared.
func (e *Engine) releaseTask(ctx context.Context, t *Task) error {
	if t.Plan == nil {
		return nil
	}
	var prep *preparation
	e.update(func() { prep = t.preparing })
	if prep != nil { // what it makes after this would stay
		if err := prep.all.Over(ctx); err != nil {
			return err
		}
	}
	return errors.Join(e.cfg.Runtime.Release(ctx, t.ID), e.releaseVolumes(t), files.Remove(e.cfg.Node.DataDir, t.ID))
}

// forget removes the output and the record of a task that ended long ago.
func (e *Engine) forget(ctx context.Context, t *Task) error {
	if err := e.cfg.Logs.Remove(ctx, t.ID); err != nil {
		return err
	}
	return e.cfg.Store.Delete(t.ARN)
}

// resync compares the containers that should run with what really runs, after events may have been missed.
func (e *Engine) resync(ctx context.Context) {
	running := map[string]int{} // in which life; before the look: what starts after it is not missing
	e.update(func() {
		for _, t := range e.tasks {
			for i := range t.Containers {
				switch c := &t.Containers[i]; {
				case c.Phase == Running && !c.Down:
					running[t.Plan.Containers[i].ID] = c.Restarts
				case c.Busy == Start || c.Busy == Restart:
					c.look = true // it may have started and ended unheard
				}
			}
		}
	})
	if len(running) == 0 {
		return
	}
	states, err := e.list(ctx)
	if err != nil {
		return // ctx ended
	}
	for _, s := range states {
		if life, ok := running[s.ID]; ok && s.Status == runtime.Stopped {
			e.missed(exitOf(&s), life)
		}
		delete(running, s.ID)
	}
	for id, life := range running {
		e.missed(runtime.Event{ID: id, ExitCode: -1, At: clock.Now()}, life)
	}
}

// list asks the runtime until it answers.
func (e *Engine) list(ctx context.Context) ([]runtime.State, error) {
	for wait := retryFirst; ; wait = min(2*wait, retryMost) {
		states, err := e.cfg.Runtime.List(ctx)
		if err == nil {
			return states, nil
		}
		e.log.Warn("cannot list containers; will try again", "error", err)
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(wait):
		}
	}
}
