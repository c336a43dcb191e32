package plan_test

import (
	"testing"

	"github.com/berth-ecs/berth/node/agent/plan"
)

func TestUnitsOfATask(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		cpu    float64
		shares []uint64
		want   uint64
	}{
		{"none asks", 0, []uint64{2, 2}, 128},
		{"some ask", 0, []uint64{256, 2, 512}, 768},
		{"little is raised", 0, []uint64{10}, 128},
		{"the task's own count", 0.5, []uint64{2048}, 512},
		{"little of the task's own", 0.05, nil, 128},
	} {
		task := plan.Task{CPU: c.cpu}
		for _, s := range c.shares {
			task.Containers = append(task.Containers, plan.Container{CPUShares: s})
		}
		if got := task.CPUUnits(); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}
