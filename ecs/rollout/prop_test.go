package rollout_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/place"
	"github.com/berth-ecs/berth/ecs/rollout"
	"github.com/berth-ecs/berth/ecs/target"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// world is a service and its tasks, to which things happen.
type world struct {
	svc      *ecs.Service
	status   *ecs.ServiceStatus
	tasks    []rollout.Task
	now      time.Time
	checked  bool // tasks have a health check
	behind   bool // tasks are behind a load balancer
	lenient  bool // and stay when their targets are unhealthy
	full     bool // nothing can be placed
	draining map[string]bool
	seq      int
	breaker  bool
	history  []ecs.ServiceDeploymentView // newest first
}

func drawWorld(t *rapid.T) *world {
	svc := service(
		rapid.Int32Range(0, 6).Draw(t, "desired"),
		rapid.SampledFrom([]int32{0, 33, 50, 100}).Draw(t, "minimum"),
		rapid.SampledFrom([]int32{100, 125, 150, 200}).Draw(t, "maximum"),
	)
	w := &world{svc: svc, now: epoch, checked: rapid.Bool().Draw(t, "checked"), draining: map[string]bool{}, breaker: rapid.Bool().Draw(t, "breaker"),
		behind: rapid.Bool().Draw(t, "behind"), lenient: rapid.Bool().Draw(t, "lenient")}
	if w.lenient {
		svc.Tags = []shape.Tag{{Key: aws.Ptr("berth:target-health"), Value: aws.Ptr("readiness")}}
	}
	svc.Configuration.DeploymentCircuitBreaker = &shape.DeploymentCircuitBreaker{
		Enable: &w.breaker, Rollback: aws.Ptr(rapid.Bool().Draw(t, "rollback"))}
	w.deployed()
	return w
}

// deployed records a service deployment to the target.
func (w *world) deployed() {
	w.seq++
	w.history = slices.Insert(w.history, 0, ecs.ServiceDeploymentView{ServiceDeployment: &ecs.ServiceDeployment{
		Cluster: "c", Service: "web", Incarnation: "x", ID: strconv.Itoa(w.seq), Target: w.svc.Target.ID}})
}

func (w *world) unfinished() []ecs.ServiceDeploymentView {
	var out []ecs.ServiceDeploymentView
	for _, v := range w.history {
		if !v.Finished() {
			out = append(out, v)
		}
	}
	return out
}

func (w *world) input() rollout.Input {
	for i := range w.tasks {
		w.tasks[i].Draining = w.draining[w.tasks[i].Instance]
	}
	return rollout.Input{Service: w.svc, Status: w.status, Tasks: slices.Clone(w.tasks), Now: w.now, Seed: 7, History: w.unfinished()}
}

// proves says whether tasks have to stay up for a while in a plan: a deployment with a circuit breaker is on its way.
func (w *world) proves(plan rollout.Steps) bool {
	if !w.breaker || len(plan.Status.Deployments) == 0 {
		return false
	}
	was := ""
	if w.status != nil && len(w.status.Deployments) > 0 && w.status.Deployments[0].ID == plan.Status.Deployments[0].ID {
		was = w.status.Deployments[0].RolloutState
	}
	now := plan.Status.Deployments[0].RolloutState
	return now == "IN_PROGRESS" || now == "COMPLETED" && was != "COMPLETED"
}

// healthy and wanted are what the invariants are about.
func (w *world) healthy(proves bool) int {
	n := 0
	for _, t := range w.tasks {
		if proves && !t.Checked && t.Behind == nil && w.now.Sub(t.StartedAt) < 10*time.Second {
			continue
		}
		if t.Wanted && t.LastStatus == ecs.TaskRunning && !w.unwell(t) && (!t.Checked || t.Health == shape.HealthStatusHealthy) && (t.Behind == nil || t.Behind.Serving) {
			n++
		}
	}
	return n
}

func (w *world) wanted() int {
	n := 0
	for _, t := range w.tasks {
		if t.Wanted {
			n++
		}
	}
	return n
}

