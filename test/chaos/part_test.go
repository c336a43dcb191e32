package chaos

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/berth-ecs/berth/test/hosts"
)

// taskOf is the task that a shim works for; "" for one that waits for a task.
func (w *world) taskOf(h *hosts.Host, shim int) string {
	dir, _ := os.Readlink(fmt.Sprintf("/proc/%d/cwd", shim)) // it may be gone by now
	id := filepath.Base(dir)
	if dir != filepath.Join(h.RunDir(), "shims", id) || len(id) != 32 {
		return ""
	}
	return id
}

// spare leaves out the shims of witnesses.
func (w *world) spare(h *hosts.Host, shims []int) []int {
	return slices.DeleteFunc(shims, func(pid int) bool { return w.witnesses[w.taskOf(h, pid)] })
}

// witnessed remembers which tasks the witnesses are; they are the same always.
func (w *world) witnessed(ids []string) error {
	if w.witnesses == nil {
		w.witnesses = map[string]bool{}
		for _, id := range ids {
			w.witnesses[id] = true
		}
	}
	for _, id := range ids {
		if !w.witnesses[id] {
			return fmt.Errorf("%w%s is a new witness", errFinal, id)
		}
	}
	return nil
}
