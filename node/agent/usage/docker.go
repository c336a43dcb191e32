package usage

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	node "github.com/berth-ecs/berth/node/runtime"
)

// Docker is the StatsJSON of the Docker Engine API, as far as Linux fills it, with the ECS agent's network rates.
type Docker struct {
	Read         time.Time          `json:"read"`
	PreRead      time.Time          `json:"preread"`
	PidsStats    map[string]uint64  `json:"pids_stats"`
	BlkioStats   Blkio              `json:"blkio_stats"`
	NumProcs     int                `json:"num_procs"`
	StorageStats struct{}           `json:"storage_stats"`
	CPUStats     CPU                `json:"cpu_stats"`
	PreCPUStats  CPU                `json:"precpu_stats"`
	MemoryStats  Memory             `json:"memory_stats"`
	Name         string             `json:"name"`
	ID           string             `json:"id"`
	Networks     map[string]Network `json:"networks,omitempty"`
	Rates        *Rates             `json:"network_rate_stats,omitempty"`
}

// Blkio counts block I/O.
type Blkio struct {
	ServiceBytes []BlkioEntry `json:"io_service_bytes_recursive"`
	Serviced     []BlkioEntry `json:"io_serviced_recursive"`
}

// BlkioEntry is one count of all devices.
type BlkioEntry struct {
	Major uint64 `json:"major"`
	Minor uint64 `json:"minor"`
	Op    string `json:"op"`
	Value uint64 `json:"value"`
}

// CPU is in nanoseconds.
type CPU struct {
	Usage struct {
		Total  uint64   `json:"total_usage"`
		PerCPU []uint64 `json:"percpu_usage,omitempty"`
		Kernel uint64   `json:"usage_in_kernelmode"`
		User   uint64   `json:"usage_in_usermode"`
	} `json:"cpu_usage"`
	System     uint64 `json:"system_cpu_usage,omitempty"`
	Online     int    `json:"online_cpus,omitempty"`
	Throttling struct {
		Periods   uint64 `json:"periods"`
		Throttled uint64 `json:"throttled_periods"`
		Time      uint64 `json:"throttled_time"`
	} `json:"throttling_data"`
}

// Memory is in bytes.
type Memory struct {
	Usage    uint64            `json:"usage"`
	MaxUsage uint64            `json:"max_usage,omitempty"`
	Stats    map[string]uint64 `json:"stats,omitempty"`
	Limit    uint64            `json:"limit"`
}

// Network counts one interface.
type Network struct {
	RxBytes   uint64 `json:"rx_bytes"`
	RxPackets uint64 `json:"rx_packets"`
	RxErrors  uint64 `json:"rx_errors"`
	RxDropped uint64 `json:"rx_dropped"`
	TxBytes   uint64 `json:"tx_bytes"`
	TxPackets uint64 `json:"tx_packets"`
	TxErrors  uint64 `json:"tx_errors"`
	TxDropped uint64 `json:"tx_dropped"`
}

// Rates are the ECS agent's addition.
type Rates struct {
	Rx float64 `json:"rx_bytes_per_sec"`
	Tx float64 `json:"tx_bytes_per_sec"`
}

// reading is what Docker shows of a moment.
type reading struct {
	stats  node.Stats
	system uint64
}

// Docker answers a container's counters; rates and the earlier reading are since the last call.
func (s *Sampler) Docker(ctx context.Context, id, name string) (*Docker, error) {
	stats, err := s.reader.Stats(ctx, id)
	if err != nil {
		return nil, err
	}
	system, err := systemCPU()
	if err != nil {
		return nil, err
	}
	now := reading{stats, system}
	s.mu.Lock()
	before, compare := s.shown[id]
	s.shown[id] = now
	s.mu.Unlock()
	out := docker(now)
	out.ID, out.Name = id, name
	if compare {
		out.PreRead, out.PreCPUStats = before.stats.At, before.cpu()
		if n, ok := traffic(stats); ok {
			b, _ := traffic(before.stats)
			dt := stats.At.Sub(before.stats.At)
			out.Rates = &Rates{Rx: rate(b.RxBytes, n.RxBytes, dt), Tx: rate(b.TxBytes, n.TxBytes, dt)}
		}
	}
	return out, nil
}

func docker(r reading) *Docker {
	c := r.stats.Cgroup
	out := &Docker{
		Read: r.stats.At, PidsStats: map[string]uint64{"current": c.Pids}, CPUStats: r.cpu(),
		MemoryStats: Memory{Usage: c.Memory, MaxUsage: c.MemoryMax, Limit: c.MemoryLimit, Stats: c.Fields},
		BlkioStats: Blkio{
			ServiceBytes: []BlkioEntry{{Op: "read", Value: c.ReadBytes}, {Op: "write", Value: c.WriteBytes}},
			Serviced:     []BlkioEntry{{Op: "read", Value: c.ReadOps}, {Op: "write", Value: c.WriteOps}},
		},
	}
	for name, n := range r.stats.Networks {
		if name == "lo" {
			continue
		}
		if out.Networks == nil {
			out.Networks = map[string]Network{}
		}
		out.Networks[name] = Network(n)
	}
	return out
}

func (r reading) cpu() CPU {
	var out CPU
	c := r.stats.Cgroup
	out.Usage.Total, out.Usage.PerCPU, out.Usage.Kernel, out.Usage.User = c.CPUTotal, c.PerCPU, c.CPUSystem, c.CPUUser
	out.System, out.Online = r.system, runtime.NumCPU()
	out.Throttling.Periods, out.Throttling.Throttled, out.Throttling.Time = c.Periods, c.ThrottledPeriods, c.ThrottledTime
	return out
}

// ticksPerSecond is the kernel's USER_HZ; it is 100 on every Linux that Go runs on.
const ticksPerSecond = 100

// systemCPU is what all CPUs did so far, in nanoseconds, as Docker reads it from /proc/stat.
func systemCPU() (uint64, error) {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, fmt.Errorf("usage: %w", err)
	}
	line, _, _ := bytes.Cut(b, []byte("\n"))
	f := strings.Fields(string(line))
	if len(f) < 8 || f[0] != "cpu" {
		return 0, fmt.Errorf("usage: /proc/stat begins with %.50q", line)
	}
	var ticks uint64
	for _, s := range f[1:8] {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("usage: /proc/stat: %w", err)
		}
		ticks += n
	}
	return ticks * (1e9 / ticksPerSecond), nil
}
