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
)

type taskProcess = task.Process

// startedFile marks a container that was told to start. It tells one whose task
// is lost (it ran, nothing knows how it ended) from one that was never whole.
func (r *Runtime) startedFile(id string) string {
	return filepath.Join(r.c.DataDir, "started", id)
}

// Start lets a created container run its first instruction. Starting one that
// runs already answers its pid.
func (r *Runtime) Start(ctx context.Context, id string) (pid int, at time.Time, err error) {
	if err := r.markStarted(id); err != nil {
		return 0, time.Time{}, named(CannotStartContainerError, err)
	}
	err = again(ctx, func() error {
		pid, at, err = r.start(ctx, id)
		return err
	})
	return pid, at, named(CannotStartContainerError, err)
}

func (r *Runtime) start(ctx context.Context, id string) (pid int, at time.Time, err error) {
	resp, err := r.cd.TaskService().Start(ctx, &tasks.StartRequest{ContainerID: id})
	if err == nil {
		return int(resp.Pid), time.Now(), nil
	}
	err = errgrpc.ToNative(err)
	// The answer may have been lost, not the start.
	p, perr := r.process(ctx, id)
	if perr == nil && p != nil && p.Status == task.Status_RUNNING {
		return int(p.Pid), time.Now(), nil
	}
	return 0, time.Time{}, err
}

func (r *Runtime) markStarted(id string) error {
	if !containerIDRule.MatchString(id) {
		return notFound(id)
	}
	file := r.startedFile(id)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	return os.WriteFile(file, nil, 0o600)
}

// Kill sends a signal ("SIGTERM", "TERM", "15") to a container's first process;
// "" is the container's own stop signal. One that has ended is not an error.
func (r *Runtime) Kill(ctx context.Context, id string, signal string) error {
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
