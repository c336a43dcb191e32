package engine

import (
	"github.com/berth-ecs/berth/node/agent/shown"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// Reported is what the server acknowledged to know of a task.
type Reported struct {
	Status     string   // "", RUNNING or STOPPED
	Containers []string // status by container
	Restarts   []int    `json:",omitzero"` // by container
	Attached   bool     `json:",omitzero"` // its interface is up
}

// Change is one report that the server has to acknowledge.
type Change struct {
	TaskARN string
	Request *shape.SubmitTaskStateChangeRequest // without the cluster
	after   Reported
}

// change derives the next report of t; false when the server knows everything.
func (t *Task) change() (Change, bool) {
	switch {
	case t.Reported.Status == StatusStopped:
	case t.Ran && t.Reported.Status == "":
		return t.report(StatusRunning), true
	case t.gone():
		return t.report(StatusStopped), true
	case t.Ran && t.Stop && t.fell():
		return t.report(StatusRunning), true
	case t.Ran && !t.Stop && t.containerNews():
		return t.report(StatusRunning), true
	case t.announce && !t.Ran && !t.Stop && !t.Reported.Attached:
		return t.attached(), true
	}
	return Change{}, false
}

func (t *Task) known(i int) string {
	if i < len(t.Reported.Containers) {
		return t.Reported.Containers[i]
	}
	return ""
}

func (t *Task) knownRestarts(i int) int {
	if i < len(t.Reported.Restarts) {
		return t.Reported.Restarts[i]
	}
	return 0
}

// containerNews says whether a container is further than the server knows.
func (t *Task) containerNews() bool {
	for i := range t.Containers {
		c := &t.Containers[i]
		if c.Phase == Stopped && t.known(i) != StatusStopped || c.Restarts > t.knownRestarts(i) {
			return true
		}
	}
	return false
}

// fell says whether the server is to hear why the task ends before the rest of it has: nobody should be sent to it any more, and its other
// containers may take as long as they are given. Where all have ended only a service hurries: its names lead here, and it wants another
// task; of any other task the end itself is told soon, and that is one call fewer.
func (t *Task) fell() bool {
	if t.least() >= Exited && (t.Plan == nil || t.Plan.Service == "") {
		return false
	}
	for i := range t.Containers {
		if t.felled(i) && t.known(i) != StatusStopped {
			return true
		}
	}
	return false
}

// felled says whether container i of a task that the server knows to run ended by itself, and the task with it. Whoever asked it to stop knows.
func (t *Task) felled(i int) bool {
	return t.Reported.Status == StatusRunning && !t.asked && t.Plan != nil && t.Plan.Containers[i].Essential && t.Containers[i].Phase >= Exited
}

// report writes down everything that the server does not know, in order: a container that ran and stopped since is in
// it twice.
func (t *Task) report(status string) Change {
	r := &shape.SubmitTaskStateChangeRequest{
		Task: aws.Ptr(t.ARN), Status: aws.Ptr(status),
		PullStartedAt: shown.Moment(t.PullStarted), PullStoppedAt: shown.Moment(t.PullStopped),
	}
	out := Change{TaskARN: t.ARN, Request: r, after: Reported{Status: status}}
	t.attachments(&out)
	for i := range t.Containers {
		c, known := &t.Containers[i], t.known(i)
		if c.Started() && (known == "" || known == StatusRunning && c.Restarts > t.knownRestarts(i)) {
			r.Containers = append(r.Containers, t.containerChange(i, StatusRunning))
			known = StatusRunning
		}
		if over := c.Phase == Stopped && (status == StatusStopped || !t.Stop) || t.felled(i); over && known != StatusStopped {
			r.Containers = append(r.Containers, t.containerChange(i, StatusStopped))
			known = StatusStopped
		}
		out.after.Containers = append(out.after.Containers, known)
		out.after.Restarts = append(out.after.Restarts, c.Restarts)
	}
	if status == StatusStopped {
		r.Reason, r.ExecutionStoppedAt = shown.Text(t.Reason), shown.Moment(t.ExecutionStopped)
	}
	return out
}

func (t *Task) containerChange(i int, status string) shape.ContainerStateChange {
	c, p := &t.Containers[i], &t.Plan.Containers[i]
	out := shape.ContainerStateChange{
		ContainerName: aws.Ptr(p.Name), Status: aws.Ptr(status),
		ImageDigest: shown.Text(c.Digest), NetworkBindings: shown.Bindings(c.Endpoint.Ports),
	}
	if !c.CreatedAt.IsZero() || c.Started() {
		out.RuntimeId = aws.Ptr(p.ID)
	}
	if status == StatusRunning && c.Restarts > 0 {
		out.Reason = shown.Text(c.story())
	}
	if status == StatusStopped {
		out.Reason = shown.Text(c.Reason)
		if c.ExitCode != nil {
			out.ExitCode = aws.Ptr(int32(*c.ExitCode))
		}
	}
	return out
}
