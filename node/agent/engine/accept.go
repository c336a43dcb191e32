package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/berth-ecs/berth/internal/failpoint"
	"github.com/berth-ecs/berth/node/agent/plan"
	"github.com/berth-ecs/berth/session"
)

// ErrUnrecognised says that a payload's task cannot be read; it must not be acknowledged.
var ErrUnrecognised = errors.New("unrecognised task")

// Accept makes a payload's task the engine's own. When the channel closes the task is on disk; it begins at once.
// Accepting it again changes nothing. A task that this node cannot run is accepted too, and reported STOPPED.
func (e *Engine) Accept(in session.Task) (saved <-chan struct{}, err error) {
	e.update(func() { saved, err = e.accept(in) })
	return saved, err
}

func (e *Engine) accept(in session.Task) (<-chan struct{}, error) {
	if in.Arn == "" || in.DesiredStatus != StatusRunning && in.DesiredStatus != StatusStopped {
		e.refuse(in, "UnrecogniedTaskError: Error loading task - Unrecognized TaskStatus")
		return nil, fmt.Errorf("engine: task %q, desiredStatus %q: %w", in.Arn, in.DesiredStatus, ErrUnrecognised)
	}
	t, known := e.tasks[in.Arn]
	switch {
	case !known && in.DesiredStatus == StatusStopped:
		t = e.refuse(in, "")
	case !known:
		t = e.add(in)
	case in.DesiredStatus == StatusStopped:
		e.stop(t)
	}
	return e.onDisk(t), nil
}

// refuse keeps a task that will never run, so that its end is reported.
func (e *Engine) refuse(in session.Task, reason string) *Task {
	if t := e.tasks[in.Arn]; t != nil || in.Arn == "" {
		return t
	}
	t := &Task{ARN: in.Arn, Payload: in, Stop: true, Reason: reason, boot: e.cfg.Boot}
	t.ID, _ = plan.ID(in.Arn)
	e.know(t)
	e.changed(t)
	e.advance(t)
	return t
}

// add plans a new task and begins with it.
func (e *Engine) add(in session.Task) *Task {
	p, err := plan.New(in, e.cfg.Node)
	if err != nil {
		e.log.Warn("task refused", "task", in.Arn, "reason", err)
		return e.refuse(in, err.Error())
	}
	t := &Task{ARN: in.Arn, ID: p.ID, Payload: in, Plan: p, Containers: make([]Container, len(p.Containers)), boot: e.cfg.Boot}
	e.know(t)
	e.changed(t)
	for i := range t.Containers {
		t.Containers[i].need = t.rev
	}
	e.log.Info("task accepted", "task", in.Arn)
	failpoint.Hit(failpoint.Accepted)
	e.advance(t)
	return t
}

func (e *Engine) stop(t *Task) {
	t.asked = true
	if t.Stop {
		return
	}
	t.Stop = true
	e.changed(t)
	e.cancel(t)
	e.advance(t)
}

// Stop stops the tasks that are known of these ARNs.
func (e *Engine) Stop(arns []string) {
	e.update(func() {
		for _, arn := range arns {
			if t := e.tasks[arn]; t != nil {
				e.stop(t)
			}
		}
	})
}

// StopAll stops every task and returns when nothing is left of any of them.
func (e *Engine) StopAll(ctx context.Context) error {
	news := e.Subscribe()
	e.update(func() {
		for _, t := range e.tasks {
			e.stop(t)
		}
	})
	for {
		left := 0
		e.update(func() {
			for _, t := range e.tasks {
				if !t.Released {
					left++
				}
			}
		})
		if left == 0 {
			return nil
		}
		select {
		case <-news:
		case <-ctx.Done():
			return fmt.Errorf("engine: %d tasks still there: %w", left, ctx.Err())
		}
	}
}

// Subscribe answers a channel that has a value whenever something changed since it was read.
func (e *Engine) Subscribe() <-chan struct{} {
	c := make(chan struct{}, 1)
	e.update(func() { e.readers = append(e.readers, c) })
	return c
}

// Tasks are copies of all tasks, by ARN.
func (e *Engine) Tasks() []Task {
	var out []Task
	e.update(func() {
		for _, arn := range slices.Sorted(maps.Keys(e.tasks)) {
			out = append(out, e.tasks[arn].clone())
		}
	})
	return out
}

// Lookup answers a copy of the task of a container, and the container's place in it.
func (e *Engine) Lookup(containerID string) (t Task, i int, ok bool) {
	e.update(func() {
		if found, at := e.find(containerID); found != nil {
			t, i, ok = found.clone(), at, true
		}
	})
	return t, i, ok
}

// Pending are the next reports, at most one of each task.
func (e *Engine) Pending() []Change {
	var out []Change
	e.update(func() {
		for _, arn := range slices.Sorted(maps.Keys(e.tasks)) {
			if c, ok := e.tasks[arn].change(); ok {
				out = append(out, c)
			}
		}
	})
	return out
}

// Acknowledged notes that the server knows what c says.
func (e *Engine) Acknowledged(c Change) {
	e.update(func() {
		if t := e.tasks[c.TaskARN]; t != nil {
			t.Reported = c.after
			e.changed(t)
			e.advance(t)
		}
	})
}

// Manifest compares what runs here with what a server lists: the tasks that run and are not on its list.
func (e *Engine) Manifest(listed []session.TaskIdentifier) []session.TaskIdentifier {
	running := map[string]bool{}
	for _, l := range listed {
		if l.DesiredStatus == StatusRunning {
			running[l.TaskArn] = true
		}
	}
	var out []session.TaskIdentifier
	for _, t := range e.Tasks() {
		if !t.Stop && !running[t.ARN] {
			out = append(out, session.TaskIdentifier{
				TaskArn: t.ARN, TaskClusterArn: t.Payload.TaskClusterArn, DesiredStatus: StatusStopped,
			})
		}
	}
	return out
}
