package cgroup

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSettings(t *testing.T) {
	t.Parallel()
	unexported := cmp.AllowUnexported(setting{})
	for _, c := range []struct {
		l      Limits
		v1, v2 []setting
	}{
		{Limits{}, nil, nil},
		{
			Limits{CPU: 0.25, MemoryBytes: 512 << 20, Pids: 4096},
			[]setting{
				{"memory", "memory.memsw.limit_in_bytes", "-1", true},
				{"memory", "memory.limit_in_bytes", "536870912", false}, {"memory", "memory.memsw.limit_in_bytes", "536870912", true},
				{"cpu", "cpu.cfs_period_us", "100000", false}, {"cpu", "cpu.cfs_quota_us", "25000", false},
				{"pids", "pids.max", "4096", false},
			},
			[]setting{{"", "memory.max", "536870912", false}, {"", "memory.swap.max", "0", true}, {"", "cpu.max", "25000 100000", false}, {"", "pids.max", "4096", false}},
		},
		{Limits{Units: 512}, []setting{{"cpu", "cpu.shares", "512", false}}, []setting{{"", "cpu.weight", "50", false}}},
		{Limits{CPU: 0.001}, []setting{{"cpu", "cpu.cfs_period_us", "100000", false}, {"cpu", "cpu.cfs_quota_us", "1000", false}}, []setting{{"", "cpu.max", "1000 100000", false}}},
	} {
		if d := cmp.Diff(c.v1, settings1(c.l), unexported); d != "" {
			t.Errorf("v1 %+v: %s", c.l, d)
		}
		if d := cmp.Diff(c.v2, settings2(c.l), unexported); d != "" {
			t.Errorf("v2 %+v: %s", c.l, d)
		}
	}
}

