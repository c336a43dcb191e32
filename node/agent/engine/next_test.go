package engine

import (
	"strings"
	"testing"
	"time"

	"github.com/berth-ecs/berth/node/agent/health"
	"github.com/berth-ecs/berth/node/agent/plan"
)

var noon = time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)

// pair is a task whose container 0 ("app") depends on container 1 ("db") as condition says.
func pair(condition string, app, db Container) *Task {
	t := &Task{ARN: "arn", saved: 1, Containers: []Container{app, db}, Plan: &plan.Task{Containers: []plan.Container{
		{Name: "app", Essential: true, StopTimeout: 30 * time.Second},
		{Name: "db", Essential: true, StopTimeout: 30 * time.Second, Health: &plan.HealthCheck{Interval: time.Second, Retries: 1}},
	}}}
	if condition != "" {
		t.Plan.Containers[0].DependsOn = []plan.Dependency{{On: 1, Condition: condition}}
	}
	return t
}

func TestNext(t *testing.T) {
	running := Container{Phase: Running, StartedAt: noon, Launched: true}
	stopping := func(task *Task) *Task { task.Stop = true; return task }
	for _, c := range []struct {
		name string
		task *Task
		i    int
		want Action
	}{
		{"fresh", pair("", Container{}, running), 0, Action{Kind: Provision}},
		{"busy", pair("", Container{Busy: Provision}, running), 0, Action{}},
		{"backing off", pair("", Container{retryAt: noon.Add(1)}, running), 0, Action{At: noon.Add(1)}},
		{"ready", pair("", Container{Phase: Ready}, running), 0, Action{Kind: Create}},
		{"created while it is written down", pair("", Container{Phase: Ready, need: 2}, running), 0, Action{Kind: Create}},
		{"created", pair("", Container{Phase: Created, Launched: true, need: 1}, running), 0, Action{Kind: Start}},
		{"start not on disk", pair("", Container{Phase: Created, Launched: true, need: 2}, running), 0, Action{}},
		{"running", pair("", running, running), 0, Action{}},
		{"exited", pair("", Container{Phase: Exited, need: 1}, running), 0, Action{Kind: Collect}},
		{"exit not on disk", pair("", Container{Phase: Exited, need: 2}, running), 0, Action{}},
		{"stopped", pair("", Container{Phase: Stopped}, running), 0, Action{}},

		{"stop before it began", stopping(pair("", Container{}, running)), 0, Action{Kind: Fail}},
		{"stop while backing off", stopping(pair("", Container{retryAt: noon.Add(1)}, running)), 0, Action{Kind: Fail}},
		{"stop while pulling", stopping(pair("", Container{Busy: Provision}, running)), 0, Action{}},
		{"stop after creation", stopping(pair("", Container{Phase: Created, Launched: true}, running)), 0, Action{Kind: Fail}},
		{"stop running", stopping(pair("", running, running)), 0, Action{Kind: Signal}},
		{"stop waits for dependents", stopping(pair("START", running, running)), 1, Action{}},
		{"stop after dependents", stopping(pair("START", Container{Phase: Exited}, running)), 1, Action{Kind: Signal}},
		{"signalled", stopping(pair("", Container{Phase: Running, signalled: noon}, running)), 0, Action{At: noon.Add(30 * time.Second)}},
		{"outlived the signal", stopping(pair("", Container{Phase: Running, signalled: noon.Add(-30 * time.Second)}, running)), 0, Action{Kind: Kill}},
		{"killed", stopping(pair("", Container{Phase: Running, signalled: noon, killed: noon}, running)), 0, Action{At: noon.Add(killAgain)}},
		{"outlived the kill", stopping(pair("", Container{Phase: Running, signalled: noon, killed: noon.Add(-killAgain)}, running)), 0, Action{Kind: Kill}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Next(c.task, c.i, noon); got != c.want {
				t.Errorf("got %v %q %v, want %v %v", got.Kind, got.Reason, got.At, c.want.Kind, c.want.At)
			}
		})
	}
}

func TestStopTimeoutOfZeroKillsAtOnce(t *testing.T) {
	task := pair("", Container{Phase: Running}, Container{Phase: Running})
	task.Stop, task.Plan.Containers[0].StopTimeout = true, 0
	if got := Next(task, 0, noon); got.Kind != Kill {
		t.Errorf("got %v", got.Kind)
	}
}

func TestDependencies(t *testing.T) {
	started := noon.Add(-time.Minute)
	over := func(exit int) Container { return Container{Phase: Exited, StartedAt: started, ExitCode: new(exit)} }
	healthy := Container{Phase: Running, StartedAt: started, Health: health.State{Status: health.Healthy}}
	running := Container{Phase: Running, StartedAt: started}
	never := Container{Phase: Exited}
	for _, c := range []struct {
		condition string
		name      string
		db        Container
		timeout   time.Duration
		want      Kind
		at        time.Time
		reason    string
	}{
		{plan.Start, "created", Container{Phase: Created}, 0, Wait, time.Time{}, ""},
		{plan.Start, "running", running, 0, Create, time.Time{}, ""},
		{plan.Start, "over", over(1), 0, Create, time.Time{}, ""},
		{plan.Start, "never ran", never, 0, Fail, time.Time{}, "failed to resolve container ordering dependency [db] for target [app]."},
		{plan.Complete, "running", running, 0, Wait, time.Time{}, ""},
		{plan.Complete, "over", over(1), 0, Create, time.Time{}, ""},
		{plan.Complete, "never ran", never, 0, Fail, time.Time{}, "failed to resolve"},
		{plan.Success, "running", running, 0, Wait, time.Time{}, ""},
		{plan.Success, "good", over(0), 0, Create, time.Time{}, ""},
		{plan.Success, "bad", over(3), 0, Fail, time.Time{}, "as dependency did not exit successfully."},
		{plan.Success, "vanished", Container{Phase: Exited, StartedAt: started}, 0, Fail, time.Time{}, "did not exit successfully"},
		{plan.Healthy, "unknown", running, 0, Wait, time.Time{}, ""},
		{plan.Healthy, "healthy", healthy, 0, Create, time.Time{}, ""},
		{plan.Healthy, "over", over(0), 0, Fail, time.Time{}, "failed to resolve"},
		{plan.Healthy, "in time", running, 2 * time.Minute, Wait, noon.Add(time.Minute), ""},
		{plan.Healthy, "too late", running, time.Minute, Fail, time.Time{}, "dependency graph: container ordering dependency [db] for target [app] has timed out."},
		{plan.Complete, "not started, no clock", Container{Phase: Created}, time.Second, Wait, time.Time{}, ""},
	} {
		t.Run(c.condition+" "+c.name, func(t *testing.T) {
			task := pair(c.condition, Container{Phase: Ready}, c.db)
			task.Plan.Containers[1].StartTimeout = c.timeout
			got := Next(task, 0, noon)
			if got.Kind != c.want || !got.At.Equal(c.at) || !strings.Contains(got.Reason, c.reason) {
				t.Errorf("got %v at %v: %q", got.Kind, got.At, got.Reason)
			}
			if got.Kind == Fail && !strings.HasPrefix(got.Reason, "TaskDependencyError: ") {
				t.Errorf("reason %q has no name", got.Reason)
			}
		})
	}
}
