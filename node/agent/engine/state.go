package engine

import (
	"slices"
	"time"

	"github.com/berth-ecs/berth/node/agent/health"
	"github.com/berth-ecs/berth/node/agent/plan"
	"github.com/berth-ecs/berth/node/hold"
	"github.com/berth-ecs/berth/node/network"
	"github.com/berth-ecs/berth/node/runtime"
	"github.com/berth-ecs/berth/session"
)

// Phase is how far a container is. It only grows.
type Phase int

// The phases of a container.
const (
	Fresh   Phase = iota // nothing is known to be there
	Ready                // image, cgroup, endpoint, output and files are there
	Created              // the container is there, its process is not
	Running              // its process runs
	Exited               // it is over; what it leaves behind is still there
	Stopped              // nothing is left of it
)

var phaseNames = [...]string{"Fresh", "Ready", "Created", "Running", "Exited", "Stopped"}

func (p Phase) String() string { return phaseNames[p] }

// Task is what is wanted and known of one task.
type Task struct {
	ARN     string
	ID      string
	Payload session.Task
	Plan    *plan.Task // nil: refused, or never heard of before its stop

	Stop   bool   // it should be stopped; never taken back
	Ran    bool   // all its containers got as far as running, before Stop
	Reason string // of the task itself; a container's reason stands with the container

	Containers       []Container // in the plan's order
	PullStarted      time.Time
	PullStopped      time.Time
	ExecutionStopped time.Time // when the first essential container ended
	StoppedAt        time.Time // when the last container was gone
	Released         bool      // nothing of the task is left on the node

	Reported Reported
	Attached bool // its interface was up in this process's time

	rev, saved int64 // the state's revision, and the newest one on disk
	asked      bool  // somebody told this process that the task should stop
	boot       string
	rebooted   bool // the machine started anew since the record was written
	preparing  *preparation
	attaching  *attachment
	announce   bool // the server is to hear that the interface is up, before anything else happens
	releasing  bool
	failures   int
	timer      *time.Timer
}

// Container is what is known of one container.
type Container struct {
	Phase    Phase
	Launched bool // Start may have been called
	Busy     Kind // the action under way; Wait when none is

	Digest     string // of the image
	Declares   Declares
	StopSignal string
	Endpoint   network.Endpoint

	ExitCode   *int
	Reason     string // "<ErrorName>: <message>" of the ECS agent, or ""
	CreatedAt  time.Time
	StartedAt  time.Time
	FinishedAt time.Time
	Health     health.State
	Lives

	image     runtime.Image
	output    hold.FIFOs
	need      int64 // the revision that must be on disk before the next phase
	signalled time.Time
	killed    time.Time
	failures  int
	retryAt   time.Time
	cancel    func()         // ends the action under way
	exit      *runtime.Event // came while the start was under way
	look      bool           // exits may have been missed while the start was under way
}

// Declares is what the image of a container says to those that link to it.
type Declares struct {
	Env     []string `json:",omitzero"`
	Exposed []string `json:",omitzero"`
}

// linked is what those who link to container i are told.
func (t *Task) linked(i int) plan.Linked {
	c := &t.Containers[i]
	return plan.Linked{Address: c.Endpoint.Address, Env: c.Declares.Env, Exposed: c.Declares.Exposed}
}

// Started says whether the container's process ever ran.
func (c *Container) Started() bool { return !c.StartedAt.IsZero() }

// Status is the container's state in ECS's words.
func (c *Container) Status() string {
	switch {
	case c.Phase >= Exited:
		return StatusStopped
	case c.Phase == Running:
		return StatusRunning
	}
	return StatusPending
}

// ECS's words for what is known or wanted.
const (
	StatusPending = "PENDING"
	StatusRunning = "RUNNING"
	StatusStopped = "STOPPED"
)

// Status is the task's state in ECS's words.
func (t *Task) Status() string {
	switch {
	case t.gone():
		return StatusStopped
	case t.Ran:
		return StatusRunning
	}
	return StatusPending
}

// Desired is what should become of the task, in ECS's words.
func (t *Task) Desired() string {
	if t.Stop {
		return StatusStopped
	}
	return StatusRunning
}

// least is the phase that every container has reached; Stopped without containers.
func (t *Task) least() Phase {
	least := Stopped
	for i := range t.Containers {
		least = min(least, t.Containers[i].Phase)
	}
	return least
}

func (t *Task) gone() bool { return t.Stop && t.least() == Stopped }

// clone is a copy that the engine does not change any more.
func (t *Task) clone() Task {
	out := *t
	out.Containers = slices.Clone(t.Containers)
	out.Reported.Containers = slices.Clone(t.Reported.Containers)
	out.preparing, out.attaching, out.timer = nil, nil, nil
	return out
}