// files writes a hierarchy's files, as a kernel would show them.
func files(t *testing.T, in map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range in {
		p := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestStats1(t *testing.T) {
	t.Parallel()
	h := &Hierarchy{root: files(t, map[string]string{
		"memory/b/memory.usage_in_bytes": "1000\n", "memory/b/memory.max_usage_in_bytes": "2000\n", "memory/b/memory.limit_in_bytes": "9223372036854771712\n",
		"memory/b/memory.stat": "cache 1\ntotal_cache 300\ntotal_rss 600\ntotal_inactive_file 100\n", "memory/b/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
		"memory/b/cgroup.procs": "12\n13\n", "cpuacct/b/cpuacct.usage": "5000\n", "cpuacct/b/cpuacct.usage_user": "3000\n", "cpuacct/b/cpuacct.usage_sys": "2000\n",
		"cpuacct/b/cpuacct.usage_percpu": "2500 2500 \n", "cpu/b/cpu.stat": "nr_periods 10\nnr_throttled 4\nthrottled_time 77\n",
		"blkio/b/blkio.throttle.io_service_bytes": "8:0 Read 100\n8:0 Write 50\n8:16 Read 1\n8:0 Total 150\nTotal 151\n", "blkio/b/blkio.throttle.io_serviced": "8:0 Read 2\n8:0 Write 1\n",
		"pids/b/pids.current": "2\n",
	})}
	got, err := h.Stats("/b")
	want := Stats{
		CPUTotal: 5000, CPUUser: 3000, CPUSystem: 2000, PerCPU: []uint64{2500, 2500}, Periods: 10, ThrottledPeriods: 4, ThrottledTime: 77,
		Memory: 1000, MemoryMax: 2000, MemoryCache: 300, MemoryRSS: 600, MemoryInactiveFile: 100, ReadBytes: 101, WriteBytes: 50, ReadOps: 2, WriteOps: 1, Pids: 2,
		Fields: map[string]uint64{"cache": 1, "total_cache": 300, "total_rss": 600, "total_inactive_file": 100},
	}
	if d := cmp.Diff(want, got); err != nil || d != "" {
		t.Error(err, d)
	}
	if n, err := h.OOMKills("/b"); n != 2 || err != nil {
		t.Errorf("kills: %d %v", n, err)
	}
	if n, err := h.OOMKills("/none"); n != 0 || err != nil {
		t.Errorf("kills of none: %d %v", n, err)
	}
	if p, err := h.Processes("/b"); len(p) != 2 || err != nil {
		t.Errorf("processes: %v %v", p, err)
	}
	if _, err := h.Stats("/none"); err == nil {
		t.Error("stats of none")
	}
}

// TestProcessesOfOneHierarchy: what was killed while it joined the hierarchies is in some.
func TestProcessesOfOneHierarchy(t *testing.T) {
	t.Parallel()
	h := &Hierarchy{root: files(t, map[string]string{
		"memory/b/cgroup.procs": "", "cpu/b/cgroup.procs": "7\n", "blkio/b/cgroup.procs": "7\n5\n", "pids/a/cgroup.procs": "9\n",
	})}
	got, err := h.Processes("/b")
	if d := cmp.Diff([]int{5, 7}, got); err != nil || d != "" {
		t.Error(err, d)
	}
}

func TestStats2(t *testing.T) {
	t.Parallel()
	h := &Hierarchy{unified: true, root: files(t, map[string]string{
		"b/cpu.stat": "usage_usec 5\nuser_usec 3\nsystem_usec 2\nnr_periods 10\nnr_throttled 4\nthrottled_usec 7\n", "b/memory.current": "1000\n", "b/memory.peak": "2000\n",
		"b/memory.max": "max\n", "b/memory.stat": "anon 600\nfile 300\ninactive_file 100\n", "b/memory.events": "low 0\noom 1\noom_kill 1\n",
		"b/io.stat": "8:0 rbytes=100 wbytes=50 rios=2 wios=1 dbytes=0 dios=0\n8:16 rbytes=1 wbytes=0 rios=0 wios=0\n", "b/pids.current": "2\n",
	})}
	got, err := h.Stats("/b")
	want := Stats{
		CPUTotal: 5000, CPUUser: 3000, CPUSystem: 2000, Periods: 10, ThrottledPeriods: 4, ThrottledTime: 7000, Memory: 1000, MemoryMax: 2000, MemoryCache: 300, MemoryRSS: 600,
		MemoryInactiveFile: 100, ReadBytes: 101, WriteBytes: 50, ReadOps: 2, WriteOps: 1, Pids: 2, Fields: map[string]uint64{"anon": 600, "file": 300, "inactive_file": 100},
	}
	if d := cmp.Diff(want, got); err != nil || d != "" {
		t.Error(err, d)
	}
	if n, err := h.OOMKills("/b"); n != 1 || err != nil {
		t.Errorf("kills: %d %v", n, err)
	}
}

// On v2 a parent hands its controllers down before it is given limits.
func TestMake2Delegates(t *testing.T) {
	t.Parallel()
	h := &Hierarchy{unified: true, root: files(t, map[string]string{
		"cgroup.controllers": "cpu memory pids\n", "x/cgroup.controllers": "cpu memory pids\n", "x/t/cgroup.controllers": "cpu memory pids\n",
	})}
	for range 2 {
		if err := h.Make("/x/t", Limits{CPU: 2, MemoryBytes: 4096}); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{
		"cgroup.subtree_control": "+pids", "x/cgroup.subtree_control": "+pids", "x/t/cgroup.subtree_control": "+pids", "x/t/cpu.max": "200000 100000", "x/t/memory.max": "4096", "x/t/memory.swap.max": "0",
	} {
		got, err := os.ReadFile(filepath.Join(h.root, name))
		if err != nil || string(got) != want {
			t.Errorf("%s: %q %v", name, got, err)
		}
	}
}

func TestRealHierarchy(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	h, err := Open("")
	if err != nil {
		t.Fatal(err)
	}
	path := "/" + unique()
	for range 2 {
		if err := h.Make(path+"/t", Limits{CPU: 0.5, MemoryBytes: 64 << 20}); err != nil {
			t.Fatal(err)
		}
	}
	if c, err := h.Children(path); len(c) != 1 || c[0] != "t" || err != nil {
		t.Errorf("children: %v %v", c, err)
	}
	s, err := h.Stats(path + "/t")
	if err != nil || s.MemoryLimit != 64<<20 {
		t.Errorf("stats: %+v %v", s, err)
	}
	for range 2 {
		if err := h.Remove(path); err != nil {
			t.Error(err)
		}
	}
	if c, err := h.Children(path); len(c) != 0 || err != nil {
		t.Errorf("left: %v %v", c, err)
	}
}

// A task that is made again may have become larger, as one that goes on in a sandbox has, or smaller.
func TestLimitsRiseAndFall(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	h, err := Open("")
	if err != nil {
		t.Fatal(err)
	}
	path := "/cgrise" + filepath.Base(t.TempDir())
	t.Cleanup(func() {
		if err := h.Remove(path); err != nil {
			t.Error(err)
		}
	})
	for _, mb := range []int64{64, 128, 32, 32, 96} {
		if err := h.Make(path, Limits{MemoryBytes: mb << 20}); err != nil {
			t.Fatalf("%d MiB: %v", mb, err)
		}
		if s, err := h.Stats(path); err != nil || s.MemoryLimit != uint64(mb)<<20 {
			t.Errorf("%d MiB: %+v %v", mb, s, err)
		}
	}
}
