package usage

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-ecs/berth/node/runtime"
	"github.com/berth-ecs/berth/node/runtime/cgroup"
	"github.com/berth-ecs/berth/session"
)

// readings answers one reading after another.
type readings []runtime.Stats

func (r *readings) Stats(context.Context, string) (runtime.Stats, error) {
	if len(*r) == 0 {
		return runtime.Stats{}, errors.New("gone")
	}
	s := (*r)[0]
	*r = (*r)[1:]
	return s, nil
}

var noon = time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)

func reading0(at time.Duration, cpu time.Duration, rx uint64) runtime.Stats {
	return runtime.Stats{
		At: noon.Add(at), Cgroup: cgroup.Stats{CPUTotal: uint64(cpu), Memory: 30 << 20, MemoryInactiveFile: 10 << 20, ReadBytes: 5},
		Networks: map[string]runtime.NetworkStats{"lo": {RxBytes: 99}, "eth0": {RxBytes: rx, TxBytes: 1}},
	}
}

func TestMetric(t *testing.T) {
	s := New(&readings{reading0(0, 0, 100), reading0(20*time.Second, 30*time.Second, 300)})
	if _, ok, err := s.Metric(t.Context(), "a", noon.Add(-time.Hour)); ok || err != nil {
		t.Errorf("a first reading has nothing to compare with: %t, %v", ok, err)
	}
	got, ok, err := s.Metric(t.Context(), "a", noon.Add(-time.Hour))
	if !ok || err != nil {
		t.Fatal(ok, err)
	}
	one := func(v float64) *session.StatsSet { return &session.StatsSet{Min: v, Max: v, SampleCount: 1, Sum: v} }
	zero := one(0)
	want := session.ContainerMetric{
		CPUStatsSet: one(150), MemoryStatsSet: one(20), StorageStatsSet: &session.StorageStatsSet{ReadSizeBytes: one(5), WriteSizeBytes: zero},
		NetworkStatsSet: &session.NetworkStatsSet{
			RxBytes: one(300), TxBytes: one(1), RxBytesPerSecond: one(10), TxBytesPerSecond: zero,
			RxPackets: zero, RxDropped: zero, RxErrors: zero, TxPackets: zero, TxDropped: zero, TxErrors: zero,
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, _, err := s.Metric(t.Context(), "a", noon.Add(-time.Hour)); err == nil {
		t.Error("a container that is gone has no metric")
	}
}

func TestConsumersDoNotDisturbEachOther(t *testing.T) {
	s := New(&readings{reading0(0, 0, 0), reading0(10*time.Second, 10*time.Second, 50), reading0(20*time.Second, 20*time.Second, 100)})
	if _, _, err := s.Metric(t.Context(), "a", noon.Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Docker(t.Context(), "a", "name"); err != nil {
		t.Fatal(err)
	}
	got, _, err := s.Metric(t.Context(), "a", noon.Add(-time.Hour))
	if err != nil || got.CPUStatsSet.Sum != 100 || got.NetworkStatsSet.RxBytesPerSecond.Sum != 5 {
		t.Errorf("%+v, %v", got, err)
	}
	s.Forget(func(string) bool { return false })
	if len(s.published)+len(s.shown) != 0 {
		t.Error("remembered what was forgotten")
	}
}

func TestDocker(t *testing.T) {
	s := New(&readings{reading0(0, time.Second, 0), reading0(10*time.Second, 3*time.Second, 50)})
	if first, err := s.Docker(t.Context(), "a", "name"); err != nil || !first.PreRead.IsZero() || first.Rates != nil {
		t.Errorf("%+v, %v", first, err)
	}
	got, err := s.Docker(t.Context(), "a", "name")
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	var m struct {
		ID     string `json:"id"`
		CPU    CPU    `json:"cpu_stats"`
		PreCPU CPU    `json:"precpu_stats"`
		Memory Memory `json:"memory_stats"`
		Rates  Rates  `json:"network_rate_stats"`
		Nets   map[string]Network
	}
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	if m.ID != "a" || m.CPU.Usage.Total != 3e9 || m.PreCPU.Usage.Total != 1e9 || m.CPU.System < m.PreCPU.System || m.Memory.Usage != 30<<20 || m.Rates.Rx != 5 {
		t.Errorf("%s", b)
	}
	if _, lo := got.Networks["lo"]; lo || got.Networks["eth0"].RxBytes != 50 {
		t.Errorf("networks %+v", got.Networks)
	}
}

func TestAYoungContainersFirstMetricIsOfItsLife(t *testing.T) {
	s := New(&readings{reading0(10*time.Second, 5*time.Second, 200)})
	got, ok, err := s.Metric(t.Context(), "a", noon)
	if !ok || err != nil || got.CPUStatsSet.Sum != 50 || got.NetworkStatsSet.RxBytesPerSecond.Sum != 20 {
		t.Errorf("%+v, %t, %v", got, ok, err)
	}
}
