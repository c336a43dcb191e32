package engine

import (
	"time"

	"github.com/berth-ecs/berth/node/agent/health"
	"github.com/berth-ecs/berth/node/agent/plan"
)

// Kind is what to do with a container.
type Kind int

// The actions on a container.
const (
	Wait      Kind = iota // nothing; until At when it is set
	Provision             // pull, prepare the task, attach the network, open the output: all at once
	Create                // make the container, and write down that it is about to start
	Start                 // start its process
	Fail                  // it will never run; Reason says why
	Signal                // ask its process to stop
	Kill                  // end its process
	Collect               // take away what it left
	Restart               // start its process anew, as its restart policy says
)

var kindNames = [...]string{"Wait", "Provision", "Create", "Start", "Fail", "Signal", "Kill", "Collect", "Restart"}

func (k Kind) String() string { return kindNames[k] }

// Action is the next step of a container.
type Action struct {
	Kind   Kind
	Reason string    // of Fail
	At     time.Time // of Wait: look again then; zero when only news can change the answer
}

// killAgain is how long after SIGKILL a container that still runs is killed once more.
const killAgain = 10 * time.Second

// Next decides the next step of container i of t.
func Next(t *Task, i int, now time.Time) Action {
	c := &t.Containers[i]
	if c.Busy != Wait {
		return Action{}
	}
	if t.Stop && (c.Phase < Running || c.Down) {
		return Action{Kind: Fail}
	}
	if now.Before(c.retryAt) {
		return Action{At: c.retryAt}
	}
	switch c.Phase {
	case Fresh:
		return Action{Kind: Provision}
	case Ready:
		return Dependencies(t, i, now) // Create, when they allow it
	case Created:
		if c.need <= t.saved {
			return Action{Kind: Start}
		}
	case Running:
		if !c.Down {
			return nextStop(t, i, now)
		}
		if c.need <= t.saved {
			return Action{Kind: Restart}
		}
	case Exited:
		if c.need <= t.saved {
			return Action{Kind: Collect}
		}
	case Stopped:
	}
	return Action{}
}

// nextStop stops what should not run, dependents first.
func nextStop(t *Task, i int, now time.Time) Action {
	if !t.Stop {
		return Action{}
	}
	for _, j := range t.Plan.Dependents(i) {
		if t.Containers[j].Phase < Exited {
			return Action{}
		}
	}
	c, timeout := &t.Containers[i], t.Plan.Containers[i].StopTimeout
	switch {
	case !c.killed.IsZero():
		if at := c.killed.Add(killAgain); now.Before(at) {
			return Action{At: at}
		}
		return Action{Kind: Kill}
	case c.signalled.IsZero() && timeout > 0:
		return Action{Kind: Signal}
	case timeout > 0 && now.Before(c.signalled.Add(timeout)):
		return Action{At: c.signalled.Add(timeout)}
	}
	return Action{Kind: Kill}
}

// Dependencies decides whether container i may be created: Create when all it depends on is far enough, Fail when it
// never will be, Wait otherwise.
func Dependencies(t *Task, i int, now time.Time) Action {
	out := Action{Kind: Create}
	for _, d := range t.Plan.Containers[i].DependsOn {
		switch a := dependency(t, d, now); a.Kind { //nolint:exhaustive // it answers Create, Wait or Fail
		case Fail:
			return Action{Kind: Fail, Reason: t.dependencyReason(i, d, a.Reason)}
		case Wait:
			if out.Kind == Create || out.At.IsZero() || !a.At.IsZero() && a.At.Before(out.At) {
				out = a
			}
		}
	}
	return out
}

// Why a dependency failed: the ECS agent's words are made from these.
const (
	timedOut    = "timed out"
	notResolved = "not resolved"
	notSuccess  = "no success"
)

// met says whether a container is what a dependency on it waits for.
func met(d plan.Dependency, on *Container) bool {
	over := on.Phase >= Exited
	return d.Linked() && on.Phase == Running ||
		d.Inherited() && on.Phase >= Created ||
		d.Condition == plan.Start && on.Phase >= Running ||
		d.Condition == plan.Complete && over ||
		d.Condition == plan.Success && over && on.ExitCode != nil && *on.ExitCode == 0 ||
		d.Condition == plan.Healthy && on.Phase == Running && on.Health.Status == health.Healthy
}

// dependency judges one dependency by the container it waits for.
func dependency(t *Task, d plan.Dependency, now time.Time) Action {
	on := &t.Containers[d.On]
	over := on.Phase >= Exited
	switch {
	case over && (!on.Started() || d.Linked()):
		return Action{Kind: Fail, Reason: notResolved}
	case met(d, on):
		return Action{Kind: Create}
	case over && d.Condition == plan.Success:
		return Action{Kind: Fail, Reason: notSuccess}
	case over && d.Condition == plan.Healthy:
		return Action{Kind: Fail, Reason: notResolved}
	}
	timeout := t.Plan.Containers[d.On].StartTimeout
	if timeout == 0 || !on.Started() {
		return Action{}
	}
	if at := on.StartedAt.Add(timeout); now.Before(at) {
		return Action{At: at}
	}
	return Action{Kind: Fail, Reason: timedOut}
}

func (t *Task) dependencyReason(i int, d plan.Dependency, why string) string {
	on, target := t.Plan.Containers[d.On].Name, t.Plan.Containers[i].Name
	switch why {
	case timedOut:
		return "TaskDependencyError: dependency graph: container ordering dependency [" + on + "] for target [" + target + "] has timed out."
	case notSuccess:
		return "TaskDependencyError: dependency graph: failed to resolve container ordering dependency [" + on +
			"] for target [" + target + "] as dependency did not exit successfully."
	}
	return "TaskDependencyError: dependency graph: failed to resolve container ordering dependency [" + on + "] for target [" + target + "]."
}
