package runtime

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/errdefs"
	"golang.org/x/sync/errgroup"

	"github.com/berth-ecs/berth/internal/failpoint"
	"github.com/berth-ecs/berth/node/runtime/again"
	"github.com/berth-ecs/berth/node/runtime/cgroup"
	"github.com/berth-ecs/berth/node/runtime/sandbox"
)

// taskCgroup is named after the task, or after the sandbox made ahead that it took.
func (r *Runtime) taskCgroup(task string) string {
	return "/" + r.c.Name + "/" + r.sandboxes().Of(task)
}

func (r *Runtime) containerCgroup(task, id string) string { return r.taskCgroup(task) + "/" + id }

// leaseID is also what ties an image pulled for a task to it.
func leaseID(task string) string { return "berth-" + task }

// Prepare makes what a task's containers share: the cgroup with its hard
// limits, the lease that keeps its images and snapshots, and the shim, started
// ahead so that a container's start need not wait for it. It is idempotent.
func (r *Runtime) Prepare(ctx context.Context, t Task) error {
	if err := checkTaskID(t.ID); err != nil {
		return named(ResourceInitializationError, err)
	}
	unlock := r.tasks.Lock(t.ID)
	defer unlock()
	return named(ResourceInitializationError, again.Do(ctx, func() error { return r.prepare(ctx, t) }))
}

func (r *Runtime) prepare(ctx context.Context, t Task) error {
	if err := r.chooseRuntime(t); err != nil {
		return err
	}
	parent, boxed := ctx, t.Sandbox != nil && r.sandboxed(t.ID)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return r.ensureLease(ctx, t.ID) })
	if boxed {
		return errors.Join(r.prepareSandbox(parent, t), g.Wait())
	}
	g.Go(func() error { return r.makeCgroup(t) })
	g.Go(func() error {
		_, err := r.ensureShim(ctx, t.ID)
		return err
	})
	if err := g.Wait(); err != nil {
		return err
	}
	return r.prepareShared(parent, t)
}

// makeCgroup makes the task's cgroup, or gives it the task's limits.
func (r *Runtime) makeCgroup(t Task) error {
	defer failpoint.Around(failpoint.Cgroup)()
	return r.cg.Make(r.taskCgroup(t.ID), cgroup.Limits{
		CPU: t.CPU, Units: t.CPUUnits, MemoryBytes: t.MemoryMiB << 20, SwapBytes: t.SwapMiB << 20, Pids: r.c.TaskPids,
	})
}

func (r *Runtime) ensureLease(ctx context.Context, task string) error {
	unlock := r.leasing.Lock(task)
	defer unlock()
	if made, _ := r.leased.Get(task); made {
		return nil
	}
	defer failpoint.Around(failpoint.Lease)()
	_, err := r.cd.LeasesService().Create(ctx, leases.WithID(leaseID(task)), leases.WithLabel(labelTask, task))
	if err != nil && !errdefs.IsAlreadyExists(err) {
		return fmt.Errorf("lease of task %s: %w", task, err)
	}
	r.leased.Put(task, true)
	return nil
}

// Release removes everything of a task: containers that are left, the shim, the
// lease and the cgroup. It is idempotent.
func (r *Runtime) Release(ctx context.Context, taskID string) error {
	defer r.wantSpare() // it may never have come to a start
	return r.releaseAlone(ctx, taskID)
}

// releaseAlone is Release while nothing else of the task goes on.
func (r *Runtime) releaseAlone(ctx context.Context, taskID string) error {
	if err := checkTaskID(taskID); err != nil {
		return named(ResourceInitializationError, err)
	}
	unlock := r.tasks.Lock(taskID)
	defer unlock()
	return named(CannotStopContainerError, again.Do(ctx, func() error { return r.release(ctx, taskID) }))
}

func (r *Runtime) release(ctx context.Context, taskID string) error {
	names, group := r.namesOf(taskID), r.taskCgroup(taskID)
	var errs []error
	var list []containers.Container
	for _, name := range names {
		some, err := r.cd.ContainerService().List(ctx, filterLabel(labelTask, name))
		if err != nil {
			return err
		}
		list = append(list, some...)
	}
	// The one that keeps a sandbox goes last: the others would be killed with it.
	slices.SortStableFunc(list, func(a, b containers.Container) int {
		return order(sandbox.IsFirst(a.ID)) - order(sandbox.IsFirst(b.ID))
	})
	for _, c := range list {
		errs = append(errs, r.remove(ctx, c.ID))
	}
	for _, name := range names {
		errs = append(errs, r.removeSandboxes(ctx, name))
	}
	errs = append(errs, r.scrubTask(ctx, taskID))
	if err := errors.Join(errs...); err != nil {
		return err
	}
	err := errors.Join(r.keeper().Release(ctx, taskID), r.endLease(ctx, taskID))
	for _, name := range names {
		err = errors.Join(err, r.c.shims().Stop(ctx, name))
	}
	if err == nil {
		err = errors.Join(r.sandboxes().Remove(taskID), r.storage().Remove(taskID))
	}
	defer failpoint.Around(failpoint.RemoveCgroup)()
	return errors.Join(err, r.cg.Remove(group))
}

// namesOf are those by which something of a task may be called.
func (r *Runtime) namesOf(task string) []string {
	if name := r.sandboxes().Of(task); name != task {
		return []string{task, name}
	}
	return []string{task}
}

func order(last bool) int {
	if last {
		return 1
	}
	return 0
}

func (r *Runtime) endLease(ctx context.Context, task string) error {
	defer failpoint.Around(failpoint.EndLease)()
	unlock := r.leasing.Lock(task)
	defer unlock()
	r.leased.Drop(task)
	r.splits.Drop(task)
	return r.deleteLease(ctx, leaseID(task))
}

func (r *Runtime) deleteLease(ctx context.Context, id string, opts ...leases.DeleteOpt) error {
	err := r.cd.LeasesService().Delete(ctx, leases.Lease{ID: id}, opts...)
	if errdefs.IsNotFound(err) {
		return nil
	}
	return err
}

// removeSandboxes deletes the sandbox records of a task's containers, also of
// those that a crash left without a container.
func (r *Runtime) removeSandboxes(ctx context.Context, task string) error {
	list, err := r.cd.SandboxStore().List(ctx, filterLabel(labelTask, task))
	if err != nil {
		return err
	}
	var errs []error
	for _, s := range list {
		errs = append(errs, r.removeSandbox(ctx, s.ID))
	}
	return errors.Join(errs...)
}

func filterLabel(key, value string) string { return fmt.Sprintf("labels.%q==%q", key, value) }
