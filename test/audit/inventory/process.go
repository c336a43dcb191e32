package inventory

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// process is one that belongs to the installation.
type process struct {
	pid   int
	class string // containerd, shim, hold, envoy, container, pause (keeps what a task shares), sandbox, gofer, other
	owner string
	args  []string
}

// takeProcesses finds processes by cgroup and by command line, and the ports they listen on.
func (v *Inventory) takeProcesses(o Options) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		v.fail("processes", err)
		return
	}
	skip := ancestors(os.Getpid())
	cgroup := inCgroup(o.Name)
	owners := map[string]string{}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || skip[pid] {
			continue
		}
		args := strings.Split(strings.TrimRight(readProc(pid, "cmdline"), "\x00"), "\x00")
		path := cgroup.FindString(readProc(pid, "cgroup"))
		p, ok := classify(o, pid, args, path)
		if !ok {
			continue
		}
		key := fmt.Sprintf("%s %s pid %d", p.class, p.owner, p.pid)
		v.add(Process, key, p.owner, strings.Join(args, " "))
		for _, inode := range sockets(pid) {
			owners[inode] = key
		}
	}
	v.takePorts(owners)
}

// classify tells what a process is to the installation; ok is false when it is nothing to it. A process that was
// destroyed but not collected has no arguments and still counts.
func classify(o Options, pid int, args []string, cgroup string) (process, bool) {
	p := process{pid: pid, args: args}
	base := filepath.Base(args[0])
	switch {
	case strings.HasPrefix(base, "containerd-shim") && flagIs(args, "namespace", o.Name) && mentions(o, args):
		p.class, p.owner = "shim", shimOwner(o, pid, args)
	case base == "runsc-sandbox" && cgroup != "": // its stubs too
		p.class, p.owner = "sandbox", ownerIn(cgroup)
	case base == "runsc-gofer" && cgroup != "":
		p.class, p.owner = "gofer", cmp.Or(ownerIn(flagValue(args, "bundle")), ownerIn(cgroup))
	case cgroup != "" && filepath.Base(cgroup) == "pause":
		p.class, p.owner = "pause", ownerIn(cgroup)
	case cgroup != "":
		p.class, p.owner = "container", ownerIn(cgroup)
	case !mentions(o, args):
		return p, false
	case base == "containerd":
		p.class = "containerd"
	case len(args) > 1 && args[1] == "hold":
		p.class = "hold"
	case len(args) > 2 && args[1] == "-c" && args[2] == filepath.Join(o.RunDir, "proxy", "bootstrap.json"):
		p.class = "envoy"
	default:
		p.class, p.owner = "other", ownerIn(strings.Join(args, " "))
	}
	return p, true
}

// shimOwner is the task that a shim works for: its working directory is named after it, whatever it was started as. One
// that waits for its task is infrastructure.
func shimOwner(o Options, pid int, args []string) string {
	dir, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid))
	name, ok := strings.CutPrefix(strings.TrimSuffix(dir, " (deleted)"), filepath.Join(o.RunDir, "shims")+"/")
	switch {
	case err != nil || !ok:
		return flagValue(args, "id")
	case name == "spare" || strings.HasPrefix(name, "spare-"): // a shim, and a sandbox with its
		return ""
	}
	return name
}

// mentions: everything the installation starts is told its run or data directory.
func mentions(o Options, args []string) bool {
	for _, a := range args {
		_, value, _ := strings.Cut(a, "=")
		if o.below(a) || o.below(value) {
			return true
		}
	}
	return flagIs(args, "name", o.Name)
}

func flagValue(args []string, name string) string {
	for i, a := range args {
		flag := strings.TrimLeft(a, "-")
		if flag == a {
			continue
		}
		if k, value, ok := strings.Cut(flag, "="); ok && k == name {
			return value
		}
		if flag == name && i+1 < len(args) {
			return args[i+1]
		}
	}
	return ""
}

func flagIs(args []string, name, value string) bool { return flagValue(args, name) == value }

func readProc(pid int, file string) string {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file)) // it may be gone by now
	return string(b)
}

// ancestors are this process and those that started it: they were told the same directories.
func ancestors(pid int) map[int]bool {
	out := map[int]bool{}
	for pid > 1 {
		out[pid] = true
		stat := readProc(pid, "stat")
		fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
		if len(fields) < 2 {
			return out
		}
		pid, _ = strconv.Atoi(fields[1])
	}
	return out
}

func sockets(pid int) []string {
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	entries, _ := os.ReadDir(dir)
	var out []string
	for _, e := range entries {
		target, _ := os.Readlink(filepath.Join(dir, e.Name()))
		if inode, ok := strings.CutPrefix(target, "socket:["); ok {
			out = append(out, strings.TrimSuffix(inode, "]"))
		}
	}
	return out
}
