package runtime

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/node/runtime/shim"
)

// spareNode is a node that keeps a spare shim.
func spareNode(t *testing.T) *node {
	t.Helper()
	n := newNode(t)
	t.Cleanup(func() {
		if err := n.dropSpare(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	n.c.SpareShim = true
	n.reopen()
	return n
}

// reopen is another process of the node.
func (n *node) reopen() {
	n.t.Helper()
	if err := n.Close(); err != nil {
		n.t.Fatal(err)
	}
	n.open()
	if err := n.Sweep(n.t.Context(), func(string) bool { return true }); err != nil {
		n.t.Fatal(err)
	}
}

// spareShim waits for the spare shim and answers its process.
func (n *node) spareShim() int {
	n.t.Helper()
	n.until("a spare shim", func() bool {
		_, ok := n.c.shims().Answering(spareName)
		return ok
	})
	return n.shimOf(spareName)
}

// shimOf answers the one shim of a task.
func (n *node) shimOf(task string) int {
	n.t.Helper()
	var pids []int
	for _, s := range n.c.shims().Processes() {
		if s.Task == task {
			pids = append(pids, s.Pid)
		}
	}
	if len(pids) != 1 {
		n.t.Fatalf("shims of %s: %v", task, pids)
	}
	return pids[0]
}

func TestSpareShim(t *testing.T) {
	t.Parallel()
	n := spareNode(t)
	img := n.busybox()
	spare := n.spareShim()
	n.reopen()
	if got := n.spareShim(); got != spare {
		t.Errorf("the next process has spare shim %d and not %d", got, spare)
	}
	task := n.task(Task{})
	if got := n.shimOf(task); got != spare {
		t.Errorf("the task's shim is %d, not the spare one %d", got, spare)
	}
	c := sh(task, "exit 7", img)
	n.start(c)
	if s := n.exited(c.ID); s.ExitCode != 7 {
		t.Errorf("state %+v", s)
	}
	next := n.spareShim() // wanted by the start
	if next == spare {
		t.Error("the task's shim is the spare one, too")
	}
	n.reopen()
	if err := n.Release(t.Context(), task); err != nil {
		t.Error(err)
	}
	if got := n.c.shims().Processes(); len(got) != 1 || got[0].Pid != next {
		t.Errorf("shims after the task's release: %v, the spare one is %d", got, next)
	}
}

// TestSpareShimAfterKills: what a killed process leaves of a spare shim goes, and a task takes none that does not answer.
func TestSpareShimAfterKills(t *testing.T) {
	t.Parallel()
	n := spareNode(t)
	half := n.spareShim()
	if err := os.Remove(filepath.Join(n.c.shims().Path(spareName), shim.AddressFile)); err != nil {
		t.Fatal(err)
	}
	n.reopen()
	whole := n.spareShim()
	n.until("the end of the shim without an address", func() bool { return !alive(half) })
	if err := unix.Kill(whole, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	n.until("the end of the killed shim", func() bool { return !alive(whole) })
	task := n.task(Task{})
	if got := n.shimOf(task); got == whole {
		t.Error("the task has the killed shim")
	}
}

// TestAKilledShimLeavesNoSocket: a task's next shim listens elsewhere when the first was the spare one.
func TestAKilledShimLeavesNoSocket(t *testing.T) {
	t.Parallel()
	n := spareNode(t)
	img, spare := n.busybox(), n.spareShim()
	task := n.task(Task{})
	if got := n.shimOf(task); got != spare {
		t.Fatalf("the task's shim is %d, not the spare one %d", got, spare)
	}
	if err := unix.Kill(spare, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	n.until("the end of the killed shim", func() bool { return !alive(spare) })
	if _, s := n.output(sh(task, "exit 7", img)); s.ExitCode != 7 {
		t.Errorf("state %+v", s)
	}
	if err := n.Release(t.Context(), task); err != nil {
		t.Error(err)
	}
	if err := n.dropSpare(t.Context()); err != nil {
		t.Error(err)
	}
	n.checkNothingLeft()
}
