package shim

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/node/runtime/daemon"
)

// Process is a shim that runs.
type Process struct {
	Pid  int
	Task string
}

// Processes finds the shims of this installation by their command line.
func (c Config) Processes() []Process {
	var tasks []string
	pids := daemon.CommandLines(func(args []string) bool {
		id, ok := c.idIn(args)
		if ok {
			task, _, _ := strings.Cut(id, "-") // containerd starts one for a container when it must
			tasks = append(tasks, task)
		}
		return ok
	})
	var out []Process
	for i, pid := range pids {
		task := c.worksFor(pid)
		if task == "" {
			task = tasks[i]
		}
		out = append(out, Process{Pid: pid, Task: task})
	}
	return out
}

// worksFor is the name of the directory a shim of ours works in: the task it is for. "" for one that containerd started.
func (c Config) worksFor(pid int) string {
	dir, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid))
	if err != nil {
		return ""
	}
	dir = strings.TrimSuffix(dir, " (deleted)")
	real, err := filepath.EvalSymlinks(c.Dir) // as the kernel tells it
	if err != nil {
		real = c.Dir
	}
	if filepath.Dir(dir) != real {
		return ""
	}
	return filepath.Base(dir)
}

// idIn reads a shim's command line: ours is one of the programs, with our address and namespace. Where it lies does not tell: a shim
// is begun by another, which resolves what BinDir has links to.
func (c Config) idIn(args []string) (id string, ok bool) {
	if name := filepath.Base(args[0]); name != Runc && name != Sandbox {
		return "", false
	}
	address, namespace := "", ""
	for i := 1; i+1 < len(args); i++ {
		switch args[i] {
		case "-address":
			address = args[i+1]
		case "-namespace":
			namespace = args[i+1]
		case "-id":
			id = args[i+1]
		}
	}
	return id, address == c.Address && namespace == c.Namespace && id != ""
}

// Kill ends the task's shims without asking them, and returns when they are gone, with what they were just starting.
func (c Config) Kill(ctx context.Context, task string) error {
	return c.kill(ctx, func(s Process) bool { return s.Task == task })
}

// KillAll does that to every shim of the installation.
func (c Config) KillAll(ctx context.Context) error {
	return c.kill(ctx, func(Process) bool { return true })
}

// kill looks until there is none: what starts a shim may have begun it after we looked, and before it was killed.
func (c Config) kill(ctx context.Context, is func(Process) bool) error {
	ctx, cancel := context.WithTimeout(ctx, killTime)
	defer cancel()
	for found := true; found; {
		found = false
		for _, s := range c.Processes() {
			if !is(s) {
				continue
			}
			found = true
			if err := end(ctx, s.Pid); err != nil {
				return fmt.Errorf("kill shim %d of %s: %w", s.Pid, s.Task, err)
			}
		}
	}
	return nil
}

// end kills a process and waits until it holds nothing any more.
func end(ctx context.Context, pid int) error {
	p, err := daemon.OpenProcess(pid)
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = p.Close() }() // a handle
	if err := p.Signal(unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
		return err
	}
	return p.Wait(ctx)
}