// apply carries out a part of a plan: share of its stops and starts, in percent.
func (w *world) apply(t *rapid.T, plan rollout.Steps, share int) {
	floor, ceiling := rollout.Limits(w.svc)
	proves := w.proves(plan)
	healthy, wanted := w.healthy(proves), w.wanted()
	for _, s := range plan.Stops[:len(plan.Stops)*share/100] {
		i := slices.IndexFunc(w.tasks, func(k rollout.Task) bool { return k.ID == s.Task })
		if i < 0 || !w.tasks[i].Wanted {
			t.Fatalf("stops %s, which should not run", s.Task)
		}
		if k := w.tasks[i]; k.ProtectedUntil.After(w.now) && !w.unwell(k) {
			t.Fatalf("stops %s, which is protected", s.Task)
		}
		w.tasks[i].Wanted, w.tasks[i].Asked, w.tasks[i].Unwell = false, true, s.Reason == ecs.ReasonHealthChecks || strings.HasPrefix(s.Reason, "Task failed ELB health checks")
		w.gone(&w.tasks[i])
	}
	if left := w.healthy(proves); w.svc.DeletedAt.IsZero() && left < min(healthy, floor) {
		t.Fatalf("%d healthy tasks of %d are left, at least %d must be", left, healthy, floor)
	}
	w.chronicle(t, plan)
	wanted = max(w.wanted(), min(wanted, w.wanted()))
	w.status = plan.Status
	for _, s := range plan.Starts {
		n := s.Count * share / 100
		if w.full {
			rollout.Placed(w.status, &place.Refusal{Closest: "i", Reason: place.CPU}, w.now)
			n = 0
		} else {
			rollout.Placed(w.status, nil, w.now)
		}
		for range n {
			w.add(s.Deployment.ID)
		}
	}
	if w.wanted() > max(wanted, ceiling) {
		t.Fatalf("%d tasks should run, at most %d may", w.wanted(), ceiling)
	}
}

// chronicle keeps what a plan says of service deployments: each ends once, and nothing starts for a deployment that failed.
func (w *world) chronicle(t *rapid.T, plan rollout.Steps) {
	for _, h := range plan.History {
		i := slices.IndexFunc(w.history, func(v ecs.ServiceDeploymentView) bool { return v.ID == h.ID })
		if i < 0 || w.history[i].Finished() {
			t.Fatalf("service deployment %s goes on after its end, or never began", h.ID)
		}
		w.history[i].Status = h
	}
	for _, s := range plan.Starts {
		i := slices.IndexFunc(plan.Status.Deployments, func(d ecs.DeploymentStatus) bool { return d.ID == s.Deployment.ID })
		if i < 0 || plan.Status.Deployments[i].RolloutState == "FAILED" {
			t.Fatalf("starts tasks of %s, which failed or is not there: %+v", s.Deployment.ID, plan.Status.Deployments)
		}
	}
}

func (w *world) add(deployment string) {
	w.seq++
	k := rollout.Task{
		ID: fmt.Sprintf("t%03d", w.seq), Deployment: deployment, Instance: fmt.Sprintf("i%d", w.seq%3), Wanted: true,
		LastStatus: ecs.TaskPending, Health: shape.HealthStatusUnknown, Checked: w.checked, CreatedAt: w.now,
	}
	if w.behind {
		k.Behind = &rollout.Behind{}
	}
	for i := range 3 { // nothing new on a DRAINING instance
		if w.draining[k.Instance] {
			k.Instance = fmt.Sprintf("i%d", (w.seq+i)%3)
		}
	}
	w.tasks = append(w.tasks, k)
}

func (w *world) start(k *rollout.Task) {
	k.LastStatus, k.StartedAt = ecs.TaskRunning, w.now
	if k.Checked {
		k.Health, k.HealthyAt = shape.HealthStatusHealthy, w.now
	}
	w.served(k)
}

func (w *world) end(k *rollout.Task) {
	k.Wanted, k.LastStatus, k.StoppedAt = false, ecs.TaskStopped, w.now
	w.gone(k)
}

// gone makes a task no target any more, served a healthy one, failing an unhealthy one, unseen one that nobody has looked at.
func (w *world) gone(k *rollout.Task) { w.seen(k, rollout.Behind{}) }
func (w *world) served(k *rollout.Task) {
	if k.Behind != nil && k.Behind.Serving {
		return
	}
	w.seen(k, rollout.Behind{Serving: true, Since: w.now})
}
func (w *world) failing(k *rollout.Task) {
	w.seen(k, rollout.Behind{Failing: &target.Status{State: target.Unhealthy, Target: target.Target{Group: "arn"}}})
}

func (w *world) seen(k *rollout.Task, b rollout.Behind) {
	if k.Behind != nil {
		k.Behind = &b
	}
}

// unwell says whether a task has to be replaced.
func (w *world) unwell(k rollout.Task) bool {
	return k.Health == shape.HealthStatusUnhealthy || k.Behind != nil && k.Behind.Failing != nil && !w.lenient
}

// one draws a task of a kind.
func (w *world) one(t *rapid.T, of func(rollout.Task) bool) *rollout.Task {
	var fit []int
	for i, k := range w.tasks {
		if of(k) {
			fit = append(fit, i)
		}
	}
	if len(fit) == 0 {
		return nil
	}
	return &w.tasks[rapid.SampledFrom(fit).Draw(t, "task")]
}

func pending(k rollout.Task) bool { return k.Wanted && k.LastStatus == ecs.TaskPending }
func running(k rollout.Task) bool { return k.Wanted && k.LastStatus == ecs.TaskRunning }
func leaving(k rollout.Task) bool { return !k.Wanted && k.LastStatus != ecs.TaskStopped }

