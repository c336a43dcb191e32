package runtime

import (
	"context"
	"path/filepath"

	"github.com/berth-ecs/berth/node/runtime/keeper"
	"github.com/berth-ecs/berth/node/runtime/spec"
)

// Sharing of a process or IPC namespace: with the machine, or with the other containers of the task.
const (
	ShareHost = "host"
	ShareTask = "task"
	ShareNone = "none" // of IPC: private, and without /dev/shm
)

func (r *Runtime) keeper() keeper.Config {
	return keeper.Config{
		Program: r.initFile(), Dir: r.c.RunDir, Shm: filepath.Join(r.c.RunDir, "shm"), Cgroups: r.cg, Parent: "/" + r.c.Name,
	}
}

// prepareShared makes what containers of a task share beside limits and shim.
func (r *Runtime) prepareShared(ctx context.Context, t Task) error {
	switch {
	case t.ShareIPC:
		return r.keeper().Ensure(ctx, t.ID, max(t.ShmBytes, spec.DefaultShm))
	case t.SharePID:
		return r.keeper().Ensure(ctx, t.ID, 0)
	}
	return nil
}

func sharedInSandbox(how string) string {
	if how == ShareTask {
		return "/" + ShareTask
	}
	return spec.Private
}

// share puts a container into the namespaces it is to have.
func (r *Runtime) share(c Container, in *spec.Input) error {
	in.Pidns, in.Ipcns, in.NoShm = c.PID, c.IPC, c.IPC == ShareNone
	if in.NoShm {
		in.Ipcns = spec.Private
	}
	if c.PID != ShareTask && c.IPC != ShareTask {
		return nil
	}
	if r.sandboxed(c.TaskID) { // equal paths are one namespace there, whatever they are
		in.Pidns, in.Ipcns = sharedInSandbox(c.PID), spec.Private
		return nil
	}
	pid, err := r.keeper().Pid(c.TaskID)
	if err != nil {
		return err
	}
	if pid == 0 {
		return keeper.ErrEnded
	}
	if c.PID == ShareTask {
		in.Pidns = keeper.Namespace(pid, "pid")
	}
	if c.IPC == ShareTask {
		in.Ipcns, in.ShmDir = keeper.Namespace(pid, "ipc"), r.keeper().ShmDir(c.TaskID)
	}
	return nil
}
