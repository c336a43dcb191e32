package runtime

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/containerd/containerd/api/services/tasks/v1"
	"github.com/containerd/containerd/api/types/task"
	"github.com/containerd/errdefs"
	"github.com/containerd/errdefs/pkg/errgrpc"
	sigs "github.com/moby/sys/signal"
	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/internal/clock"
	"github.com/berth-ecs/berth/internal/failpoint"
	"github.com/berth-ecs/berth/node/runtime/again"
	"github.com/berth-ecs/berth/node/runtime/marks"
)

type taskProcess = task.Process

// started marks the containers that were told to start. It tells one whose task
// is lost (it ran, nothing knows how it ended) from one that was never whole.
func (r *Runtime) started() marks.Dir { return marks.Dir(filepath.Join(r.c.DataDir, "started")) }

// stdins are the FIFOs that containers with an open standard input read. Nobody
// writes them: a read waits, as with Docker.
func (r *Runtime) stdins() marks.Dir { return marks.Dir(filepath.Join(r.c.RunDir, "stdin")) }

// Start lets a created container run its first instruction. Starting one that
// runs already answers its pid.
func (r *Runtime) Start(ctx context.Context, id string) (pid int, at time.Time, err error) {
	if !containerIDRule.MatchString(id) {
		return 0, time.Time{}, named(CannotStartContainerError, notFound(id))
	}
	before := r.started().Has(id)
	if err := r.markStarted(id); err != nil {
		return 0, time.Time{}, named(CannotStartContainerError, err)
	}
	asked := false
	err = again.Do(ctx, func() error {
		if before || asked {
			if pid, at, err = r.wasStarted(ctx, id, asked); pid != 0 || err != nil {
				return err
			}
		}
		pid, at, err = r.start(ctx, id, asked)
		asked = true
		return err
	})
	r.wantSpare() // not before: it would take the processor from this start
	return pid, at, named(CannotStartContainerError, err)
}

// wasStarted looks what became of a start before this one: none means that it is to be made. A process before this one may
// have made it, and nobody waits for the news of the end then: who asks has to look.
func (r *Runtime) wasStarted(ctx context.Context, id string, asked bool) (pid int, at time.Time, err error) {
	p, err := r.process(ctx, id)
	switch {
	case err != nil || p == nil:
		return 0, time.Time{}, err
	case p.Status == task.Status_RUNNING:
		return int(p.Pid), clock.Now(), nil
	case p.Status == task.Status_STOPPED && !asked && !r.neverRan(p):
		return 0, time.Time{}, fmt.Errorf("%s was started before and has ended: %w", id, errdefs.ErrUnavailable)
	}
	return 0, time.Time{}, nil
}

// start asks once. The answer of a call before this one may have been lost, not the start: then the process runs, or has
// run and ended already.
func (r *Runtime) start(ctx context.Context, id string, asked bool) (pid int, at time.Time, err error) {
	defer failpoint.Around(failpoint.Start)()
	resp, err := r.cd.TaskService().Start(ctx, &tasks.StartRequest{ContainerID: id})
	if err == nil {
		return int(resp.Pid), clock.Now(), nil
	}
	err = errgrpc.ToNative(err)
	p, perr := r.process(ctx, id)
	switch {
	case perr != nil || p == nil:
		return 0, time.Time{}, err
	case r.neverRan(p):
		return 0, time.Time{}, fmt.Errorf("the start of %s was cut off and has to be made anew: %w", id, errdefs.ErrUnavailable)
	case p.Status == task.Status_RUNNING || asked && p.Status == task.Status_STOPPED:
		return int(p.Pid), clock.Now(), nil
	}
	return 0, time.Time{}, err
}

// neverRan tells a container that ended before its first instruction: nobody told it to start, and a removal that containerd's
// death cut off has killed it; or that death cut off its start.
func (r *Runtime) neverRan(p *taskProcess) bool {
	return p.Status == task.Status_STOPPED && (!r.started().Has(p.ID) || r.launch(p.ID).CutOff(p.ExitStatus))
}

func (r *Runtime) markStarted(id string) error {
	defer failpoint.Around(failpoint.MarkStarted)()
	return r.started().Put(id)
}

// Kill sends a signal ("SIGTERM", "TERM", "15") to a container's first process;
// "" is the container's own stop signal. One that has ended is not an error.
func (r *Runtime) Kill(ctx context.Context, id string, signal string) error {
	defer failpoint.Around(failpoint.Kill)()
	if signal == "" {
		c, err := r.cd.ContainerService().Get(ctx, id)
		if errdefs.IsNotFound(err) {
			return named(CannotStopContainerError, notFound(id))
		}
		if err != nil {
			return named(CannotStopContainerError, err)
		}
		signal = firstOf(c.Labels[labelStop], "SIGTERM")
	}
	n, err := sigs.ParseSignal(signal)
	if err != nil {
		return named(CannotStopContainerError, fmt.Errorf("signal %q: %w", signal, err))
	}
	if n == unix.SIGKILL && containerIDRule.MatchString(id) && r.sandboxed(id[:32]) {
		if err := r.sandboxes().MarkKilled(id[:32], id); err != nil {
			return named(CannotStopContainerError, err)
		}
	}
	err = again.Do(ctx, func() error {
		_, err := r.cd.TaskService().Kill(ctx, &tasks.KillRequest{ContainerID: id, Signal: uint32(n)})
		return errgrpc.ToNative(err)
	})
	if errdefs.IsNotFound(err) {
		return nil
	}
	return named(CannotStopContainerError, err)
}
