package runtime

import (
	"context"

	"github.com/containerd/containerd/api/types/task"

	"github.com/berth-ecs/berth/node/runtime/launch"
)

func (r *Runtime) launch(id string) launch.State {
	return launch.State(r.remains(id[:32]).RuncState(id))
}

// truth corrects what a shim believes. containerd's death cuts off the `runc start` of a start that is under way. When that had
// let go of the container's init already, the container runs, and its shim calls it created until it ends: another
// `runc start` would wait for an init that nobody will see again, or for its end and then say that it is dead.
func (r *Runtime) truth(ctx context.Context, p *taskProcess) (*taskProcess, error) {
	if p == nil || p.Status != task.Status_CREATED || p.Pid == 0 || !r.started().Has(p.ID) || !r.launch(p.ID).Past(p.Pid) {
		return p, nil
	}
	// A start that is not cut off lets go of it too. The shim answers when that is over.
	p, err := r.believed(ctx, p.ID)
	if err != nil || p == nil || p.Status != task.Status_CREATED {
		return p, err
	}
	p.Status = task.Status_RUNNING
	return p, r.launch(p.ID).Finish()
}
