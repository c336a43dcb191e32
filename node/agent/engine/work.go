package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/berth-ecs/berth/internal/clock"
	"github.com/berth-ecs/berth/node/agent/files"
	"github.com/berth-ecs/berth/node/agent/health"
	"github.com/berth-ecs/berth/node/network"
	"github.com/berth-ecs/berth/node/runtime"
)

// reason is an error as the ECS agent reports it of a container.
func reason(k Kind, err error) string {
	var ours *namedError
	var named *runtime.Error
	var conflict *network.PortConflict
	switch {
	case errors.As(err, new(errPatience)):
		return fmt.Sprintf("DockerTimeoutError: Could not transition to %s; timed out after waiting %v", stepNames[k], timeouts[k])
	case errors.As(err, &conflict):
		return "CannotStartContainerError: " + conflict.Error()
	case errors.As(err, &named) && strings.Contains(named.Message, ociFailure):
		return runtime.CannotStartContainerError + ": " + named.Message
	case errors.As(err, &named):
		return named.Error()
	case errors.As(err, &ours):
		return ours.Error()
	}
	return errorNames[k] + ": " + err.Error()
}

// errPatience marks what failed because its step took too long; a call below that has a limit of its own does not.
type errPatience struct{ error }

func (e errPatience) Unwrap() error { return e.error }

// ociFailure marks what Docker, which makes the process at the start only, reports of the start.
const ociFailure = "OCI runtime create failed"

var (
	stepNames  = map[Kind]string{Provision: "pulled", Create: "created", Start: "started", Restart: "restarted"}
	errorNames = map[Kind]string{
		Provision: "CannotCreateContainerError", Create: "CannotCreateContainerError", Start: "CannotStartContainerError",
		Restart: "CannotStartContainerError",
	}
)

// create makes the container.
func (e *Engine) create(t *Task, i int) func(context.Context) outcome {
	c := &t.Containers[i]
	spec, p, dir := t.container(i, e.cfg.Node.DataDir), &t.Plan.Containers[i], files.Dir(e.cfg.Node.DataDir, t.ID, i)
	addr, links := c.Endpoint.Address, t.Plan.LinkHosts(i, t.linked)
	if a := e.attach(t); a != nil {
		spec.Netready = a.Wait
	}
	return func(ctx context.Context) outcome {
		if len(links) > 0 { // they run by now, and have their addresses
			if err := files.Write(dir, p, addr, links); err != nil {
				return outcome{err: err}
			}
		}
		if err := e.cfg.Runtime.Create(ctx, spec); err != nil {
			return outcome{err: err}
		}
		return outcome{then: func(now time.Time) { c.Phase, c.CreatedAt = Created, now }}
	}
}

// start starts the container's process. When the runtime goes away in between it looks at what became of it.
func (e *Engine) start(t *Task, i int) func(context.Context) outcome {
	id := t.Plan.Containers[i].ID
	return func(ctx context.Context) outcome {
		_, at, err := e.cfg.Runtime.Start(ctx, id)
		switch {
		case err == nil:
			return outcome{then: func(time.Time) { e.ran(t, i, at) }} //nolint:contextcheck // applied by the engine, whose context outlives the action's
		case !e.cfg.Transient(err):
			return outcome{err: err}
		}
		s, listErr := e.look(ctx, id)
		switch {
		case listErr != nil:
			return outcome{err: errors.Join(err, listErr)}
		case s != nil && s.Status == runtime.Created:
			return outcome{err: err}
		case s != nil && s.Status == runtime.Running:
			return outcome{then: func(now time.Time) { e.ran(t, i, now) }} //nolint:contextcheck // applied by the engine, whose context outlives the action's
		}
		return outcome{then: func(now time.Time) {
			t.adopt(i, s, network.Endpoint{}, now)
			e.over(t, i)
		}}
	}
}

// ran applies the news that container i runs, and the news of its end if that came first.
func (e *Engine) ran(t *Task, i int, at time.Time) {
	t.started(i, at)
	e.written(t, i)
}

// written writes down that container i runs, and looks at what may have been missed meanwhile.
func (e *Engine) written(t *Task, i int) {
	e.changed(t)
	c := &t.Containers[i]
	c.need = t.rev
	if c.look {
		c.look = false
		ctx := e.ctx
		e.effects.Go(func() { e.resync(ctx) })
	}
}

