package ecs

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

var born = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func at(seconds int) time.Time { return born.Add(time.Duration(seconds) * time.Second) }

// pair is a task of an essential container "app" and a helper "side".
func pair() (*Task, *TaskStatus) {
	t := &Task{Home: Home{Account: "000000000000", Region: "us-east-1"}, Cluster: "default", ID: "t", CreatedAt: born,
		Containers: []TaskContainer{{Name: "app", Essential: true, HealthCheck: true}, {Name: "side"}}}
	return t, fresh(t)
}

func fresh(t *Task) *TaskStatus {
	s := &TaskStatus{Home: t.Home, Cluster: t.Cluster, ID: t.ID, LastStatus: TaskPending, Health: shape.HealthStatusUnknown}
	for _, c := range t.Containers {
		s.Containers = append(s.Containers, ContainerStatus{Name: c.Name, LastStatus: TaskPending, Health: shape.HealthStatusUnknown})
	}
	return s
}

func up(name string) ContainerReport {
	return ContainerReport{Name: name, Status: TaskRunning, RuntimeID: "r-" + name}
}

func down(name string, code int32, reason string) ContainerReport {
	return ContainerReport{Name: name, Status: TaskStopped, RuntimeID: "r-" + name, ExitCode: aws.Ptr(code), Reason: reason}
}

func broken(name, reason string) ContainerReport {
	return ContainerReport{Name: name, Status: TaskStopped, Reason: reason}
}

func TestStopCodeAndReason(t *testing.T) {
	running := Report{Status: TaskRunning, Containers: []ContainerReport{up("app"), up("side")}}
	const pull = "CannotPullContainerError: no such image"
	for _, c := range []struct {
		name         string
		reports      []Report
		code, reason string
	}{
		{"essential container exits", []Report{running, {Status: TaskStopped, Containers: []ContainerReport{down("app", 1, ""), down("side", 0, "")}}},
			"EssentialContainerExited", ReasonEssentialExit},
		{"out of memory after running", []Report{running, {Status: TaskStopped, Containers: []ContainerReport{
			down("app", 137, "OutOfMemoryError: Container killed due to memory usage")}}},
			"EssentialContainerExited", ReasonEssentialExit},
		{"image cannot be pulled", []Report{{Status: TaskStopped, Containers: []ContainerReport{broken("app", pull)}}},
			"TaskFailedToStart", pull},
		{"essential cannot start, helper ran", []Report{{Status: TaskStopped, Containers: []ContainerReport{
			up("side"), broken("app", "CannotStartContainerError: exec"), down("side", 7, "")}}},
			"TaskFailedToStart", "CannotStartContainerError: exec"},
		{"the task's own reason wins", []Report{{Status: TaskStopped, Reason: "Task dependencies cannot be resolved, taskArn: t",
			Containers: []ContainerReport{broken("app", pull)}}}, "TaskFailedToStart", "Task dependencies cannot be resolved, taskArn: t"},
		{"over before RUNNING was said", []Report{{Status: TaskStopped, Containers: []ContainerReport{up("app"), down("app", 0, "")}}},
			"EssentialContainerExited", ReasonEssentialExit},
		{"killed for memory before RUNNING was said", []Report{{Status: TaskStopped, Containers: []ContainerReport{
			down("app", 137, "OutOfMemoryError: Container killed due to memory usage")}}},
			"EssentialContainerExited", ReasonEssentialExit},
		{"nothing is known", []Report{{Status: TaskStopped}}, "TaskFailedToStart", ReasonFailedToStart},
	} {
		t.Run(c.name, func(t *testing.T) {
			task, s := pair()
			for i, r := range c.reports {
				s, _ = task.Fold(s, r, at(i+1))
			}
			if s.StopCode != c.code || s.Reason != c.reason {
				t.Errorf("%s %q, want %s %q", s.StopCode, s.Reason, c.code, c.reason)
			}
		})
	}
}

func TestRunningOnlyWhenReported(t *testing.T) {
	task, s := pair()
	s, changed := task.Fold(s, Report{Containers: []ContainerReport{up("app"), up("side")}}, at(1))
	if !changed || s.LastStatus != TaskPending || !s.StartedAt.IsZero() {
		t.Errorf("containers alone made the task %s, started %v", s.LastStatus, s.StartedAt)
	}
	s, _ = task.Fold(s, Report{Status: TaskRunning}, at(2))
	if s.LastStatus != TaskRunning || !s.StartedAt.Equal(at(2)) {
		t.Errorf("%s, started %v", s.LastStatus, s.StartedAt)
	}
}

func TestFoldOfNothingNewIsNoChange(t *testing.T) {
	task, s := pair()
	r := Report{Status: TaskRunning, Containers: []ContainerReport{up("app")}, PullStartedAt: at(0), PullStoppedAt: at(1)}
	s, _ = task.Fold(s, r, at(2))
	again, changed := task.Fold(s, r, at(9))
	if changed || again != s {
		t.Errorf("a repeated report changed the status: %s", cmp.Diff(s, again))
	}
}

func TestContainersOfOneReportAreAppliedInOrder(t *testing.T) {
	task, s := pair()
	s, _ = task.Fold(s, Report{Status: TaskRunning, Containers: []ContainerReport{up("app"), up("side"), down("side", 3, "")}}, at(1))
	if got := s.Containers[1]; got.LastStatus != TaskStopped || aws.Val(got.ExitCode) != 3 || got.RuntimeID != "r-side" {
		t.Errorf("side: %+v", got)
	}
	if task.EssentialStopped(s) {
		t.Error("the end of a container that is not essential ended the task")
	}
}

func TestTimesAreMovedIntoOrder(t *testing.T) {
	task, s := pair()
	// The node's clock is an hour fast, then an hour slow.
	s, _ = task.Fold(s, Report{Status: TaskRunning, PullStartedAt: at(3600), PullStoppedAt: at(3601)}, at(5))
	s, _ = task.Fold(s, Report{Status: TaskStopped, ExecutionStoppedAt: at(-3600)}, at(9))
	want := TaskStatus{PullStartedAt: at(5), PullStoppedAt: at(5), StartedAt: at(5), ExecutionStoppedAt: at(5), StoppedAt: at(9)}
	times := cmpopts.IgnoreFields(TaskStatus{}, "Home", "Cluster", "ID", "LastStatus", "Containers", "Health", "Connectivity",
		"ConnectivityAt", "StopCode", "Reason", "Version")
	if d := cmp.Diff(want, *s, times); d != "" {
		t.Error(d)
	}
}

func TestAbandon(t *testing.T) {
	task, s := pair()
	s, _ = task.Fold(s, Report{Status: TaskRunning}, at(1))
	s, changed := task.Abandon(s, shape.TaskStopCodeTerminationNotice, ReasonDeregistration, at(2))
	if !changed || s.LastStatus != TaskStopped || !s.StoppedAt.Equal(at(2)) || s.Containers[0].LastStatus != TaskStopped {
		t.Errorf("%+v", s)
	}
	if _, changed := task.Abandon(s, "x", "y", at(3)); changed {
		t.Error("a stopped task was ended again")
	}
	late, _ := task.Fold(s, Report{Status: TaskStopped, Containers: []ContainerReport{down("app", 0, "")}}, at(4))
	if late.Reason != ReasonDeregistration || !late.StoppedAt.Equal(at(2)) {
		t.Errorf("a late report changed why or when: %q %v", late.Reason, late.StoppedAt)
	}
}
