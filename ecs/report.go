package ecs

import (
	"slices"
	"time"

	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// Report is what a node says of a task at one moment. Reports of one task may come
// twice, late, or through several servers.
type Report struct {
	Status             string   // optional; PENDING, RUNNING or STOPPED
	Reason             string   // optional; why the task as a whole ended or failed
	Attached           []string // ARNs of attachments that are there; others than the task's interface say nothing
	Containers         []ContainerReport
	PullStartedAt      time.Time // the node's clock, like the next two
	PullStoppedAt      time.Time
	ExecutionStoppedAt time.Time
}

// ContainerReport is what a node says of one container. A Report may hold several
// of one container; they are applied in order.
type ContainerReport struct {
	Name            string
	Status          string // optional
	RuntimeID       string
	ImageDigest     string
	ExitCode        *int32
	Reason          string
	NetworkBindings []shape.NetworkBinding
}

// Fold joins a report into what is known of a task and says whether that changed
// anything. It is a monotone join: statuses only move forward, facts are only
// added, so that reports of one life end in the same state whatever their order
// and however often they come, and STOPPED is final. The first RUNNING and the first
// STOPPED take the server's time; the node's times are moved into order.
func (t *Task) Fold(s *TaskStatus, r Report, now time.Time) (*TaskStatus, bool) {
	next := s.clone()
	for _, c := range r.Containers {
		if i := slices.IndexFunc(next.Containers, func(k ContainerStatus) bool { return k.Name == c.Name }); i >= 0 {
			next.Containers[i].join(c)
		}
	}
	if r.Reason != "" && next.NodeReason == "" {
		next.NodeReason = r.Reason
	}
	if t.attached(r) {
		next.Attachment = AttachmentAttached
	}
	next.LastStatus = further(next.LastStatus, t.advanced(next, reported(r.Status)))
	if r.Status == TaskRunning && next.StartedAt.IsZero() {
		next.StartedAt = now
	}
	if next.Connectivity == "" && r.Status != "" {
		next.Connectivity, next.ConnectivityAt = shape.ConnectivityConnected, now
	}
	keep(&next.PullStartedAt, r.PullStartedAt)
	keep(&next.PullStoppedAt, r.PullStoppedAt)
	keep(&next.ExecutionStoppedAt, r.ExecutionStoppedAt)
	if next.LastStatus == TaskStopped {
		t.end(next, now)
	}
	t.order(next, now)
	next.Health = t.health(next)
	if next.equal(s) {
		return s, false
	}
	next.Version++
	return next, true
}

// attached says whether a report means that the task's interface is there: it says so, or the task runs, which it could not without.
func (t *Task) attached(r Report) bool {
	return t.Interface != nil && (r.Status == TaskRunning || slices.Contains(r.Attached, t.AttachmentARN(t.Interface.Attachment)))
}

// advanced is how far a task is after a report of a status. One with an interface of its own is PENDING once that is attached, and not before,
// whatever its node pulls and creates meanwhile.
func (t *Task) advanced(s *TaskStatus, status string) string {
	switch {
	case t.Interface == nil, status == TaskRunning, status == TaskStopped:
		return status
	case s.Attachment == AttachmentAttached:
		return TaskPending
	}
	return ""
}

// reported keeps what an agent may say of a task; anything else says nothing.
func reported(status string) string {
	switch status {
	case TaskPending, TaskRunning, TaskStopped:
		return status
	}
	return ""
}

func (t *Task) end(s *TaskStatus, now time.Time) {
	keep(&s.StoppedAt, now)
	for i := range s.Containers {
		s.Containers[i].LastStatus = TaskStopped
	}
	if s.StopCode != shape.TaskStopCodeTerminationNotice {
		t.derive(s)
	}
}

// join applies a container's report. A later status brings its facts with it; an
// earlier one only fills in what is missing.
func (c *ContainerStatus) join(r ContainerReport) {
	newer := rank(reported(r.Status)) >= rank(c.LastStatus)
	c.LastStatus = further(c.LastStatus, reported(r.Status))
	text(&c.RuntimeID, r.RuntimeID, newer)
	text(&c.ImageDigest, r.ImageDigest, newer)
	text(&c.Reason, r.Reason, newer)
	if r.ExitCode != nil && (c.ExitCode == nil || newer) {
		code := *r.ExitCode
		c.ExitCode = &code
	}
	if len(r.NetworkBindings) > 0 && (len(c.NetworkBindings) == 0 || newer) {
		c.NetworkBindings = slices.Clone(r.NetworkBindings)
	}
}

func text(to *string, from string, newer bool) {
	if from != "" && (*to == "" || newer) {
		*to = from
	}
}

// keep takes a time when there was none.
func keep(to *time.Time, from time.Time) {
	if to.IsZero() {
		*to = from
	}
}
