package ecs

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// life draws the reports of one life in the order in which its node makes them.
func life(t *rapid.T, task *Task) []Report {
	var reports []Report
	if task.Interface != nil && rapid.Bool().Draw(t, "attached") {
		reports = append(reports, Report{Attached: []string{"arn:aws:ecs:us-east-1:000000000000:attachment/0", task.AttachmentARN(task.Interface.Attachment)}})
	}
	if rapid.Bool().Draw(t, "pulled") {
		reports = append(reports, Report{Status: TaskPending, Containers: []ContainerReport{{Name: "app", Status: TaskPending, ImageDigest: "sha256:1"}}})
	}
	ran := rapid.Bool().Draw(t, "ran")
	if ran {
		reports = append(reports, Report{Status: TaskRunning, Containers: []ContainerReport{bound("app"), up("side")}, PullStartedAt: at(1), PullStoppedAt: at(2)})
	}
	if rapid.Bool().Draw(t, "helper ends") {
		reports = append(reports, Report{Containers: []ContainerReport{down("side", 0, "")}})
	}
	if !rapid.Bool().Draw(t, "ends") {
		return reports
	}
	end := Report{Status: TaskStopped, ExecutionStoppedAt: at(3), PullStartedAt: at(1), PullStoppedAt: at(2)}
	if ran || rapid.Bool().Draw(t, "by itself") {
		end.Containers = []ContainerReport{up("app"), down("app", rapid.Int32Range(0, 255).Draw(t, "code"), "")}
	} else {
		end.Containers = []ContainerReport{broken("app", "CannotPullContainerError: x")}
	}
	if rapid.Bool().Draw(t, "reason") {
		end.Reason = "ResourceInitializationError: y"
	}
	return append(reports, end)
}

func bound(name string) ContainerReport {
	r := up(name)
	r.NetworkBindings = []shape.NetworkBinding{{ContainerPort: aws.Ptr(int32(80)), HostPort: aws.Ptr(int32(49153))}}
	return r
}

// Whatever the order in which reports come, and however often, the end is the same;
// on the way nothing goes back and times stay in order.
func TestFoldIsAMonotoneJoin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		task, start := pair()
		if rapid.Bool().Draw(t, "own interface") {
			task, start = wired()
		}
		reports := life(t, task)
		inOrder := start
		for i, r := range reports {
			inOrder, _ = task.Fold(inOrder, r, at(10+i))
		}
		delivered := slices.Clone(reports)
		for _, r := range reports {
			if rapid.Bool().Draw(t, "twice") {
				delivered = append(delivered, r)
			}
		}
		delivered = rapid.Permutation(delivered).Draw(t, "delivery")
		s := start
		for i, r := range delivered {
			before := s
			s, _ = task.Fold(s, r, at(10+i))
			mustNotGoBack(t, before, s)
			mustBeOrdered(t, task, s)
		}
		facts := cmpopts.IgnoreFields(TaskStatus{}, "Version", "ConnectivityAt", "PullStartedAt", "PullStoppedAt", "StartedAt", "ExecutionStoppedAt", "StoppedAt")
		if d := cmp.Diff(inOrder, s, facts); d != "" {
			t.Fatalf("the end depends on delivery (-in order +delivered):\n%s", d)
		}
	})
}

func mustNotGoBack(t *rapid.T, before, after *TaskStatus) {
	if rank(after.LastStatus) < rank(before.LastStatus) || after.Version < before.Version {
		t.Fatalf("%s went back to %s", before.LastStatus, after.LastStatus)
	}
	for i, c := range after.Containers {
		if rank(c.LastStatus) < rank(before.Containers[i].LastStatus) {
			t.Fatalf("container %s: %s went back to %s", c.Name, before.Containers[i].LastStatus, c.LastStatus)
		}
	}
	if before.LastStatus == TaskStopped && (!after.StoppedAt.Equal(before.StoppedAt) || after.Reason == "" || after.StopCode == "") {
		t.Fatalf("a stopped task lost its end: %+v", after)
	}
}

func mustBeOrdered(t *rapid.T, task *Task, s *TaskStatus) {
	last := task.CreatedAt
	for _, moment := range []time.Time{s.PullStartedAt, s.PullStoppedAt, s.StartedAt, s.ExecutionStoppedAt, s.StoppedAt} {
		if moment.IsZero() {
			continue
		}
		if moment.Before(last) {
			t.Fatalf("times out of order: %+v", s)
		}
		last = moment
	}
}
