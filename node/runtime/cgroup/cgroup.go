// Package cgroup makes and reads the parent cgroup of a task and the cgroups of
// its containers, and those of berth's own processes, on cgroup v1 and v2.
//
// Guarantees: a task's limits are hard (swap too: none
// unless SwapBytes says so); Make and Remove are idempotent; Remove never
// removes a cgroup that still has processes. Reading what is not there is not
// an error unless nothing is.
package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// Limits of a task; zero is no limit.
type Limits struct {
	CPU         float64 // vCPUs
	Units       uint64  // CPU units: its weight beside other tasks
	MemoryBytes int64
	Pids        int64 // processes and threads
	SwapBytes   int64 // beside the memory; only of use with a limit of it
}

// Hierarchy is the machine's cgroup mount.
type Hierarchy struct {
	root    string
	unified bool
}

// Open finds out which version is mounted at root ("" is /sys/fs/cgroup).
func Open(root string) (*Hierarchy, error) {
	if root == "" {
		root = "/sys/fs/cgroup"
	}
	var st unix.Statfs_t
	if err := unix.Statfs(root, &st); err != nil {
		return nil, fmt.Errorf("cgroup: %s: %w", root, err)
	}
	return &Hierarchy{root: root, unified: st.Type == unix.CGROUP2_SUPER_MAGIC}, nil
}

// Unified reports cgroup v2.
func (h *Hierarchy) Unified() bool { return h.unified }

// Make creates the cgroup at path ("/name/task") with limits; again is fine.
func (h *Hierarchy) Make(path string, l Limits) error {
	if h.unified {
		return h.make2(path, l)
	}
	return h.make1(path, l)
}

// Remove removes the cgroup at path and everything empty below it.
func (h *Hierarchy) Remove(path string) error {
	var errs []error
	for _, dir := range h.dirs(path) {
		errs = append(errs, removeTree(dir))
	}
	return errors.Join(errs...)
}

// Children lists the cgroups directly below path.
func (h *Hierarchy) Children(path string) ([]string, error) {
	seen := map[string]bool{}
	var out []string
	for _, dir := range h.dirs(path) {
		entries, err := os.ReadDir(dir)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if e.IsDir() && !seen[e.Name()] {
				seen[e.Name()] = true
				out = append(out, e.Name())
			}
		}
	}
	return out, nil
}

// Processes lists the processes in the cgroup at path, without those below it.
func (h *Hierarchy) Processes(path string) ([]int, error) {
	var pids []int
	var errs []error
	// Of every hierarchy: one that was killed while it joined them is in some only.
	for _, dir := range h.dirs(path) {
		text, err := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
		switch {
		case err == nil:
			pids = append(pids, ints(text)...)
		case !errors.Is(err, fs.ErrNotExist):
			errs = append(errs, err)
		}
	}
	slices.Sort(pids)
	return slices.Compact(pids), errors.Join(errs...)
}

// OOMKills counts the processes the kernel killed in the cgroup at path for want
// of memory, whichever limit was reached.
func (h *Hierarchy) OOMKills(path string) (uint64, error) {
	if h.unified {
		return keyed(filepath.Join(h.root, path, "memory.events"), "oom_kill")
	}
	return keyed(filepath.Join(h.root, "memory", path, "memory.oom_control"), "oom_kill")
}

// dirs are the directories of path in every mounted hierarchy.
func (h *Hierarchy) dirs(path string) []string {
	if h.unified {
		return []string{filepath.Join(h.root, path)}
	}
	entries, err := os.ReadDir(h.root)
	if err != nil {
		return nil
	}
	var out []string
	for _, e := range entries {
		if e.IsDir() { // symbolic links are other names of the same hierarchy
			out = append(out, filepath.Join(h.root, e.Name(), path))
		}
	}
	return out
}

// removeTree removes dir and its descendants, deepest first. Only rmdir is
// used: the kernel refuses a cgroup that has processes.
func removeTree(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range entries {
		if e.IsDir() {
			errs = append(errs, removeTree(filepath.Join(dir, e.Name())))
		}
	}
	if err := syscall.Rmdir(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		errs = append(errs, fmt.Errorf("rmdir %s: %w", dir, err))
	}
	return errors.Join(errs...)
}

// Join makes the cgroup at path, with nothing below it, and moves a process there.
func (h *Hierarchy) Join(path string, pid int) error {
	dirs := []string{filepath.Join(h.root, path)}
	if !h.unified {
		dirs = []string{filepath.Join(h.root, "memory", path), filepath.Join(h.root, "cpu", path)}
	}
	for _, dir := range dirs {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("cgroup: %w", err)
		}
		if err := os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0o600); err != nil {
			return fmt.Errorf("cgroup: %w", err)
		}
	}
	return nil
}
