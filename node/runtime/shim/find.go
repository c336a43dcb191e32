package shim

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
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
		id, ok := idIn(args, c.binaries(), c.Address)
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
	if name := filepath.Base(dir); dir == c.Path(name) {
		return name
	}
	return ""
}

// idIn reads a shim's command line: ours is one of the programs with our address.
func idIn(args, binaries []string, address string) (id string, ok bool) {
	if len(args) == 0 || !slices.Contains(binaries, args[0]) {
		return "", false
	}
	mine := false
	for i := 1; i+1 < len(args); i++ {
		switch args[i] {
		case "-address":
			mine = args[i+1] == address
		case "-id":
			id = args[i+1]
		}
	}
	return id, mine && id != ""
}

// Kill ends shims of the task that do not answer.
func (c Config) Kill(task string) error {
	var errs []error
	for _, s := range c.Processes() {
		if s.Task != task {
			continue
		}
		p, err := daemon.OpenProcess(s.Pid)
		if err != nil {
			if !errors.Is(err, unix.ESRCH) {
				errs = append(errs, err)
			}
			continue
		}
		if err := p.Signal(unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
			errs = append(errs, err)
		}
		_ = p.Close() // a handle
	}
	return errors.Join(errs...)
}
