package runtime

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/containerd/containerd/api/services/tasks/v1"
	"github.com/containerd/containerd/api/types/task"
	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/errdefs/pkg/errgrpc"

	"github.com/berth-ecs/berth/internal/clock"
	"github.com/berth-ecs/berth/node/runtime/again"
	"github.com/berth-ecs/berth/node/runtime/sandbox"
)

// List answers every container of the installation that is whole, or was and
// has ended, sorted by id. A container that a crash left half made is not among
// them: Create makes it anew, Delete and Sweep remove it.
func (r *Runtime) List(ctx context.Context) (out []State, err error) {
	err = again.Do(ctx, func() error {
		out, err = r.list(ctx)
		return err
	})
	return out, named(CannotInspectContainerError, err)
}

func (r *Runtime) list(ctx context.Context) ([]State, error) {
	// Tasks first: a container that appears in between is not yet whole, one
	// that disappears in between is gone.
	resp, err := r.cd.TaskService().List(ctx, &tasks.ListTasksRequest{})
	if err != nil {
		return nil, errgrpc.ToNative(err)
	}
	list, err := r.cd.ContainerService().List(ctx)
	if err != nil {
		return nil, err
	}
	processes := map[string]*taskProcess{}
	for _, p := range resp.Tasks {
		if processes[p.ID], err = r.truth(ctx, p); err != nil {
			return nil, err
		}
	}
	var out []State
	for _, c := range list {
		p := processes[c.ID]
		if p == nil && r.started().Has(c.ID) { // containerd also leaves out whose shim was too busy to answer
			if p, err = r.process(ctx, c.ID); err != nil {
				return nil, err
			}
		}
		s, ok, err := r.state(c, p)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b State) int { return strings.Compare(a.ID, b.ID) })
	return out, nil
}

func (r *Runtime) state(c containers.Container, p *taskProcess) (s State, ok bool, err error) {
	s = State{ID: c.ID, TaskID: c.Labels[labelTask], Name: c.Labels[labelName], Labels: maps.Clone(c.Labels)}
	maps.DeleteFunc(s.Labels, func(k, _ string) bool { return slices.Contains(ownLabels, k) })
	if s.TaskID == "" || sandbox.IsFirst(c.ID) {
		return s, false, nil // not made by us, or not for the caller
	}
	if p == nil {
		if !r.started().Has(c.ID) {
			return s, false, nil
		}
		// Its shim is gone, or the machine was off: it ran and has ended.
		s.Status, s.ExitCode, s.ExitedAt = Stopped, -1, clock.Of(c.UpdatedAt)
		return s, true, nil
	}
	if r.neverRan(p) {
		return s, false, nil
	}
	s.Pid = int(p.Pid)
	switch p.Status {
	case task.Status_CREATED:
		s.Status = Created
	case task.Status_STOPPED:
		s.Status, s.Pid = Stopped, 0
		s.ExitCode, s.ExitedAt = r.exitCode(c.ID, p.ExitStatus), clock.Of(p.ExitedAt.AsTime())
		s.OOMKilled, err = r.oomKilled(c.ID, s.ExitCode)
	default:
		s.Status = Running
	}
	return s, true, err
}

// oomKilled reads the container's own counter. containerd's TaskOOM names every
// container of the task when the task's limit was reached; the victim is the one
// whose counter rose. The counter lives until Delete.
func (r *Runtime) oomKilled(id string, exit int) (bool, error) {
	if r.sandboxed(id[:32]) && (exit != killed || r.sandboxes().Killed(id[:32], id)) {
		return false, nil // the counter is all containers'
	}
	n, err := r.cg.OOMKills(r.seat(id))
	return n > 0, err
}
