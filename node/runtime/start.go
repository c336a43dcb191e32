package runtime

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/containerd/containerd/api/services/tasks/v1"
	"github.com/containerd/containerd/api/types/task"
	"github.com/containerd/errdefs"
	"github.com/containerd/errdefs/pkg/errgrpc"
	sigs "github.com/moby/sys/signal"

	"github.com/berth-ecs/berth/internal/failpoint"
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
	if err := r.markStarted(id); err != nil {
		return 0, time.Time{}, named(CannotStartContainerError, err)
	}
	asked := false
	err = again(ctx, func() error {
		pid, at, err = r.start(ctx, id, asked)
		asked = true
		return err
	})
	r.wantSpare() // not before: it would take the processor from this start
	return pid, at, named(CannotStartContainerError, err)
}

// start asks once. The answer of a call before this one may have been lost, not the start: then the process runs, or has
// run and ended already.
func (r *Runtime) start(ctx context.Context, id string, asked bool) (pid int, at time.Time, err error) {
	defer failpoint.Around(failpoint.Start)()
	resp, err := r.cd.TaskService().Start(ctx, &tasks.StartRequest{ContainerID: id})
	if err == nil {
		return int(resp.Pid), time.Now(), nil
	}
	err = errgrpc.ToNative(err)
	p, perr := r.process(ctx, id)
	switch {
	case perr != nil || p == nil:
		return 0, time.Time{}, err
	case r.neverRan(p):
		return 0, time.Time{}, fmt.Errorf("the start of %s was cut off and has to be made anew: %w", id, errdefs.ErrUnavailable)
	case p.Status == task.Status_RUNNING || asked && p.Status == task.Status_STOPPED:
		return int(p.Pid), time.Now(), nil
	}
	return 0, time.Time{}, err
}

// cutOff is what runc's init ends with when it finds nobody to tell that it starts.
const cutOff = 255

// neverRan tells a container that ended before its first instruction: nobody told it to start, and a removal that containerd's
// death cut off has killed it; or that death cut off `runc start`, which had opened the FIFO its init waits at, and init found
// it closed again. runc removes the FIFO when the start is done.
func (r *Runtime) neverRan(p *taskProcess) bool {
	return p.Status == task.Status_STOPPED && (!r.started().Has(p.ID) || r.startCutOff(p.ID, p.ExitStatus))
}

func (r *Runtime) startCutOff(id string, status uint32) bool {
	if status != cutOff {
		return false
	}
	_, err := os.Lstat(filepath.Join(r.remains().RuncState(id), "exec.fifo"))
	return err == nil
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
	err = again(ctx, func() error {
		_, err := r.cd.TaskService().Kill(ctx, &tasks.KillRequest{ContainerID: id, Signal: uint32(n)})
		return errgrpc.ToNative(err)
	})
	if errdefs.IsNotFound(err) {
		return nil
	}
	return named(CannotStopContainerError, err)
}
