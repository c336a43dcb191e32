package runtime

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"github.com/berth-ecs/berth/node/runtime/again"
	"github.com/berth-ecs/berth/node/runtime/remains"
	"github.com/berth-ecs/berth/node/runtime/sandbox"
)

const (
	settleTime  = 400 * time.Millisecond // what a creation that goes on takes, generously
	settleEvery = 25 * time.Millisecond
)

// settled waits for a creation that goes on and reports whether it became whole.
func (r *Runtime) settled(ctx context.Context, id string) (bool, error) {
	for end := time.Now().Add(settleTime); ; {
		whole, err := r.whole(ctx, id)
		if whole || err != nil || time.Now().After(end) || !r.remains(id[:32]).Traced(id) || !again.Pause(ctx, settleEvery) {
			return whole, err
		}
	}
}

func (r *Runtime) remains(task string) remains.Config {
	c := remains.Config{
		Name: r.c.Name, Cgroups: r.cg, Shims: r.c.shims(), StateDir: filepath.Join(r.c.RunDir, "containerd"),
		Runc: r.c.bin("runc"), RuncRoot: r.c.runcRoot(), Foreign: r.c.Address != "", Task: r.shimOf(task), Cgroup: r.taskCgroup(task),
	}
	if r.sandboxed(task) {
		c.Runc = r.c.bin(sandbox.Program)
		c.State = func(id string) string { return r.sandboxes().State(task, id) }
	}
	return c
}

// scrubTask scrubs containers of a task that have not even a record any more.
func (r *Runtime) scrubTask(ctx context.Context, task string) error {
	children, err := r.cg.Children(r.taskCgroup(task))
	errs := []error{err}
	for _, id := range children {
		if containerIDRule.MatchString(id) || id == r.sandboxes().First(task) {
			stop := r.watchShim(ctx, id, removePatience)
			errs = append(errs, r.remains(task).Scrub(ctx, id))
			stop()
		}
	}
	return errors.Join(errs...)
}
