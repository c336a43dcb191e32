// Package keeper keeps namespaces that the containers of a task share, by a process
// that does nothing else.
//
// Guarantees:
//
//   - Which process it is stands in the kernel: it is the one in the task's cgroup
//     for it. Whoever starts it may be killed at any moment: a process that is not
//     in that cgroup yet ends by itself.
//   - It has an empty root, no mount but that, an empty network, no capability and
//     no user: what it shows of the machine to containers that may look at it, or
//     may trace it, is nothing.
package keeper

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/node/runtime/cgroup"
	"github.com/berth-ecs/berth/node/runtime/tiny"
)

// Config says how one is started.
type Config struct {
	Program string            // required: where package tiny is installed
	Dir     string            // required: a directory that is there
	Shm     string            // required: a directory; the memory that tasks share is mounted in it
	Cgroups *cgroup.Hierarchy // required
	Parent  string            // required: the cgroup that those of tasks lie in
}

// cgroup holds nothing but the process of a task.
func (c Config) cgroup(task string) string { return c.Parent + "/" + task + "/pause" }

// ShmDir is where the memory that a task's containers share is mounted.
func (c Config) ShmDir(task string) string { return filepath.Join(c.Shm, task) }

// Pid is a task's process; 0: there is none.
func (c Config) Pid(task string) (int, error) {
	pids, err := c.Cgroups.Processes(c.cgroup(task))
	if err != nil || len(pids) == 0 {
		return 0, err
	}
	return pids[0], nil
}

// ErrEnded says that a task's process is gone, and what it kept with it.
var ErrEnded = errors.New("the process that keeps the task's shared namespaces has ended")

// Check answers ErrEnded when a container's specification leads to namespaces that are not those of the task's process: it
// has a process's number, which may be another's by now.
func (c Config) Check(task string, specification []byte) error {
	var s specs.Spec
	if err := json.Unmarshal(specification, &s); err != nil {
		return err
	}
	pid, err := c.Pid(task)
	if err != nil || s.Linux == nil {
		return err
	}
	for _, ns := range s.Linux.Namespaces {
		if (ns.Type == specs.PIDNamespace || ns.Type == specs.IPCNamespace) && ns.Path != "" && ns.Path != Namespace(pid, string(ns.Type)) {
			return ErrEnded
		}
	}
	return nil
}

// Ensure starts a task's process unless it is there. With shm the task's containers share memory of that size too.
func (c Config) Ensure(ctx context.Context, task string, shm int64) error {
	if shm > 0 {
		if err := mountShm(c.ShmDir(task), shm); err != nil {
			return err
		}
	}
	if pid, err := c.Pid(task); pid > 0 || err != nil {
		return err
	}
	return c.start(ctx, task)
}

func (c Config) start(ctx context.Context, task string) error {
	if err := tiny.Install(c.Program); err != nil {
		return err
	}
	cmd := exec.Command(c.Program, "pause", c.Dir) //nolint:noctx // it outlives us
	// Of its network and host name nobody else is to be a part: whoever shares its processes sees /proc/1/net.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true,
		Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWIPC | unix.CLONE_NEWNET | unix.CLONE_NEWUTS}
	cmd.Dir, cmd.Env = "/", []string{}
	begin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	ready, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("shared namespaces: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })
	defer stop()
	err = c.Cgroups.Join(c.cgroup(task), cmd.Process.Pid)
	if err == nil {
		_, err = begin.Write([]byte{1})
	}
	_ = begin.Close() // without the byte it ends now
	_, rerr := io.ReadFull(ready, make([]byte, 1))
	if err = errors.Join(err, rerr); err != nil {
		_ = cmd.Process.Kill()
		return fmt.Errorf("shared namespaces: %w", errors.Join(err, cmd.Wait()))
	}
	go func() { _ = cmd.Wait() }() // so that it is no zombie when it ends before us
	return nil
}

const endEvery = 5 * time.Millisecond

// Release takes all of it away; the task's containers are gone by then.
func (c Config) Release(ctx context.Context, task string) error {
	return errors.Join(c.end(ctx, task), unmountShm(c.ShmDir(task)))
}

// Tasks are those of which there is memory.
func (c Config) Tasks() (out []string, err error) {
	entries, err := os.ReadDir(c.Shm)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out, err
}

// end ends a task's process, and returns when it is gone.
func (c Config) end(ctx context.Context, task string) error {
	for {
		pids, err := c.Cgroups.Processes(c.cgroup(task))
		if err != nil || len(pids) == 0 {
			return err
		}
		for _, pid := range pids {
			if err := unix.Kill(pid, unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
				return err
			}
		}
		t := time.NewTimer(endEvery)
		select {
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		case <-t.C:
		}
	}
}

// Namespace is the path of one of the process's namespaces: pid or ipc.
func Namespace(pid int, kind string) string { return fmt.Sprintf("/proc/%d/ns/%s", pid, kind) }

// mountShm mounts the memory that containers with one IPC namespace share, at dir.
func mountShm(dir string, bytes int64) error {
	if err := os.MkdirAll(dir, 0o711); err != nil {
		return err
	}
	if mounted, err := isMounted(dir); mounted || err != nil {
		return err
	}
	return os.NewSyscallError("mount /dev/shm", unix.Mount("shm", dir, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, fmt.Sprintf("mode=1777,size=%d", bytes)))
}

// unmountShm takes it away again.
func unmountShm(dir string) error {
	if err := unix.Unmount(dir, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW); err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOENT) {
		return os.NewSyscallError("unmount /dev/shm", err)
	}
	if err := os.Remove(dir); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// isMounted says whether a tmpfs is mounted at dir itself: its device differs from its parent's.
func isMounted(dir string) (bool, error) {
	var here, above unix.Stat_t
	if err := unix.Lstat(dir, &here); err != nil {
		return false, err
	}
	if err := unix.Lstat(dir+"/..", &above); err != nil {
		return false, err
	}
	return here.Dev != above.Dev, nil
}
