package runtime

import (
	"testing"
	"time"

	"github.com/berth-ecs/berth/node/runtime/cgroup"
)

// onBoth runs a test on runc and, where gVisor is installed, in a sandbox. make is a task on it.
func (n *node) onBoth(t *testing.T, test func(t *testing.T, make func(Task) string)) {
	t.Helper()
	t.Run("runc", func(t *testing.T) { test(t, n.task) })
	if n.CanSandbox() {
		t.Run("sandbox", func(t *testing.T) { test(t, n.boxed) })
	}
}

func (n *node) usedBy(t *testing.T, task string) cgroup.Stats {
	t.Helper()
	s, err := n.cg.Stats(n.taskCgroup(task))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A task's processor time is all its containers' together, a sandbox's own included: no more than its quota for each period.
func TestProcessorTimeIsTheTasks(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	img := n.busybox()
	n.onBoth(t, func(t *testing.T, make func(Task) string) {
		t.Helper()
		task := make(Task{CPU: 0.2, MemoryMiB: 256})
		for i := range 3 {
			n.start(second(sh(task, "while :; do :; done", img), i+1))
		}
		before := n.usedBy(t, task)
		var after cgroup.Stats
		n.until("ten periods in which the task was throttled", func() bool {
			after = n.usedBy(t, task)
			return after.ThrottledPeriods >= before.ThrottledPeriods+10
		})
		const quota = 20 * time.Millisecond
		periods, used := after.Periods-before.Periods, time.Duration(after.CPUTotal-before.CPUTotal)
		if most := quota * time.Duration(periods+2) * 5 / 4; used > most { // what is given to a processor ahead comes on top
			t.Errorf("%v in %d periods, at most %v", used, periods, most)
		}
	})
}

// A task's memory is all its containers' together: they can have what it is given, and not more. What the sandbox itself takes is beside it.
func TestMemoryIsTheTasks(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	img := n.busybox()
	n.onBoth(t, func(t *testing.T, make func(Task) string) {
		t.Helper()
		task := make(Task{MemoryMiB: 512})
		n.startReady(sh(task, "dd if=/dev/zero bs=230M count=1 | (touch /ready/it; sleep 1000)", img))
		half := second(sh(task, "dd if=/dev/zero of=/dev/null bs=240M count=1", img), 2)
		n.start(half)
		if s := n.exited(half.ID); s.ExitCode != 0 {
			t.Errorf("240 MiB beside 230 of 512: %+v", s)
		}
		more := second(sh(task, "exec dd if=/dev/zero of=/dev/null bs=400M count=1", img), 3)
		n.start(more)
		if s := n.exited(more.ID); !s.OOMKilled || s.ExitCode != 137 {
			t.Errorf("400 MiB beside 230 of 512: %+v", s)
		}
	})
}

// Each container of a sandbox is told its own processor time and processes; memory cannot be told apart. Together they are the whole.
func TestSandboxStatistics(t *testing.T) {
	t.Parallel()
	n := newNode(t).sandbox()
	img, task := n.busybox(), n.boxed(Task{CPU: 1, MemoryMiB: 256})
	busy, idle := sh(task, "while :; do :; done", img), second(sh(task, "sleep 1000 & sleep 1000", img), 2)
	n.start(busy)
	n.start(idle)
	if _, err := n.Stats(t.Context(), idle.ID); err != nil {
		t.Fatal(err)
	}
	var b, i Stats
	before := n.usedBy(t, task)
	n.until("half a second of processor time", func() bool { return n.usedBy(t, task).CPUTotal > before.CPUTotal+5e8 })
	var err error
	if i, err = n.Stats(t.Context(), idle.ID); err == nil {
		b, err = n.Stats(t.Context(), busy.ID)
	}
	if err != nil {
		t.Fatal(err)
	}
	if b.Cgroup.CPUTotal < 4e8 || i.Cgroup.CPUTotal > b.Cgroup.CPUTotal/2 {
		t.Errorf("the busy one used %d ns, the idle one %d", b.Cgroup.CPUTotal, i.Cgroup.CPUTotal)
	}
	whole := n.usedBy(t, task)
	if sum := b.Cgroup.CPUTotal + i.Cgroup.CPUTotal; sum > whole.CPUTotal || sum < whole.CPUTotal*8/10 {
		t.Errorf("together %d ns of %d", sum, whole.CPUTotal)
	}
	if sum := b.Cgroup.Memory + i.Cgroup.Memory; sum > whole.Memory*11/10 || sum < whole.Memory/2 {
		t.Errorf("together %d bytes of %d", sum, whole.Memory)
	}
	if b.Cgroup.Pids != 1 || i.Cgroup.Pids < 2 || b.Cgroup.MemoryLimit != 256<<20 {
		t.Errorf("%d and %d processes, limit %d", b.Cgroup.Pids, i.Cgroup.Pids, b.Cgroup.MemoryLimit)
	}
}
