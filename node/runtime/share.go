package runtime

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/berth-ecs/berth/node/runtime/shared"
	"github.com/berth-ecs/berth/node/runtime/spec"
)

// Sharing of a process or IPC namespace: with the machine, or with the other containers of the task.
const (
	ShareHost = "host"
	ShareTask = "task"
	ShareNone = "none" // of IPC: private, and without /dev/shm
)

func (r *Runtime) keeper() shared.Config {
	return shared.Config{Program: r.initFile(), Dir: r.c.RunDir, Cgroups: r.cg}
}

// pauseCgroup holds nothing but the process that keeps a task's shared namespaces.
func (r *Runtime) pauseCgroup(task string) string { return r.taskCgroup(task) + "/pause" }

// shmDir is where the shared memory of a task with one IPC namespace is mounted.
func (r *Runtime) shmDir(task string) string { return filepath.Join(r.shmRoot(), task) }

func (r *Runtime) shmRoot() string { return filepath.Join(r.c.RunDir, "shm") }

// prepareShared makes what containers of a task share beside limits and shim.
func (r *Runtime) prepareShared(ctx context.Context, t Task) error {
	if !t.SharePID && !t.ShareIPC {
		return nil
	}
	if t.ShareIPC {
		if err := shared.MountShm(r.shmDir(t.ID), max(t.ShmBytes, spec.DefaultShm)); err != nil {
			return err
		}
	}
	return r.keeper().Ensure(ctx, r.pauseCgroup(t.ID))
}

// releaseShared takes it away; containers are gone by then.
func (r *Runtime) releaseShared(ctx context.Context, task string) error {
	return errors.Join(r.keeper().End(ctx, r.pauseCgroup(task)), shared.UnmountShm(r.shmDir(task)))
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
	pid, err := r.keeper().Pid(r.pauseCgroup(c.TaskID))
	if err != nil {
		return err
	}
	if pid == 0 {
		return errors.New("the process that keeps the task's shared namespaces has ended")
	}
	if c.PID == ShareTask {
		in.Pidns = shared.Namespace(pid, "pid")
	}
	if c.IPC == ShareTask {
		in.Ipcns, in.ShmDir = shared.Namespace(pid, "ipc"), r.shmDir(c.TaskID)
	}
	return nil
}

// sharedTraces are the tasks of which shared memory is left.
func (r *Runtime) sharedTraces(add func(task string)) error {
	entries, err := os.ReadDir(r.shmRoot())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		add(e.Name())
	}
	return err
}
