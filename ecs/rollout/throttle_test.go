package rollout_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/place"
	"github.com/berth-ecs/berth/ecs/rollout"
)

// failing plays a service whose tasks never reach RUNNING, and answers when each was started.
func failing(t *testing.T, svc *ecs.Service, rounds int) (starts []time.Duration, last *ecs.ServiceStatus, all []rollout.Task) {
	t.Helper()
	w := &world{svc: svc, now: epoch}
	for len(starts) < rounds {
		plan := rollout.Plan(w.input())
		w.status = plan.Status
		for _, s := range plan.Starts {
			starts = append(starts, w.now.Sub(epoch))
			for range s.Count {
				w.add(s.Deployment.ID)
			}
		}
		if len(plan.Starts) == 0 && plan.After == 0 {
			t.Fatal("nobody waits for the next try")
		}
		w.now = w.now.Add(plan.After)
		for i := range w.tasks {
			if pending(w.tasks[i]) {
				w.now = w.now.Add(time.Millisecond)
				w.end(&w.tasks[i])
			}
		}
	}
	return starts, w.status, w.tasks
}

func TestThrottleGrowsByRounds(t *testing.T) {
	starts, status, _ := failing(t, service(3, 100, 200), 14)
	var waits []time.Duration
	for i := 1; i < len(starts); i++ {
		waits = append(waits, (starts[i] - starts[i-1]).Round(time.Second))
	}
	var want []time.Duration
	for _, seconds := range []int{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900} {
		want = append(want, time.Duration(seconds)*time.Second)
	}
	if diff := cmp.Diff(want, waits); diff != "" {
		t.Error(diff)
	}
	d := status.Deployments[0]
	if d.Failures != 13 || d.FailedTasks != 39 {
		t.Errorf("%d rounds, %d failed tasks", d.Failures, d.FailedTasks)
	}
}

func TestASuccessForgetsFailures(t *testing.T) {
	svc := service(1, 100, 200)
	_, status, all := failing(t, svc, 5)
	now := epoch.Add(time.Hour)
	all = append(all, rollout.Task{ID: "ok", Deployment: newID, Wanted: true, LastStatus: ecs.TaskRunning, CreatedAt: now, StartedAt: now})
	got := rollout.Plan(rollout.Input{Service: svc, Status: status, Tasks: all, Now: now})
	if d := got.Status.Deployments[0]; d.Failures != 0 || d.FailedTasks != 0 || !d.NextStartAt.IsZero() || len(got.Status.Said) != 0 {
		t.Errorf("left: %+v, said %v", d, got.Status.Said)
	}
}

func TestANewDeploymentStartsAfresh(t *testing.T) {
	svc := service(1, 100, 200)
	_, status, all := failing(t, svc, 5)
	next := *svc
	next.Target.ID = "ecs-svc/3"
	got := rollout.Plan(rollout.Input{Service: &next, Status: status, Tasks: all, Now: epoch.Add(time.Hour)})
	if text(got) != "start 1 of 3" {
		t.Errorf("%q", text(got))
	}
}

func TestFailedTasksStayCountedWhenTheirRecordsGo(t *testing.T) {
	svc := service(1, 100, 200)
	_, status, all := failing(t, svc, 5)
	got := rollout.Plan(rollout.Input{Service: svc, Status: status, Tasks: all[len(all)-1:], Now: epoch.Add(time.Minute)})
	if d := got.Status.Deployments[0]; d.FailedTasks < 4 {
		t.Errorf("%d failed tasks", d.FailedTasks)
	}
}

func TestTasksThatWereAskedToStopDoNotCount(t *testing.T) {
	svc := service(1, 100, 200)
	stopped := tasks("new1:failed")
	stopped[0].Asked = true
	got := rollout.Plan(rollout.Input{Service: svc, Status: statusOf(), Tasks: stopped, Now: epoch.Add(time.Minute)})
	if d := got.Status.Deployments[0]; text(got) != "start 1 of 2" || d.FailedTasks != 0 {
		t.Errorf("%q; %+v", text(got), d)
	}
}

func TestPlacementIsToldByCause(t *testing.T) {
	status := statusOf()
	cpu := &place.Refusal{Closest: "i", Reason: place.CPU}
	none := &place.Refusal{}
	at := func(h int) time.Time { return epoch.Add(time.Duration(h) * time.Hour) }
	for i, c := range []struct {
		refusal *place.Refusal
		hour    int
		says    bool
	}{
		{cpu, 0, true}, {cpu, 1, false}, {none, 2, true}, {cpu, 3, true}, {cpu, 8, false}, {cpu, 9, true}, {nil, 10, false}, {cpu, 11, true},
	} {
		said := rollout.Placed(status, c.refusal, at(c.hour))
		if (said != "") != c.says {
			t.Errorf("%d: says %q", i, said)
		}
		if rollout.Blocked(status) != (c.refusal != nil) {
			t.Errorf("%d: blocked %v", i, rollout.Blocked(status))
		}
	}
}

// Where nothing can be placed for want of room, minimumHealthyPercent is used to make some.
func TestRoomIsMadeWhereThereIsNone(t *testing.T) {
	status := statusOf()
	in := rollout.Input{Service: service(4, 50, 200), Status: status, Tasks: tasks("old1:running old2:running old3:running old4:running"), Now: epoch.Add(time.Minute)}
	if got := rollout.Plan(in); text(got) != "start 4 of 2" {
		t.Errorf("%q", text(got))
	}
	rollout.Placed(status, &place.Refusal{Closest: "i", Reason: place.Memory}, epoch)
	if got := rollout.Plan(in); len(got.Starts) != 1 || len(got.Stops) != 2 {
		t.Errorf("%q", text(got))
	}
	rollout.Placed(status, &place.Refusal{Closest: "i", Reason: place.Attribute}, epoch)
	if got := rollout.Plan(in); len(got.Stops) != 0 {
		t.Errorf("stopping gives no attributes: %q", text(got))
	}
}