// look asks the runtime until it answers what is there of a container; nil is nothing.
func (e *Engine) look(ctx context.Context, id string) (*runtime.State, error) {
	states, err := e.list(ctx)
	for i := range states {
		if states[i].ID == id {
			return &states[i], nil
		}
	}
	return nil, err
}

// kill sends a signal. A container that should be dead already has ended, and the news of it was missed, or hangs.
func (e *Engine) kill(t *Task, i int, sig string) func(context.Context) outcome {
	c, id, again := &t.Containers[i], t.Plan.Containers[i].ID, !t.Containers[i].killed.IsZero()
	return func(ctx context.Context) outcome {
		err := e.cfg.Runtime.Kill(ctx, id, sig)
		if again || errors.Is(err, runtime.ErrNotFound) {
			e.log.Warn("container outlives its end", "container", id, "error", err)
			e.resync(ctx)
			err = nil
		}
		return outcome{err: err, then: func(now time.Time) { c.signalled = now }} // its stopTimeout begins when the signal got there
	}
}

// collectPatience is how often the end of a container's output is waited for before it is given up.
const collectPatience = 3

// collect takes away what a container left: its ports, its output's end, itself.
func (e *Engine) collect(t *Task, i int) func(context.Context) outcome {
	c, id := &t.Containers[i], t.Plan.Containers[i].ID
	patient := c.failures < collectPatience
	return func(ctx context.Context) outcome {
		steps := make(chan error, 3)
		go func() { steps <- e.cfg.Network.Detach(ctx, id) }()
		go func() { steps <- e.drain(ctx, id, patient) }()
		go func() {
			err := e.cfg.Runtime.Delete(ctx, id)
			if errors.Is(err, runtime.ErrNotFound) {
				err = nil
			}
			steps <- err
		}()
		if err := errors.Join(<-steps, <-steps, <-steps); err != nil {
			return outcome{err: err}
		}
		return outcome{then: func(time.Time) {
			c.Phase = Stopped
			e.changed(t)
		}}
	}
}

// drain waits until a container's output is on disk. Lost output must not keep a task from stopping.
func (e *Engine) drain(ctx context.Context, id string, patient bool) error {
	err := e.cfg.Logs.Close(ctx, id)
	if err != nil && !patient {
		e.log.Error("the end of a container's output may be lost", "container", id, "error", err)
		return nil
	}
	return err
}

// probeGrace is what the runtime may take beside the check itself.
const probeGrace = 30 * time.Second

// probe runs container i's health check when it is due, and answers when it is due next.
func (e *Engine) probe(t *Task, i int, now time.Time) time.Time {
	c, p := &t.Containers[i], &t.Plan.Containers[i]
	if p.Health == nil || c.Phase != Running || c.Down || c.Health.Probing() || t.Stop {
		return time.Time{}
	}
	if at := c.Health.Due(p.Health, c.Up()); now.Before(at) {
		return at
	}
	c.Health.Begin()
	life := c.Restarts
	e.spawn(p.Health.Timeout+probeGrace, func(ctx context.Context) {
		code, out, err := e.cfg.Runtime.Exec(ctx, p.ID, p.Health.Args, p.Health.Timeout)
		if errors.Is(err, runtime.ErrExecTimeout) {
			err = health.ErrTimeout(p.Health.Timeout)
		}
		e.update(func() {
			e.probed(t, i, life, health.Result{ExitCode: code, Output: string(out), Err: err, At: clock.Now()})
		})
	})
	return time.Time{}
}

// probed applies a health check's result; one that says nothing about the container is no result.
func (e *Engine) probed(t *Task, i, life int, r health.Result) {
	c := &t.Containers[i]
	if e.ctx.Err() != nil || c.Phase != Running || c.Down || c.Restarts != life {
		return
	}
	if errors.Is(r.Err, context.DeadlineExceeded) || r.Err != nil && e.cfg.Transient(r.Err) {
		c.Health.Forgo(r.At)
	} else {
		var changed bool
		if c.Health, changed = c.Health.After(t.Plan.Containers[i].Health, c.Up(), r); changed {
			e.changed(t)
		}
	}
	e.advance(t)
}
