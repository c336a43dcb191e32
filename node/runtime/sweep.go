package runtime

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"

	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/errdefs"

	"github.com/berth-ecs/berth/internal/failpoint"
	"github.com/berth-ecs/berth/node/runtime/sandbox"
)

// Sweep removes everything of the installation that belongs to a task keep does
// not want, and what crashes leave even of those it wants: active snapshots
// without a container, sockets nobody listens on. Call it before tasks are
// prepared or created.
func (r *Runtime) Sweep(ctx context.Context, keep func(taskID string) bool) error {
	defer failpoint.Around(failpoint.Sweep)()
	known, ahead, whole, err := r.traces(ctx)
	if err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	var errs []error
	for task := range known {
		if !keep(task) {
			errs = append(errs, r.releaseAlone(ctx, task), r.c.shims().Kill(ctx, task))
		}
	}
	errs = append(errs, r.sweepBoxes(ctx, ahead))
	maps.DeleteFunc(whole, func(id string, _ bool) bool { return !containerIDRule.MatchString(id) || !keep(id[:32]) })
	errs = append(errs, r.sweepPulls(ctx), r.sweepSnapshots(ctx, whole), r.c.shims().SweepSockets(), r.started().Sweep(keep), r.stdins().Sweep(keep))
	r.wantSpare() // or the removal of what is left of one
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	return nil
}

// traces are the tasks and the sandboxes made ahead of which there is anything at all, and the containers that have a record.
func (r *Runtime) traces(ctx context.Context) (out, ahead, whole map[string]bool, err error) {
	out, ahead, whole = map[string]bool{}, map[string]bool{}, map[string]bool{}
	add := func(task string) {
		switch {
		case taskIDRule.MatchString(task):
			out[task] = true
		case sandbox.IsAhead(task):
			ahead[task] = true
		}
	}
	containers, err := r.cd.ContainerService().List(ctx)
	if err != nil {
		return nil, nil, nil, err
	}
	for _, c := range containers {
		add(c.Labels[labelTask])
		whole[c.ID] = true
	}
	sandboxes, err := r.cd.SandboxStore().List(ctx)
	if err != nil {
		return nil, nil, nil, err
	}
	for _, s := range sandboxes {
		add(s.Labels[labelTask])
	}
	held, err := r.cd.LeasesService().List(ctx)
	if err != nil {
		return nil, nil, nil, err
	}
	for _, l := range held {
		add(l.Labels[labelTask])
	}
	cgroups, err := r.cg.Children("/" + r.c.Name)
	if err != nil {
		return nil, nil, nil, err
	}
	for _, name := range cgroups {
		add(name)
	}
	dirs, err := os.ReadDir(r.c.shims().Dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil, err
	}
	for _, d := range dirs {
		add(d.Name())
	}
	for _, s := range r.c.shims().Processes() {
		add(s.Task)
	}
	shared, err := r.keeper().Tasks()
	boxes, berr := r.sandboxes().Tasks()
	stored, serr := r.storage().Tasks()
	for _, task := range slices.Concat(shared, boxes, stored) {
		add(task)
	}
	return out, ahead, whole, errors.Join(err, berr, serr)
}

// sweepPulls ends the leases of pulls that an earlier process did not finish.
func (r *Runtime) sweepPulls(ctx context.Context) error {
	list, err := r.cd.LeasesService().List(ctx)
	errs := []error{err}
	for _, l := range list {
		if by, ok := l.Labels[labelUser]; ok && by != r.id {
			// What only the lease kept goes with it, not some time later.
			errs = append(errs, r.deleteLease(ctx, l.ID, leases.SynchronousDelete))
		}
	}
	return errors.Join(errs...)
}

// sweepSnapshots removes active snapshots that no container has. Views go with
// the lease they were made under. Only those are asked about that were not whole
// a moment ago: a question each would be a good part of a restart with hundreds.
func (r *Runtime) sweepSnapshots(ctx context.Context, whole map[string]bool) error {
	svc := r.cd.SnapshotService(snapshotter)
	var orphans []string
	err := svc.Walk(ctx, func(ctx context.Context, info snapshots.Info) error {
		if info.Kind == snapshots.KindCommitted || !containerIDRule.MatchString(info.Name) || whole[info.Name] {
			return nil
		}
		_, err := r.cd.ContainerService().Get(ctx, info.Name)
		if errdefs.IsNotFound(err) {
			orphans = append(orphans, info.Name)
			return nil
		}
		return err
	})
	errs := []error{err}
	for _, key := range orphans {
		if err := svc.Remove(ctx, key); err != nil && !errdefs.IsNotFound(err) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
