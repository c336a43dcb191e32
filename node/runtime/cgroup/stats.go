package cgroup

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Stats is what a cgroup used. Times are nanoseconds, sizes bytes.
type Stats struct {
	CPUTotal, CPUUser, CPUSystem       uint64
	PerCPU                             []uint64 // v1 only
	Periods, ThrottledPeriods          uint64
	ThrottledTime                      uint64
	Memory, MemoryMax, MemoryLimit     uint64 // MemoryMax 0: the kernel does not keep it; MemoryLimit 0: none
	MemoryCache, MemoryRSS, MemorySwap uint64
	MemoryInactiveFile                 uint64 // reclaimable page cache
	ReadBytes, WriteBytes              uint64
	ReadOps, WriteOps                  uint64
	Pids                               uint64
	Fields                             map[string]uint64 // memory.stat as the kernel has it
}

// unlimited1 is where v1's "no limit" begins (the largest page-aligned number).
const unlimited1 = uint64(1) << 62

// Stats reads the cgroup at path.
func (h *Hierarchy) Stats(path string) (Stats, error) {
	if h.unified {
		return h.stats2(path)
	}
	return h.stats1(path)
}

func (h *Hierarchy) stats1(path string) (Stats, error) {
	var s Stats
	mem := filepath.Join(h.root, "memory", path)
	var err error
	if s.Memory, err = number(filepath.Join(mem, "memory.usage_in_bytes")); err != nil {
		return s, fmt.Errorf("cgroup: %w", err)
	}
	s.MemoryMax, _ = number(filepath.Join(mem, "memory.max_usage_in_bytes"))
	if limit, err := number(filepath.Join(mem, "memory.limit_in_bytes")); err == nil && limit < unlimited1 {
		s.MemoryLimit = limit
	}
	s.Fields = table(filepath.Join(mem, "memory.stat"))
	s.MemoryCache, s.MemoryRSS, s.MemorySwap = s.Fields["total_cache"], s.Fields["total_rss"], s.Fields["total_swap"]
	s.MemoryInactiveFile = s.Fields["total_inactive_file"]

	acct := filepath.Join(h.root, "cpuacct", path)
	s.CPUTotal, _ = number(filepath.Join(acct, "cpuacct.usage"))
	s.CPUUser, _ = number(filepath.Join(acct, "cpuacct.usage_user"))
	s.CPUSystem, _ = number(filepath.Join(acct, "cpuacct.usage_sys"))
	if text, err := os.ReadFile(filepath.Join(acct, "cpuacct.usage_percpu")); err == nil {
		for _, n := range ints(text) {
			s.PerCPU = append(s.PerCPU, uint64(n))
		}
	}
	cpu := table(filepath.Join(h.root, "cpu", path, "cpu.stat"))
	s.Periods, s.ThrottledPeriods, s.ThrottledTime = cpu["nr_periods"], cpu["nr_throttled"], cpu["throttled_time"]

	blk := filepath.Join(h.root, "blkio", path)
	s.ReadBytes, s.WriteBytes = blkio(filepath.Join(blk, "blkio.throttle.io_service_bytes"))
	s.ReadOps, s.WriteOps = blkio(filepath.Join(blk, "blkio.throttle.io_serviced"))
	s.Pids, _ = number(filepath.Join(h.root, "pids", path, "pids.current"))
	return s, nil
}

func (h *Hierarchy) stats2(path string) (Stats, error) {
	var s Stats
	dir := filepath.Join(h.root, path)
	cpu := table(filepath.Join(dir, "cpu.stat"))
	if cpu == nil {
		return s, fmt.Errorf("cgroup: %s: %w", dir, fs.ErrNotExist)
	}
	const us = 1000
	s.CPUTotal, s.CPUUser, s.CPUSystem = cpu["usage_usec"]*us, cpu["user_usec"]*us, cpu["system_usec"]*us
	s.Periods, s.ThrottledPeriods, s.ThrottledTime = cpu["nr_periods"], cpu["nr_throttled"], cpu["throttled_usec"]*us

	s.Memory, _ = number(filepath.Join(dir, "memory.current"))
	s.MemoryMax, _ = number(filepath.Join(dir, "memory.peak"))
	s.MemoryLimit, _ = number(filepath.Join(dir, "memory.max")) // "max" reads as 0
	s.MemorySwap, _ = number(filepath.Join(dir, "memory.swap.current"))
	s.Fields = table(filepath.Join(dir, "memory.stat"))
	s.MemoryCache, s.MemoryRSS, s.MemoryInactiveFile = s.Fields["file"], s.Fields["anon"], s.Fields["inactive_file"]

	text, _ := os.ReadFile(filepath.Join(dir, "io.stat"))
	s.addIO(string(text))
	s.Pids, _ = number(filepath.Join(dir, "pids.current"))
	return s, nil
}

// addIO sums io.stat's devices.
func (s *Stats) addIO(text string) {
	for field := range strings.FieldsSeq(text) {
		key, value, _ := strings.Cut(field, "=")
		n, _ := strconv.ParseUint(value, 10, 64)
		switch key {
		case "rbytes":
			s.ReadBytes += n
		case "wbytes":
			s.WriteBytes += n
		case "rios":
			s.ReadOps += n
		case "wios":
			s.WriteOps += n
		}
	}
}

// blkio sums the Read and Write lines ("8:0 Read 4096") of a v1 file.
func blkio(file string) (read, write uint64) {
	text, _ := os.ReadFile(file)
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) != 3 {
			continue
		}
		n, _ := strconv.ParseUint(f[2], 10, 64)
		switch f[1] {
		case "Read":
			read += n
		case "Write":
			write += n
		}
	}
	return read, write
}

// number reads a file of one number; "max" is 0.
func number(file string) (uint64, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	v := strings.TrimSpace(string(text))
	if v == "max" {
		return 0, nil
	}
	return strconv.ParseUint(v, 10, 64)
}

// table reads a file of "key number" lines; nil when it cannot be read.
func table(file string) map[string]uint64 {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	out := map[string]uint64{}
	sc := bufio.NewScanner(bytes.NewReader(text))
	for sc.Scan() {
		key, value, ok := strings.Cut(sc.Text(), " ")
		if n, err := strconv.ParseUint(strings.TrimSpace(value), 10, 64); ok && err == nil {
			out[key] = n
		}
	}
	return out
}

// keyed reads one key of a table; a file or key that is missing counts 0.
func keyed(file, key string) (uint64, error) {
	if _, err := os.Stat(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, err
	}
	return table(file)[key], nil
}

func ints(text []byte) []int {
	var out []int
	for f := range strings.FieldsSeq(string(text)) {
		if n, err := strconv.Atoi(f); err == nil {
			out = append(out, n)
		}
	}
	return out
}
