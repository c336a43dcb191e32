package runtime

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/containerd/ttrpc"

	"github.com/berth-ecs/berth/internal/failpoint"
)

// shimLog names the one log of all shims: they say little, and need not have been started for whom they work.
const shimLog = "shims"

// ensureShim answers the address of the task's shim; when there is none it takes
// the spare one, or starts one. Containers that are made later join it, which is
// what makes their start short. A shim ends with its last container.
func (r *Runtime) ensureShim(ctx context.Context, task string) (address string, err error) {
	if address, ok := r.c.shims().Answering(task); ok {
		return address, nil
	}
	if r.sandboxed(task) {
		return r.newShim(ctx, task, task)
	}
	if address, ok := r.takeSpare(task); ok {
		return address, nil
	}
	if address, err = r.newShim(ctx, task, task); err != nil {
		return "", fmt.Errorf("shim of task %s: %w", task, err)
	}
	return address, nil
}

// shimGone tells that a creation failed because the shim was not there for it. A shim ends with its last container, and for a
// moment it answers still: a container that another one of the task made way for can come too late. containerd says so in words only.
func shimGone(err error) bool {
	return err != nil && (strings.Contains(err.Error(), "unable to make connection") || strings.Contains(err.Error(), ttrpc.ErrClosed.Error()))
}

func (r *Runtime) newShim(ctx context.Context, task, id string) (address string, err error) {
	log := os.DevNull
	if r.c.ShimLog != nil {
		if log, err = r.c.ShimLog(ctx, shimLog); err != nil {
			return "", err
		}
	}
	defer failpoint.Around(failpoint.Shim)()
	shims := r.c.shims()
	shims.Sandboxes = r.sandboxed(task)
	return shims.Start(ctx, task, id, log)
}
