package cgroup

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// Place is a cgroup of berth's own processes, beside the one of tasks. On version 1 it is one of processor time only: no memory or
// process that was counted elsewhere is counted there.
type Place struct {
	h    *Hierarchy
	path string
}

// Own is where the region's process, or server and node, and containerd are.
func (h *Hierarchy) Own(name string) Place { return Place{h, "/" + name + "-own"} }

// Hold is where hold and the shims are: what they do most of is carrying what containers print.
func (h *Hierarchy) Hold(name string) Place { return Place{h, "/" + name + "-hold"} }

// Proxy is where Envoy is: it works for load balancers, and is neither of the tasks nor of who runs them.
func (h *Hierarchy) Proxy(name string) Place { return Place{h, "/" + name + "-proxy"} }

// Make makes the cgroup of a process that outlives this one.
func (p Place) Make() error { return p.make(WeightOwn, runtime.NumCPU()) }

// make makes the cgroup; on v2 it stays without controllers for children, or no process could be in it.
func (p Place) make(weight, cpus int) error {
	dir := filepath.Join(p.h.root, p.path)
	if !p.h.unified {
		dir = filepath.Join(p.h.root, "cpu", p.path)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("cgroup: %w", err)
	}
	if p.h.unified {
		if err := p.h.delegate(""); err != nil {
			return err
		}
	}
	return p.h.weigh(p.path, weight, cpus)
}

// file is one of the cgroup's.
func (p Place) file(name string) string {
	if p.h.unified {
		return filepath.Join(p.h.root, p.path, name)
	}
	return filepath.Join(p.h.root, "cpu", p.path, name)
}

// settling: a server and a node in one process settle once. Again would also move a thread that is in Hold to start something there.
var settling sync.Mutex

// Settle makes both cgroups and moves this process to Own, unless somebody chose another one for it: a supervisor that gave a service
// its limits. What it starts from then on is there too. It answers whether the process is there.
func (h *Hierarchy) Settle(name string) (bool, error) {
	settling.Lock()
	defer settling.Unlock()
	member, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return false, fmt.Errorf("cgroup: %w", err)
	}
	own, at := h.Own(name), memberOf(string(member), h.unified)
	if !movable(at) && at != own.path {
		return false, nil
	}
	cpus := runtime.NumCPU()
	if err := own.make(WeightOwn, cpus); err != nil {
		return false, err
	}
	if err := h.Hold(name).make(WeightHold, cpus); err != nil {
		return false, err
	}
	if at == own.path {
		return true, nil
	}
	if err := os.WriteFile(own.file("cgroup.procs"), []byte(strconv.Itoa(os.Getpid())), 0o600); err != nil {
		return false, fmt.Errorf("cgroup: %w", err)
	}
	return true, nil
}

// Leave moves this process out of Own, and removes the cgroups unless others are there still.
func (h *Hierarchy) Leave(name string) {
	top := Place{h, ""}
	_ = os.WriteFile(top.file("cgroup.procs"), []byte(strconv.Itoa(os.Getpid())), 0o600) // it is about to end, and removed later then
	for _, p := range []Place{h.Own(name), h.Hold(name), h.Proxy(name)} {
		_ = unix.Rmdir(p.file("")) // busy: what outlives this process is there
	}
}

// Unsettle removes the cgroups.
func (h *Hierarchy) Unsettle(name string) error {
	return errors.Join(h.Remove(h.Own(name).path), h.Remove(h.Hold(name).path), h.Remove(h.Proxy(name).path))
}

// Kill sends SIGKILL to every process there but one, which may be 0, and says whether there was any.
func (p Place) Kill(but int) (found bool, err error) {
	pids, err := p.h.Processes(p.path)
	for _, pid := range pids {
		if pid == but {
			continue
		}
		found = true
		if kerr := unix.Kill(pid, unix.SIGKILL); kerr != nil && !errors.Is(kerr, unix.ESRCH) {
			err = errors.Join(err, fmt.Errorf("kill %d in %s: %w", pid, p.path, kerr))
		}
	}
	return found, err
}

// Start starts cmd there, from its first instruction on; where there is no such cgroup, beside this process.
func (p Place) Start(cmd *exec.Cmd) error {
	dir, err := os.Open(p.file(""))
	if errors.Is(err, os.ErrNotExist) {
		return cmd.Start()
	}
	if err != nil {
		return err
	}
	defer dir.Close()
	if !p.h.unified {
		return p.startFromThread(cmd)
	}
	cmd.SysProcAttr.UseCgroupFD, cmd.SysProcAttr.CgroupFD = true, int(dir.Fd())
	return cmd.Start()
}

// startFromThread: on version 1 a child is where the thread is that forks, and a thread can go alone.
func (p Place) startFromThread(cmd *exec.Cmd) error {
	member, err := os.ReadFile("/proc/thread-self/cgroup")
	if err != nil {
		return err
	}
	back := Place{p.h, memberOf(string(member), false)}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	thread := []byte(strconv.Itoa(unix.Gettid()))
	if err := os.WriteFile(p.file("tasks"), thread, 0o600); err != nil {
		return fmt.Errorf("cgroup: %w", err)
	}
	err = cmd.Start()
	if werr := os.WriteFile(back.file("tasks"), thread, 0o600); werr != nil {
		return errors.Join(err, fmt.Errorf("cgroup: %w", werr))
	}
	return err
}

// memberOf reads where a process is, in the hierarchy of processor time or in the one there is.
func memberOf(text string, unified bool) string {
	for line := range strings.Lines(text) {
		f := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		if len(f) != 3 {
			continue
		}
		if unified && f[1] == "" {
			return f[2]
		}
		for controller := range strings.SplitSeq(f[1], ",") {
			if !unified && controller == "cpu" {
				return f[2]
			}
		}
	}
	return ""
}

// movable: nobody gave limits to who is in the root, or in the scope of somebody's login.
func movable(path string) bool {
	return path == "/" || strings.HasSuffix(path, ".scope") && strings.Contains(path, "/session-")
}
