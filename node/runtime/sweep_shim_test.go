package runtime

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/berth-ecs/berth/node/runtime/shim"
)

// TestSweepKillsAShimThatCannotBeAsked: a node that died while it started a shim has not written down where that listens.
func TestSweepKillsAShimThatCannotBeAsked(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	task := n.task(Task{})
	if err := os.Remove(filepath.Join(n.c.shims().Path(task), shim.AddressFile)); err != nil {
		t.Fatal(err)
	}
	if err := n.Sweep(t.Context(), func(string) bool { return false }); err != nil {
		t.Error(err)
	}
	n.until("the shim's end", func() bool {
		return !slices.ContainsFunc(n.c.shims().Processes(), func(s shim.Process) bool { return s.Task == task })
	})
}
