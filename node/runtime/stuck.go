package runtime

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// A shim may hang: it holds what a container wants that is made or removed, of its task and no other. It is ended then, and the task goes on
// as one whose shim has died. Nobody ends one that nothing waits for: it may be busy, and its containers run.
const (
	patience       = 30 * time.Second // with one whose containers may run
	removePatience = 15 * time.Second // with one of which nothing was started: it loses nothing. A shim takes 10 s for the end of an output
)

// watchShim watches over what a container's shim knows of it, until the answer is called.
func (r *Runtime) watchShim(ctx context.Context, id string, most time.Duration) (stop func()) {
	if begun, _ := filepath.Glob(r.started().Path(r.shimOf(id[:32]) + "-*")); len(begun) > 0 {
		most = patience
	}
	return r.vigil.Keep(ctx, id, most)
}

func (r *Runtime) shimAnswers(ctx context.Context, id string) bool {
	return r.c.shims().Responds(ctx, r.shimOf(id[:32]), id)
}

// endShim ends a container's shim, and its sandbox, which nobody would end.
func (r *Runtime) endShim(ctx context.Context, id string) {
	task := r.shimOf(id[:32])
	r.log.Warn("the shim of a task has answered nothing for long and is ended", "task", task)
	err := r.c.shims().Kill(ctx, task)
	if r.sandboxed(task) {
		err = errors.Join(err, r.killTask(task))
	}
	if err != nil {
		r.log.Error("a shim that hangs cannot be ended", "task", task, "error", err)
	}
}

// killTask kills what is in a task's cgroup.
func (r *Runtime) killTask(task string) error {
	children, err := r.cg.Children(r.taskCgroup(task))
	for _, child := range children {
		pids, perr := r.cg.Processes(r.containerCgroup(task, child))
		err = errors.Join(err, perr)
		for _, pid := range pids {
			if kerr := unix.Kill(pid, unix.SIGKILL); kerr != nil && !errors.Is(kerr, unix.ESRCH) {
				err = errors.Join(err, kerr)
			}
		}
	}
	return err
}
