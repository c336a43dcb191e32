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
