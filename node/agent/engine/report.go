package engine

import (
	"time"

	"github.com/berth-ecs/berth/node/network"
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

// report writes down everything that the server does not know, in order: a container that ran and stopped since is in
// it twice.
func (t *Task) report(status string) Change {
	r := &shape.SubmitTaskStateChangeRequest{
		Task: aws.Ptr(t.ARN), Status: aws.Ptr(status),
		PullStartedAt: when(t.PullStarted), PullStoppedAt: when(t.PullStopped),
	}
	out := Change{TaskARN: t.ARN, Request: r, after: Reported{Status: status}}
	t.attachments(&out)
	for i := range t.Containers {
		c, known := &t.Containers[i], t.known(i)
		if c.Started() && (known == "" || known == StatusRunning && c.Restarts > t.knownRestarts(i)) {
			r.Containers = append(r.Containers, t.containerChange(i, StatusRunning))
			known = StatusRunning
		}
		if over := c.Phase == Stopped && (status == StatusStopped || !t.Stop); over && known != StatusStopped {
			r.Containers = append(r.Containers, t.containerChange(i, StatusStopped))
			known = StatusStopped
		}
		out.after.Containers = append(out.after.Containers, known)
		out.after.Restarts = append(out.after.Restarts, c.Restarts)
	}
	if status == StatusStopped {
		r.Reason, r.ExecutionStoppedAt = text(t.Reason), when(t.ExecutionStopped)
	}
	return out
}

func (t *Task) containerChange(i int, status string) shape.ContainerStateChange {
	c, p := &t.Containers[i], &t.Plan.Containers[i]
	out := shape.ContainerStateChange{
		ContainerName: aws.Ptr(p.Name), Status: aws.Ptr(status),
		ImageDigest: text(c.Digest), NetworkBindings: Bindings(c.Endpoint.Ports),
	}
	if !c.CreatedAt.IsZero() || c.Started() {
		out.RuntimeId = aws.Ptr(p.ID)
	}
	if status == StatusRunning && c.Restarts > 0 {
		out.Reason = text(c.story())
	}
	if status == StatusStopped {
		out.Reason = text(c.Reason)
		if c.ExitCode != nil {
			out.ExitCode = aws.Ptr(int32(*c.ExitCode))
		}
	}
	return out
}

// Bindings are published ports as the API shows them.
func Bindings(in []network.Binding) []shape.NetworkBinding {
	var out []shape.NetworkBinding
	for _, b := range in {
		n := shape.NetworkBinding{BindIP: text(b.BindIP), Protocol: text(b.Protocol),
			ContainerPortRange: text(b.ContainerPortRange), HostPortRange: text(b.HostPortRange)}
		if b.ContainerPortRange == "" {
			n.ContainerPort, n.HostPort = aws.Ptr(int32(b.ContainerPort)), aws.Ptr(int32(b.HostPort))
		}
		out = append(out, n)
	}
	return out
}

// maxText is what the API takes of a reason or digest.
const maxText = 1024

func text(s string) *string {
	if s == "" {
		return nil
	}
	return aws.Ptr(s[:min(len(s), maxText)])
}

func when(t time.Time) *aws.Time {
	if t.IsZero() {
		return nil
	}
	return aws.At(t)
}
