package runtime

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/berth-ecs/berth/node/runtime/enter"
	"github.com/berth-ecs/berth/node/runtime/execute"
)

// ErrExecTimeout is wrapped when an exec ran longer than it may.
var ErrExecTimeout = execute.ErrTimeout

// Exec runs args in a container with its environment, user and directory, and
// answers the exit code and the first 4 KB of output and errors together. What
// runs longer than timeout is killed: ErrExecTimeout.
func (r *Runtime) Exec(ctx context.Context, id string, args []string, timeout time.Duration) (code int, output []byte, err error) {
	k, err := r.execSpec(ctx, id)
	if err != nil {
		return 0, nil, named(CannotInspectContainerError, err)
	}
	if k.rights != nil && k.pid != 0 {
		var out execute.Output
		code, err := r.enterExec(ctx, id, k, enter.Command{Args: args, Timeout: timeout, Out: &out})
		if !errors.Is(err, enter.ErrUnable) {
			return code, out.Bytes(), named(CannotInspectContainerError, err)
		}
		r.execs.Drop(id) // it may have been started anew
		r.log.Debug("a container was not entered", "container", id, "error", err)
	}
	p := *k.process
	p.Args, p.Terminal = args, false
	e := r.byContainerd(id)
	code, err = e.Run(ctx, p, timeout)
	return code, e.Out.Bytes(), named(CannotInspectContainerError, err)
}

func (r *Runtime) byContainerd(id string) *execute.Exec {
	return &execute.Exec{Tasks: r.cd.TaskService(), Dir: r.c.execDir(), Container: id, Log: r.log}
}

// enterExec runs a command without containerd.
func (r *Runtime) enterExec(ctx context.Context, id string, k *execKnown, c enter.Command) (int, error) {
	at, err := r.place(id, k.pid)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", enter.ErrUnable, err)
	}
	code, err := r.enter.Run(ctx, at, *k.rights, c)
	if errors.Is(err, enter.ErrTimeout) {
		err = fmt.Errorf("%w after %v", ErrExecTimeout, c.Timeout)
	}
	return code, err
}
