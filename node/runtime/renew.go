package runtime

import (
	"context"
	"fmt"

	"github.com/containerd/containerd/api/types/task"
	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/errdefs"

	"github.com/berth-ecs/berth/node/runtime/again"
)

// Renew makes a container that has ended startable again: a new process on the
// same snapshot, in the same namespace, with the same output. What its List and
// Event said of the end is gone afterwards. It is idempotent: one that can be
// started, or runs, is left alone.
func (r *Runtime) Renew(ctx context.Context, id string) error {
	if !containerIDRule.MatchString(id) {
		return named(CannotStartContainerError, notFound(id))
	}
	// Alone, because the shim ends with its last container.
	unlock := r.tasks.Lock(id[:32])
	defer unlock()
	return named(CannotStartContainerError, again.Do(ctx, func() error { return r.renew(ctx, id) }))
}

func (r *Runtime) renew(ctx context.Context, id string) error {
	c, err := r.cd.ContainerService().Get(ctx, id)
	if errdefs.IsNotFound(err) {
		return notFound(id)
	}
	if err != nil {
		return err
	}
	if p, err := r.process(ctx, id); err != nil {
		return err
	} else if p != nil && p.Status != task.Status_STOPPED {
		return nil
	} else if p == nil { // a creation that containerd's death cut off may go on
		if whole, err := r.settled(ctx, id); whole || err != nil {
			return err
		}
	}
	if err := r.removeTask(ctx, id); err != nil {
		return err
	}
	r.execs.Drop(id) // what is known of it is of its last process
	if err := r.sandboxes().Revive(id[:32], id); err != nil {
		return err
	}
	// From here on it is a container that was never told to start.
	if err := r.started().Remove(id); err != nil {
		return err
	}
	if err := r.cg.Remove(r.containerCgroup(id[:32], id)); err != nil {
		return err
	}
	return r.createAgain(ctx, c)
}

func (r *Runtime) createAgain(ctx context.Context, c containers.Container) error {
	if !r.sandboxed(c.ID[:32]) {
		if err := r.keeper().Check(c.ID[:32], c.Spec.GetValue()); err != nil {
			return err
		}
	}
	mounts, err := r.cd.SnapshotService(snapshotter).Mounts(ctx, c.ID)
	if err != nil {
		return fmt.Errorf("snapshot of %s: %w", c.ID, err)
	}
	if mounts, err = r.rootOf(c.ID, mounts); err != nil {
		return err
	}
	address, err := r.ensureShim(ctx, c.ID[:32])
	if err != nil {
		return err
	}
	again := Container{ID: c.ID, TaskID: c.ID[:32], Stdout: c.Labels[labelOut], Stderr: c.Labels[labelErr],
		Terminal: c.Labels[labelTTY] != "", OpenStdin: c.Labels[labelIn] != ""}
	return r.createTask(ctx, again, address, mounts)
}
