// Package telemetry keeps what agents tell of their containers' use: the last minutes, in memory, of this server.
//
// What is guaranteed:
//
//   - It is bounded: so many samples of a container, so many containers of an instance, and none that was not told of for Keep.
//   - What an instance tells is filed under that instance: of another's task it changes nothing.
//   - Berth's agent and the stock agent are read alike.
package telemetry

import (
	"sync"
	"time"

	"github.com/berth-ecs/berth/session"
)

// The bounds.
const (
	Keep         = 5 * time.Minute
	depth        = 15 // samples of a container: five minutes at an agent's pace
	perInstance  = 4000
	maxInstances = 10_000
)

// Sample is what a container used at a time.
type Sample struct {
	At         time.Time `json:"at"`
	CPU        float64   `json:"cpuPercent"` // of one core
	MemoryMiB  float64   `json:"memoryMiB"`
	RxPerSec   float64   `json:"rxBytesPerSecond"`
	TxPerSec   float64   `json:"txBytesPerSecond"`
	Network    bool      `json:"network"` // false: the agent told nothing of it
	ReadBytes  float64   `json:"readBytes"`
	WriteBytes float64   `json:"writeBytes"`
	Restarts   int64     `json:"restarts"`
}

// id names a container of an instance.
type id struct{ task, container string }

// ring is a container's newest samples, oldest first.
type ring []Sample

// Memory keeps samples. The zero value is ready; its methods may be called at once.
type Memory struct {
	mu        sync.Mutex
	instances map[string]map[id]ring
	swept     time.Time
}

// Take files what an instance (any key that names it) told at a time.
func (m *Memory) Take(instance string, told *session.PublishMetricsRequest, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sweep(now)
	of := m.instances[instance]
	if of == nil {
		if len(told.TaskMetrics) == 0 || len(m.instances) >= maxInstances {
			return
		}
		if m.instances == nil {
			m.instances = map[string]map[id]ring{}
		}
		of = map[id]ring{}
		m.instances[instance] = of
	}
	for _, t := range told.TaskMetrics {
		for _, c := range t.ContainerMetrics {
			k := id{t.TaskArn, c.ContainerName}
			if _, known := of[k]; known || len(of) < perInstance {
				of[k] = of[k].add(sample(c, now))
			}
		}
	}
}

func (r ring) add(s Sample) ring {
	if len(r) < depth {
		return append(r, s)
	}
	copy(r, r[1:])
	r[len(r)-1] = s
	return r
}

// sweep forgets what was not told of for a while.
func (m *Memory) sweep(now time.Time) {
	if now.Sub(m.swept) < Keep/5 {
		return
	}
	m.swept = now
	for i, of := range m.instances {
		for k, r := range of {
			if now.Sub(r[len(r)-1].At) > Keep {
				delete(of, k)
			}
		}
		if len(of) == 0 {
			delete(m.instances, i)
		}
	}
}

// Of answers the samples of a container of the last minutes, oldest first.
func (m *Memory) Of(instance, task, container string, now time.Time) []Sample {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []Sample
	for _, s := range m.instances[instance][id{task, container}] {
		if now.Sub(s.At) <= Keep {
			out = append(out, s)
		}
	}
	return out
}

// sample reads a container's metric. Agents sum several readings of their own into one set.
func sample(c session.ContainerMetric, now time.Time) Sample {
	s := Sample{At: now, CPU: mean(c.CPUStatsSet), MemoryMiB: mean(c.MemoryStatsSet)}
	if n := c.NetworkStatsSet; n != nil {
		s.Network = true
		s.RxPerSec, s.TxPerSec = mean(n.RxBytesPerSecond), mean(n.TxBytesPerSecond)
	}
	if n := c.StorageStatsSet; n != nil {
		s.ReadBytes, s.WriteBytes = newest(n.ReadSizeBytes), newest(n.WriteSizeBytes)
	}
	if n := c.RestartStatsSet; n != nil {
		s.Restarts = n.RestartCount
	}
	return s
}

func mean(s *session.StatsSet) float64 {
	if s == nil || s.SampleCount <= 0 {
		return 0
	}
	return s.Sum / float64(s.SampleCount)
}

// newest is the last reading of a counter that only grows.
func newest(s *session.StatsSet) float64 {
	if s == nil {
		return 0
	}
	return s.Max
}
