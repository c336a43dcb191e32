package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// account is the CPU of this process and all it starts, and of the installation's containers, by the kernel's control groups.
type account struct {
	root, file string // the hierarchy, and the file of a group in it
	own, tasks string // groups
	parse      func(string) (time.Duration, error)
}

// open moves this process into a group of its own, where what it starts from now on is counted too.
func open(name string) (account, error) {
	a := account{root: "/sys/fs/cgroup/cpuacct", file: "cpuacct.usage", parse: nanoseconds, own: name + "-bench", tasks: name}
	if _, err := os.Stat(a.root); err != nil {
		a.root, a.file, a.parse = "/sys/fs/cgroup", "cpu.stat", usec
	}
	dir := filepath.Join(a.root, a.own)
	if err := os.Mkdir(dir, 0o755); err != nil {
		return a, err
	}
	return a, join(dir)
}

func join(dir string) error {
	return os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte(strconv.Itoa(os.Getpid())), 0o600)
}

// close goes back where everybody is.
func (a account) close() error {
	if err := join(a.root); err != nil {
		return err
	}
	return os.Remove(filepath.Join(a.root, a.own))
}

func (a account) used() (time.Duration, error) {
	var sum time.Duration
	for _, group := range []string{a.own, a.tasks} {
		text, err := os.ReadFile(filepath.Join(a.root, group, a.file))
		if err != nil {
			return 0, err
		}
		n, err := a.parse(string(text))
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

func nanoseconds(s string) (time.Duration, error) {
	n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
	return time.Duration(n), err
}

func usec(s string) (time.Duration, error) {
	for line := range strings.Lines(s) {
		if v, ok := strings.CutPrefix(line, "usage_usec "); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64)
			return time.Duration(n) * time.Microsecond, err
		}
	}
	return 0, fmt.Errorf("cpu.stat has no usage_usec: %q", s)
}
