package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// period is the kernel's default CFS period in microseconds; the ECS agent uses it too.
const period = 100_000

// minQuota is the smallest quota the kernel takes.
const minQuota = 1_000

// controllers2 are what a task's containers need on v2.
var controllers2 = []string{"cpuset", "cpu", "io", "memory", "pids"}

// setting is one file to write.
type setting struct {
	controller, file, value string
	optional                bool // the kernel may lack it
}

// quota turns vCPUs into microseconds of CPU per period.
func quota(cpu float64) int64 {
	return max(int64(cpu*period), minQuota)
}

// settings1 are l's files on v1, in an order that the kernel takes whether the limits are new, rise or fall: memory is never above memory and
// swap, so that one goes out of the way first.
func settings1(l Limits) []setting {
	var out []setting
	if l.MemoryBytes > 0 {
		v := strconv.FormatInt(l.MemoryBytes, 10)
		out = append(out,
			setting{controller: "memory", file: "memory.memsw.limit_in_bytes", value: "-1", optional: true},
			setting{controller: "memory", file: "memory.limit_in_bytes", value: v},
			setting{controller: "memory", file: "memory.memsw.limit_in_bytes", value: strconv.FormatInt(l.MemoryBytes+l.SwapBytes, 10), optional: true})
	}
	if l.CPU > 0 {
		out = append(out,
			setting{controller: "cpu", file: "cpu.cfs_period_us", value: strconv.Itoa(period)},
			setting{controller: "cpu", file: "cpu.cfs_quota_us", value: strconv.FormatInt(quota(l.CPU), 10)})
	}
	if l.Units > 0 {
		one, _ := shares(l.Units)
		out = append(out, setting{controller: "cpu", file: "cpu.shares", value: strconv.FormatUint(one, 10)})
	}
	if l.Pids > 0 {
		out = append(out, setting{controller: "pids", file: "pids.max", value: strconv.FormatInt(l.Pids, 10)})
	}
	return out
}

// settings2 are l's files on v2.
func settings2(l Limits) []setting {
	var out []setting
	if l.MemoryBytes > 0 {
		out = append(out,
			setting{file: "memory.max", value: strconv.FormatInt(l.MemoryBytes, 10)},
			setting{file: "memory.swap.max", value: strconv.FormatInt(l.SwapBytes, 10), optional: true})
	}
	if l.CPU > 0 {
		out = append(out, setting{file: "cpu.max", value: fmt.Sprintf("%d %d", quota(l.CPU), period)})
	}
	if l.Units > 0 {
		_, two := shares(l.Units)
		out = append(out, setting{file: "cpu.weight", value: strconv.FormatUint(two, 10)})
	}
	if l.Pids > 0 {
		out = append(out, setting{file: "pids.max", value: strconv.FormatInt(l.Pids, 10)})
	}
	return out
}

func (h *Hierarchy) make1(path string, l Limits) error {
	for _, controller := range []string{"memory", "cpu", "pids"} {
		if err := os.MkdirAll(filepath.Join(h.root, controller, path), 0o755); err != nil {
			return fmt.Errorf("cgroup: %w", err)
		}
	}
	for _, s := range settings1(l) {
		if err := h.write(filepath.Join(s.controller, path, s.file), s); err != nil {
			return err
		}
	}
	return nil
}

func (h *Hierarchy) make2(path string, l Limits) error {
	if err := os.MkdirAll(filepath.Join(h.root, path), 0o755); err != nil {
		return fmt.Errorf("cgroup: %w", err)
	}
	dir := ""
	for _, part := range append([]string{""}, strings.Split(strings.Trim(path, "/"), "/")...) {
		dir = filepath.Join(dir, part)
		if err := h.delegate(dir); err != nil {
			return err
		}
	}
	for _, s := range settings2(l) {
		if err := h.write(filepath.Join(path, s.file), s); err != nil {
			return err
		}
	}
	return nil
}

// delegate lets the children of dir have every controller dir itself has.
func (h *Hierarchy) delegate(dir string) error {
	text, err := os.ReadFile(filepath.Join(h.root, dir, "cgroup.controllers"))
	if err != nil {
		return fmt.Errorf("cgroup: %w", err)
	}
	has := strings.Fields(string(text))
	for _, c := range controllers2 {
		for _, name := range has {
			if name != c {
				continue
			}
			s := setting{value: "+" + c}
			if err := h.write(filepath.Join(dir, "cgroup.subtree_control"), s); err != nil {
				return err
			}
		}
	}
	return nil
}

func (h *Hierarchy) write(file string, s setting) error {
	err := os.WriteFile(filepath.Join(h.root, file), []byte(s.value), 0o600)
	if s.optional && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission)) {
		return nil // a kernel without swap accounting has nothing to limit
	}
	if err != nil {
		return fmt.Errorf("cgroup: write %q: %w", s.value, err)
	}
	return nil
}