func (w *world) actions() map[string]func(*rapid.T) {
	on := func(of func(rollout.Task) bool, do func(*rollout.Task)) func(*rapid.T) {
		return func(t *rapid.T) {
			if k := w.one(t, of); k != nil {
				do(k)
			}
		}
	}
	return map[string]func(*rapid.T){
		"plan":    func(t *rapid.T) { w.plan(t, rapid.SampledFrom([]int{100, 100, 50, 0}).Draw(t, "share")) },
		"runs":    on(pending, w.start),
		"fails":   on(pending, w.end),
		"dies":    on(running, w.end),
		"ends":    on(leaving, w.end),
		"protect": on(running, func(k *rollout.Task) { k.ProtectedUntil = w.now.Add(10 * time.Minute) }),
		"sick": on(running, func(k *rollout.Task) {
			if k.Checked {
				k.Health = shape.HealthStatusUnhealthy
			}
		}),
		"well": on(running, func(k *rollout.Task) {
			if k.Checked {
				k.Health = shape.HealthStatusHealthy
			}
		}),
		"failing": on(running, w.failing),
		"served":  on(running, w.served),
		"unseen":  on(running, w.gone),
		"scale": func(t *rapid.T) {
			w.edit(func(s *ecs.Service) { s.DesiredCount = rapid.Int32Range(0, 6).Draw(t, "desired") })
		},
		"deploy": func(*rapid.T) {
			w.edit(func(s *ecs.Service) { w.seq++; s.Target.ID = fmt.Sprintf("ecs-svc/%d", w.seq) })
			w.deployed()
		},
		"stop": func(t *rapid.T) {
			if v := &w.history[0]; !v.Finished() && v.Stop == nil {
				v.Stop = &ecs.ServiceDeploymentStop{ID: v.ID, Type: rapid.SampledFrom([]string{"ROLLBACK", "ABORT"}).Draw(t, "type")}
			}
		},
		"drain": func(t *rapid.T) {
			i := rapid.SampledFrom([]string{"i0", "i1"}).Draw(t, "instance")
			w.draining[i] = !w.draining[i]
		},
		"full": func(*rapid.T) { w.full = !w.full },
		"wait": func(*rapid.T) { w.now = w.now.Add(time.Second) },
	}
}

func (w *world) edit(fn func(*ecs.Service)) {
	next := *w.svc
	fn(&next)
	w.svc = &next
}

func (w *world) plan(t *rapid.T, share int) rollout.Steps {
	in := w.input()
	steps := rollout.Plan(in)
	in.Tasks = rapid.Permutation(in.Tasks).Draw(t, "order")
	if diff := cmp.Diff(steps, rollout.Plan(in)); diff != "" {
		t.Fatalf("the order of the tasks matters: %s", diff)
	}
	w.apply(t, steps, share)
	return steps
}

// Whatever happens, healthy tasks stay above the floor and all below the ceiling; once nothing happens any more, the service becomes what
// it should be and the plan is empty.
func TestRolloutProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		t.Repeat(w.actions())
		w.converge(t)
	})
}

func (w *world) converge(t *rapid.T) {
	w.full = false
	clear(w.draining)
	for range 60 {
		w.plan(t, 100)
		for i := range w.tasks {
			switch k := &w.tasks[i]; {
			case leaving(*k):
				w.end(k)
			case pending(*k):
				w.start(k)
			case running(*k) && !w.unwell(*k):
				w.served(k)
			}
		}
		w.now = w.now.Add(time.Minute)
	}
	floor, ceiling := rollout.Limits(w.svc)
	if steps := rollout.Plan(w.input()); !steps.Empty() {
		t.Fatalf("no end of steps: %+v", steps)
	}
	if open := w.unfinished(); len(open) > 1 {
		t.Fatalf("%d service deployments go on", len(open))
	}
	if w.status.Deployments[0].RolloutState == "FAILED" {
		if len(w.unfinished()) > 0 {
			t.Fatalf("the service deployment of a failed deployment goes on")
		}
		return // it waits for another
	}
	if ceiling <= floor && ceiling > 0 {
		return // the percentages may forbid it
	}
	if len(w.unfinished()) > 0 {
		t.Fatalf("service deployment %+v does not end", w.unfinished()[0])
	}
	good, aim := 0, ecs.TargetOf(w.svc, w.status)
	for _, k := range w.tasks {
		if k.Wanted && k.Deployment == aim.ID && !w.unwell(k) {
			good++
		}
	}
	if d := int(w.svc.DesiredCount); good != d || w.wanted() != d || len(w.status.Deployments) != 1 || w.status.Deployments[0].RolloutState != "COMPLETED" {
		t.Fatalf("%d tasks, %d good, %d desired; deployments %+v", w.wanted(), good, d, w.status.Deployments)
	}
}
