package runtime

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/berth-ecs/berth/node/runtime/shim"
)

// TestSweepKillsAShimThatCannotBeAsked: a node that died while it started a shim has not written down where that listens. The shim is
// another program than the one the node knows, where that is a link.
func TestSweepKillsAShimThatCannotBeAsked(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.c.BinDir = links(t, binDir)
	containerd := n.daemon.Pid()
	n.reopen()
	if n.daemon.Pid() != containerd {
		t.Error("another containerd serves beside the first")
	}
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

// links is a directory with links to what is in another.
func links(t *testing.T, dir string) string {
	t.Helper()
	out := t.TempDir()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if err := os.Symlink(filepath.Join(dir, f.Name()), filepath.Join(out, f.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return out
}
