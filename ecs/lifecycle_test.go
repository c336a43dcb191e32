package ecs

import (
	"testing"

	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

func TestFirstWhoStopsGivesTheReason(t *testing.T) {
	d := &TaskDesired{Status: TaskRunning}
	d, ok := d.Stopped(shape.TaskStopCodeUserInitiated, ReasonUserStopped, at(1))
	if !ok || d.Status != TaskStopped || d.Version != 1 || !d.StoppingAt.Equal(at(1)) {
		t.Fatalf("%+v", d)
	}
	if again, ok := d.Stopped(shape.TaskStopCodeServiceSchedulerInitiated, "later", at(2)); ok || again.Reason != ReasonUserStopped {
		t.Errorf("the second stop won: %+v", again)
	}
}

func TestShownStatus(t *testing.T) {
	awsvpc := &Interface{}
	for _, c := range []struct {
		name       string
		network    *Interface
		desired    string
		last       string
		containers string
		want       string
		wantWish   string
	}{
		{"starting", nil, TaskRunning, TaskPending, TaskPending, TaskPending, TaskRunning},
		{"running", nil, TaskRunning, TaskRunning, TaskRunning, TaskRunning, TaskRunning},
		{"stopping", nil, TaskStopped, TaskRunning, TaskRunning, TaskStopping, TaskStopped},
		{"containers ended, shared network", nil, TaskStopped, TaskRunning, TaskStopped, TaskStopping, TaskStopped},
		{"containers ended, own interface", awsvpc, TaskStopped, TaskRunning, TaskStopped, TaskDeprovisioning, TaskStopped},
		{"stopped by itself", nil, TaskRunning, TaskStopped, TaskStopped, TaskStopped, TaskStopped},
	} {
		v := TaskView{Task: &Task{Interface: c.network}, Desired: &TaskDesired{Status: c.desired},
			Status: &TaskStatus{LastStatus: c.last, Containers: []ContainerStatus{{LastStatus: c.containers}}}}
		if got := v.ShownStatus(); got != c.want {
			t.Errorf("%s: lastStatus %s, want %s", c.name, got, c.want)
		}
		if got := v.ShownDesired(); got != c.wantWish {
			t.Errorf("%s: desiredStatus %s, want %s", c.name, got, c.wantWish)
		}
	}
}
