package compose

import (
	"testing"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/launch"
	"github.com/berth-ecs/berth/session"
)

// A hidden task is composed as any other, of the image that nodes have in them.
func TestHiddenTasks(t *testing.T) {
	d := launch.HiddenDefinition(home)
	got := start(t, &ecs.Task{Home: home, Cluster: launch.HiddenBalancers, ID: "0123", Family: d.Family, Revision: d.Revision}, d)
	if len(got.Containers) != 1 || got.Containers[0].Image != session.PauseImage || got.Memory != 16 || got.EphemeralStorage != 0 {
		t.Errorf("%+v", got)
	}
}
