package runtime

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestSweepKillsAShimThatCannotBeAsked: a node that died while it started a shim has not written down where that listens. The
// shim keeps its log open, which is in the way until it is killed.
func TestSweepKillsAShimThatCannotBeAsked(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	task := n.task(Task{})
	if err := os.Remove(filepath.Join(n.c.shimDir(task), "address")); err != nil {
		t.Fatal(err)
	}
	open := func() bool {
		return slices.ContainsFunc(n.shimProcesses(), func(s shimProcess) bool { return s.task == task })
	}
	asked := 0
	n.Runtime.c.ShimLogDone = func(context.Context, string) error {
		if asked++; asked == 1 && open() {
			return errors.New("the log has not ended")
		}
		return nil
	}
	if err := n.Sweep(t.Context(), func(string) bool { return false }); err != nil {
		t.Error(err)
	}
	if asked != 2 {
		t.Errorf("the log was asked for its end %d times, want twice", asked)
	}
	n.until("the shim's end", func() bool { return !open() })
}
