package runtime

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestSweepKillsAShimThatCannotBeAsked: a node that died while it started a shim has not written down where that listens.
func TestSweepKillsAShimThatCannotBeAsked(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	task := n.task(Task{})
	if err := os.Remove(filepath.Join(n.c.shimDir(task), addressFile)); err != nil {
		t.Fatal(err)
	}
	if err := n.Sweep(t.Context(), func(string) bool { return false }); err != nil {
		t.Error(err)
	}
	n.until("the shim's end", func() bool {
		return !slices.ContainsFunc(n.shimProcesses(), func(s shimProcess) bool { return s.task == task })
	})
}
