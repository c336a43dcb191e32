package nodeproc

import (
	"testing"

	"github.com/berth-ecs/berth/internal/config"
	"github.com/berth-ecs/berth/node/agent/plan"
)

func TestWhichTasksGetASandbox(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		runtime   string
		installed bool
		want      plan.Sandboxes
		refused   bool
	}{
		{"auto", true, plan.AllSandboxes, false},
		{"auto", false, plan.NoSandboxes, false},
		{"runc", true, plan.AskedSandboxes, false},
		{"runc", false, plan.NoSandboxes, false},
		{"runsc", true, plan.AllSandboxes, false},
		{"runsc", false, plan.NoSandboxes, true},
	} {
		got, err := sandboxes(config.Settings{FargateRuntime: c.runtime}, c.installed)
		if got != c.want || (err != nil) != c.refused {
			t.Errorf("%s, installed %v: %v %v", c.runtime, c.installed, got, err)
		}
	}
}

// Small machines keep none ready, however many are wanted.
func TestHowManySandboxesAreReady(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		wanted int
		memory uint64
		want   int
	}{{1, 1 << 30, 0}, {1, 2 << 30, 1}, {4, 5 << 30, 2}, {4, 64 << 30, 4}, {0, 64 << 30, 0}, {1, 0, 0}} {
		if got := sandboxesAhead(c.wanted, c.memory); got != c.want {
			t.Errorf("%d wanted, %d bytes: %d, not %d", c.wanted, c.memory, got, c.want)
		}
	}
	if machineMemory() == 0 {
		t.Error("the kernel does not say how much memory there is")
	}
}
