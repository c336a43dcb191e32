package runtime

import (
	"context"
	"errors"
	"time"

	"github.com/containerd/containerd/api/services/tasks/v1"
	"github.com/containerd/containerd/api/types/task"
	"github.com/containerd/errdefs"
	"github.com/containerd/errdefs/pkg/errgrpc"
	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/internal/failpoint"
	"github.com/berth-ecs/berth/node/runtime/again"
)

// Delete removes a container: its task (killed if it still runs), its record
// and its snapshot. What its List and Event said of it is gone afterwards. It
// is idempotent.
func (r *Runtime) Delete(ctx context.Context, id string) error {
	if !containerIDRule.MatchString(id) {
		return named(CannotStopContainerError, notFound(id))
	}
	// Alone, because the shim ends with its last container: one that is being
	// made must not join it then.
	unlock := r.tasks.Lock(id[:32])
	defer unlock()
	return named(CannotStopContainerError, again.Do(ctx, func() error { return r.remove(ctx, id) }))
}

func (r *Runtime) remove(ctx context.Context, id string) error {
	defer r.watchShim(ctx, id, removePatience)()
	if err := r.removeTask(ctx, id); err != nil {
		return err
	}
	r.execs.Drop(id)
	defer failpoint.Around(failpoint.DeleteRecords)()
	if err := r.cd.ContainerService().Delete(ctx, id); err != nil && !errdefs.IsNotFound(err) {
		return err
	}
	failpoint.Hit(failpoint.RecordDeleted)
	if err := r.cd.SnapshotService(snapshotter).Remove(ctx, id); err != nil && !errdefs.IsNotFound(err) {
		return err
	}
	if err := r.storage().Drop(id); err != nil {
		return err
	}
	failpoint.Hit(failpoint.SnapshotGone)
	if err := r.removeSandbox(ctx, id); err != nil {
		return err
	}
	failpoint.Hit(failpoint.SandboxDeleted)
	if err := errors.Join(r.started().Remove(id), r.stdins().Remove(id)); err != nil {
		return err
	}
	// runc removes the cgroup; after a crash of the shim nobody has.
	return r.cg.Remove(r.containerCgroup(id[:32], id))
}

func (r *Runtime) removeTask(ctx context.Context, id string) error {
	if p, err := r.believed(ctx, id); err == nil && p != nil && p.Status == task.Status_CREATED && !r.sandboxed(id[:32]) {
		// One that its shim takes for not started is ended first: the shim would wait 10 s for the end of its output.
		if err := r.end(ctx, id); err != nil {
			return err
		}
	}
	switch err := r.deleteTask(ctx, id); {
	case err == nil:
		return nil
	case errdefs.IsNotFound(err):
		return r.remains(id[:32]).Scrub(ctx, id)
	default: // it runs, or its shim has died
		if kerr := r.end(ctx, id); kerr != nil {
			return errors.Join(err, kerr)
		}
	}
	return r.deleteEnded(ctx, id)
}

const (
	downTime  = 10 * time.Second // what a sandbox takes to go down with what was in it, generously
	downEvery = 50 * time.Millisecond
)

// deleteEnded deletes a task that has ended. That is told a moment before its sandbox or its shim has gone down, and neither deletes anything
// in that moment. containerd may delete it meanwhile, as one whose shim has died, and not to the end.
func (r *Runtime) deleteEnded(ctx context.Context, id string) error {
	for end := time.Now().Add(downTime); ; {
		err := r.deleteTask(ctx, id)
		if err == nil || errdefs.IsNotFound(err) {
			return r.remains(id[:32]).Scrub(ctx, id)
		}
		if errdefs.IsUnavailable(err) || time.Now().After(end) || !again.Pause(ctx, downEvery) {
			return err
		}
	}
}

func (r *Runtime) deleteTask(ctx context.Context, id string) error {
	defer failpoint.Around(failpoint.DeleteTask)()
	_, err := r.cd.TaskService().Delete(ctx, &tasks.DeleteTaskRequest{ContainerID: id})
	return errgrpc.ToNative(err)
}

// end kills a container's processes and waits until they are gone.
func (r *Runtime) end(ctx context.Context, id string) error {
	svc := r.cd.TaskService()
	_, err := svc.Kill(ctx, &tasks.KillRequest{ContainerID: id, Signal: uint32(unix.SIGKILL), All: true})
	if err = errgrpc.ToNative(err); err != nil && !errdefs.IsNotFound(err) {
		return err
	}
	_, err = svc.Wait(ctx, &tasks.WaitRequest{ContainerID: id})
	if err = errgrpc.ToNative(err); err != nil && !errdefs.IsNotFound(err) {
		return err
	}
	return nil
}

func (r *Runtime) removeSandbox(ctx context.Context, id string) error {
	if err := r.cd.SandboxStore().Delete(ctx, id); err != nil && !errdefs.IsNotFound(err) {
		return err
	}
	return nil
}
