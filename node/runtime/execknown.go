package runtime

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/containerd/errdefs"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-ecs/berth/node/runtime/enter"
)

// execKnown is what an exec has of the container: its process' environment, user, directory and limits, and, where a
// container can be entered, what that takes.
type execKnown struct {
	process *specs.Process
	rights  *enter.Rights // nil: only containerd can
	pid     int           // of the first process
}

// execSpec looks a container up, once.
func (r *Runtime) execSpec(ctx context.Context, id string) (*execKnown, error) {
	if k, ok := r.execs.Get(id); ok {
		return k, nil
	}
	c, err := r.cd.ContainerService().Get(ctx, id)
	if errdefs.IsNotFound(err) {
		return nil, notFound(id)
	}
	if err != nil {
		return nil, err
	}
	var s specs.Spec
	if err := json.Unmarshal(c.Spec.GetValue(), &s); err != nil {
		return nil, fmt.Errorf("specification of %s: %w", id, err)
	}
	k := &execKnown{process: s.Process}
	if r.enter != nil && !r.sandboxed(id[:32]) {
		if k.rights, err = enter.RightsOf(&s); err != nil {
			r.log.Info("health checks of a container go through containerd", "container", id, "why", err)
		}
	}
	if k.rights != nil {
		p, err := r.process(ctx, id)
		if err != nil {
			return nil, err
		}
		if p == nil || p.Pid == 0 {
			return k, nil // not running yet: asked again
		}
		k.pid = int(p.Pid)
		if err := k.rights.Inherit(k.pid); err != nil {
			return nil, err
		}
	}
	r.execs.Put(id, k)
	return k, nil
}

// place is where the checks of a container run.
func (r *Runtime) place(id string, pid int) (enter.Place, error) {
	path := r.containerCgroup(id[:32], id)
	seat, err := r.cg.Seat(path, "check")
	if err != nil {
		return enter.Place{}, err
	}
	return enter.Place{PID: pid, Member: path, Join: seat.Join, Kill: seat.Kill, ByKill: seat.ByKill}, nil
}
