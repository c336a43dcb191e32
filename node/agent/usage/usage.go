// Package usage turns what the kernel counts of containers into what telemetry and the metadata endpoint say.
//
// What is guaranteed: each consumer compares with its own previous reading, so asking the metadata endpoint changes no
// metric; a container's first reading has no rates. Nothing is kept of containers that are not asked for again.
package usage

import (
	"context"
	"sync"
	"time"

	"github.com/berth-ecs/berth/node/runtime"
	"github.com/berth-ecs/berth/session"
)

// Reader reads a container's counters.
type Reader interface {
	Stats(ctx context.Context, id string) (runtime.Stats, error)
}

// Sampler remembers readings. Its methods may be called at once.
type Sampler struct {
	reader Reader

	mu        sync.Mutex
	published map[string]runtime.Stats // by container, as of the last metrics
	shown     map[string]reading       // by container, as of the last stats
}

// New makes a sampler.
func New(r Reader) *Sampler {
	return &Sampler{reader: r, published: map[string]runtime.Stats{}, shown: map[string]reading{}}
}

// Forget drops what is remembered of containers that keep does not name.
func (s *Sampler) Forget(keep func(id string) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id := range s.published {
		if !keep(id) {
			delete(s.published, id)
		}
	}
	for id := range s.shown {
		if !keep(id) {
			delete(s.shown, id)
		}
	}
}

const mebi = 1 << 20

// young is the age up to which a container's first metric is of its whole life.
const young = time.Minute

// Metric is a container's use since the last call, or, of a young one, since its start. False: there is nothing to
// compare with yet.
func (s *Sampler) Metric(ctx context.Context, id string, started time.Time) (m session.ContainerMetric, ok bool, err error) {
	now, err := s.reader.Stats(ctx, id)
	if err != nil {
		return m, false, err
	}
	s.mu.Lock()
	before, ok := s.published[id]
	s.published[id] = now
	s.mu.Unlock()
	if !ok && now.At.Sub(started) <= young {
		before, ok = runtime.Stats{At: started}, true // everything was nothing then
	}
	if dt := now.At.Sub(before.At); !ok || dt <= 0 || now.Cgroup.CPUTotal < before.Cgroup.CPUTotal {
		return m, false, nil
	}
	return metric(before, now), true, nil
}

// metric compares two readings of a container.
func metric(before, now runtime.Stats) session.ContainerMetric {
	dt := now.At.Sub(before.At)
	m := session.ContainerMetric{
		CPUStatsSet:    one(100 * float64(now.Cgroup.CPUTotal-before.Cgroup.CPUTotal) / float64(dt.Nanoseconds())),
		MemoryStatsSet: one(float64(memory(now)) / mebi),
		StorageStatsSet: &session.StorageStatsSet{
			ReadSizeBytes: one(float64(now.Cgroup.ReadBytes)), WriteSizeBytes: one(float64(now.Cgroup.WriteBytes)),
		},
	}
	if n, ok := traffic(now); ok {
		b, _ := traffic(before)
		m.NetworkStatsSet = &session.NetworkStatsSet{
			RxBytes: count(n.RxBytes), RxPackets: count(n.RxPackets), RxDropped: count(n.RxDropped), RxErrors: count(n.RxErrors),
			TxBytes: count(n.TxBytes), TxPackets: count(n.TxPackets), TxDropped: count(n.TxDropped), TxErrors: count(n.TxErrors),
			RxBytesPerSecond: one(rate(b.RxBytes, n.RxBytes, dt)), TxBytesPerSecond: one(rate(b.TxBytes, n.TxBytes, dt)),
		}
	}
	return m
}

// memory is the working set, as Docker and ECS count it: without page cache that can go at once.
func memory(s runtime.Stats) uint64 {
	if s.Cgroup.MemoryInactiveFile < s.Cgroup.Memory {
		return s.Cgroup.Memory - s.Cgroup.MemoryInactiveFile
	}
	return 0
}

// traffic sums a container's interfaces but the loopback.
func traffic(s runtime.Stats) (sum runtime.NetworkStats, ok bool) {
	for name, n := range s.Networks {
		if name == "lo" {
			continue
		}
		ok = true
		sum.RxBytes, sum.TxBytes = sum.RxBytes+n.RxBytes, sum.TxBytes+n.TxBytes
		sum.RxPackets, sum.TxPackets = sum.RxPackets+n.RxPackets, sum.TxPackets+n.TxPackets
		sum.RxErrors, sum.TxErrors = sum.RxErrors+n.RxErrors, sum.TxErrors+n.TxErrors
		sum.RxDropped, sum.TxDropped = sum.RxDropped+n.RxDropped, sum.TxDropped+n.TxDropped
	}
	return sum, ok
}

func rate(before, now uint64, dt time.Duration) float64 {
	if now < before || dt <= 0 {
		return 0
	}
	return float64(now-before) / dt.Seconds()
}

func count(n uint64) *session.StatsSet { return one(float64(n)) }

// one is a set of one sample.
func one(v float64) *session.StatsSet {
	return &session.StatsSet{Min: v, Max: v, SampleCount: 1, Sum: v}
}
