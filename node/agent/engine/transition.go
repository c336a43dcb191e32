package engine

import (
	"fmt"
	"time"

	"github.com/berth-ecs/berth/node/network"
	"github.com/berth-ecs/berth/node/runtime"
)

// vanished is the ECS agent's reason for a container that ran and of which nothing is known any more.
const vanished = "ContainerVanishedError: No container matching saved ID found"

// started is the news that container i runs.
func (t *Task) started(i int, at time.Time) {
	c := &t.Containers[i]
	c.Phase, c.Launched, c.StartedAt = Running, true, at
	t.settle()
	if c.exit != nil {
		e := *c.exit
		c.exit = nil
		t.ended(i, e)
	}
}

// settle notes that every container got as far as running while the task was wanted.
func (t *Task) settle() {
	if !t.Stop && t.least() >= Running {
		t.Ran = true
	}
}

// exited is the news that container i is over.
func (t *Task) exited(i int, e runtime.Event) {
	c := &t.Containers[i]
	if e.ExitCode >= 0 {
		code := e.ExitCode
		c.ExitCode = &code
	} else {
		c.Reason = vanished
	}
	if e.OOMKilled {
		c.Reason = runtime.OutOfMemoryError + ": " + runtime.OutOfMemoryMessage
	}
	t.over(i, e.At)
}

// failed is the news that container i will never run.
func (t *Task) failed(i int, reason string, at time.Time) {
	if t.Containers[i].Down {
		at = t.unrevived(i)
	}
	t.Containers[i].Reason = reason
	t.over(i, at)
}

// over ends container i. The task ends with its first essential container, and when none is left.
func (t *Task) over(i int, at time.Time) {
	c := &t.Containers[i]
	c.Phase, c.FinishedAt, c.failures, c.retryAt = Exited, at, 0, time.Time{}
	if t.Plan.Containers[i].Essential {
		if t.ExecutionStopped.IsZero() {
			t.ExecutionStopped = at
		}
		t.Stop = true
	}
	t.settle()
	if t.least() >= Exited {
		t.Stop = true
	}
}

// adopt takes over what an earlier process left of container i: what its record says, then what is really there. The
// runtime tells every container that ran until it is deleted, but for those that a dying machine made it forget.
func (t *Task) adopt(i int, s *runtime.State, ep network.Endpoint, now time.Time) {
	c := &t.Containers[i]
	if c.Phase >= Exited {
		return
	}
	if ep.ID != "" {
		c.Endpoint = ep
	}
	switch {
	case c.Down:
		t.adoptDown(i, s, now)
	case s != nil && s.Status == runtime.Running:
		if !c.Started() {
			t.started(i, now)
		}
		c.Phase, c.Launched = Running, true
	case s == nil && (!c.Started() && (!c.Launched || !t.rebooted)), s != nil && s.Status == runtime.Created:
		c.Phase, c.exit = Fresh, nil // every step up to the start may be done again
	case s == nil:
		t.exited(i, runtime.Event{ExitCode: -1, At: now})
	default:
		if !c.Started() {
			t.started(i, s.ExitedAt)
		}
		t.ended(i, exitOf(s))
	}
}

func exitOf(s *runtime.State) runtime.Event {
	return runtime.Event{ID: s.ID, ExitCode: s.ExitCode, At: s.ExitedAt, OOMKilled: s.OOMKilled}
}

// String is for logs.
func (c *Container) String() string {
	return fmt.Sprintf("%v launched=%t busy=%v", c.Phase, c.Launched, c.Busy)
}
