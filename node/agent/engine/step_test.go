package engine

import (
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/berth-ecs/berth/node/agent/health"
	"github.com/berth-ecs/berth/node/agent/plan"
	"github.com/berth-ecs/berth/node/runtime"
)

// walk drives a task by Next alone: every action ends in an outcome that is drawn, time passes, containers exit, the task
// is stopped, in any order.
type walk struct {
	t       *rapid.T
	task    *Task
	now     time.Time
	started map[int]int
}

func drawTask(t *rapid.T) *Task {
	n := rapid.IntRange(1, 4).Draw(t, "containers")
	task := &Task{ARN: "arn", Plan: &plan.Task{}, Containers: make([]Container, n)}
	for i := range n {
		p := plan.Container{
			Name: strconv.Itoa(i), Essential: i == 0 || rapid.Bool().Draw(t, "essential"), StopTimeout: 5 * time.Second,
			StartTimeout: time.Duration(rapid.IntRange(0, 1).Draw(t, "startTimeout")) * 20 * time.Second,
			Health:       &plan.HealthCheck{Interval: time.Second, Retries: 1},
		}
		for j := range i { // on earlier ones only: no cycles
			if rapid.Bool().Draw(t, "depends") {
				c := rapid.SampledFrom([]string{plan.Start, plan.Complete, plan.Success, plan.Healthy}).Draw(t, "condition")
				p.DependsOn = append(p.DependsOn, plan.Dependency{On: j, Condition: c})
			}
		}
		task.Plan.Containers = append(task.Plan.Containers, p)
	}
	return task
}

func (w *walk) event(i int) runtime.Event {
	e := runtime.Event{At: w.now, ExitCode: rapid.IntRange(-1, 2).Draw(w.t, "exit"), OOMKilled: rapid.Bool().Draw(w.t, "oom")}
	return e
}

// act takes container i's next step.
func (w *walk) act(i int) {
	c := &w.task.Containers[i]
	a := Next(w.task, i, w.now)
	fails := rapid.IntRange(0, 9).Draw(w.t, "fails") == 0
	switch {
	case a.Kind == Fail:
		w.task.failed(i, a.Reason, w.now)
	case fails && (a.Kind == Provision || a.Kind == Create || a.Kind == Start):
		w.task.failed(i, reason(a.Kind, errors.New("boom")), w.now)
	case a.Kind == Provision:
		c.Phase = Ready
	case a.Kind == Create:
		c.Phase, c.Launched = Created, true
	case a.Kind == Start:
		w.started[i]++
		w.dependenciesHold(i)
		w.task.started(i, w.now)
	case a.Kind == Signal, a.Kind == Kill:
		w.dependentsAreOver(i)
		if c.signalled = w.now; a.Kind == Kill {
			c.killed = w.now
		}
		if a.Kind == Kill || rapid.Bool().Draw(w.t, "obeys") {
			w.task.exited(i, w.event(i))
		}
	case a.Kind == Collect:
		c.Phase = Stopped
	}
}

// dependenciesHold checks that container i may run by now.
func (w *walk) dependenciesHold(i int) {
	for _, d := range w.task.Plan.Containers[i].DependsOn {
		if on := &w.task.Containers[d.On]; !on.Started() {
			w.t.Fatalf("container %d started before %d, on which it depends", i, d.On)
		}
	}
}

func (w *walk) dependentsAreOver(i int) {
	for _, j := range w.task.Plan.Dependents(i) {
		if w.task.Containers[j].Phase < Exited {
			w.t.Fatalf("container %d is stopped before %d, which depends on it", i, j)
		}
	}
}

// step is one thing that happens.
func (w *walk) step() {
	i := rapid.IntRange(0, len(w.task.Containers)-1).Draw(w.t, "container")
	c := &w.task.Containers[i]
	switch rapid.IntRange(0, 9).Draw(w.t, "what") {
	case 0:
		w.now = w.now.Add(7 * time.Second)
	case 1:
		if c.Phase == Running {
			w.task.exited(i, w.event(i))
		}
	case 2:
		c.Health.Status = rapid.SampledFrom([]string{health.Unknown, health.Healthy, health.Unhealthy}).Draw(w.t, "health")
	case 3:
		w.task.Stop = w.task.Stop || rapid.IntRange(0, 5).Draw(w.t, "stop") == 0
	default:
		w.act(i)
	}
}

// What is wrong with one task's record keeps no other task from the disk, and is not forgotten.
func TestOneBadRecordHoldsUpNoOther(t *testing.T) {
	in(t, func(r *rig) {
		r.run().accept(payload(nil, "app"))
		r.e.update(func() {
			bad := r.e.tasks[taskARN]
			bad.PullStarted = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) // no JSON time
			r.e.changed(bad)
		})
		other := payload(nil, "app")
		other.Arn = strings.Replace(taskARN, taskID, strings.Repeat("a", 32), 1)
		r.accept(other)
		r.e.update(func() { r.e.tasks[taskARN].PullStarted = time.Now() })
		r.pass(2 * saveRetry)
		r.e.update(func() {
			if t2 := r.e.tasks[taskARN]; t2.saved != t2.rev {
				t.Errorf("revision %d, saved %d", t2.rev, t2.saved)
			}
		})
	})
}

func TestEveryWalkEndsStoppedWithAReason(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &walk{t: t, task: drawTask(t), now: noon, started: map[int]int{}}
		for range rapid.IntRange(0, 60).Draw(t, "steps") {
			before := make([]Phase, len(w.task.Containers))
			for i := range before {
				before[i] = w.task.Containers[i].Phase
			}
			w.step()
			for i, was := range before {
				if w.task.Containers[i].Phase < was {
					t.Fatalf("container %d went back from %v to %v", i, was, w.task.Containers[i].Phase)
				}
			}
		}
		w.task.Stop = true
		for n := 0; !w.task.gone(); n++ {
			if n > 200 {
				t.Fatalf("the task does not stop: %v", w.task.Containers)
			}
			w.now = w.now.Add(7 * time.Second)
			for i := range w.task.Containers {
				w.act(i)
			}
		}
		w.ended()
	})
}

// ended checks a task of which nothing is left.
func (w *walk) ended() {
	for i := range w.task.Containers {
		c := &w.task.Containers[i]
		if w.started[i] > 1 {
			w.t.Fatalf("container %d was started %d times", i, w.started[i])
		}
		if c.Started() != (w.started[i] == 1) {
			w.t.Fatalf("container %d: started %t, %d times", i, c.Started(), w.started[i])
		}
		if c.Started() && c.ExitCode == nil && c.Reason == "" {
			w.t.Fatalf("container %d ran and has neither an exit code nor a reason", i)
		}
	}
	if w.task.ExecutionStopped.IsZero() {
		w.t.Fatal("an essential container ended, and nobody knows when")
	}
	for more := true; more; {
		c, ok := w.task.change()
		if more = ok; ok {
			w.task.Reported = c.after
		}
	}
	if w.task.Reported.Status != StatusStopped {
		w.t.Fatalf("reported last as %q", w.task.Reported.Status)
	}
}
