package ecs

import (
	"strings"
	"time"

	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// outOfMemory starts the reason of a container that ran and was killed; it is the
// one reason that does not say the container failed to start.
const outOfMemory = "OutOfMemoryError"

// derive fills in why a STOPPED task ended, from what its node said of it:
//
//   - it had been RUNNING: an essential container exited;
//   - it never was, and a reason is given by the task or by a container: it failed
//     to start, for that reason;
//   - it never was, yet an essential container ended by itself with an exit code:
//     the container ran and was over before the task could be called RUNNING.
//
// It reads the joined facts only, so the answer does not depend on the order in
// which they came.
func (t *Task) derive(s *TaskStatus) {
	failure := t.failure(s)
	switch {
	case !s.StartedAt.IsZero(), failure == "" && t.exited(s):
		s.StopCode, s.Reason = shape.TaskStopCodeEssentialContainerExited, ReasonEssentialExit
		if s.NodeReason != "" && !t.exited(s) {
			s.Reason = s.NodeReason
		}
	case failure != "":
		s.StopCode, s.Reason = shape.TaskStopCodeTaskFailedToStart, failure
	default:
		s.StopCode, s.Reason = shape.TaskStopCodeTaskFailedToStart, ReasonFailedToStart
	}
}

// failure is the reason why a task that never ran did not: the task's own, else
// that of the first essential container that has one, else of the first container.
func (t *Task) failure(s *TaskStatus) string {
	if s.NodeReason != "" {
		return s.NodeReason
	}
	first := ""
	for _, c := range s.Containers {
		if c.Reason == "" || strings.HasPrefix(c.Reason, outOfMemory) {
			continue
		}
		if t.essential(c.Name) {
			return c.Reason
		}
		if first == "" {
			first = c.Reason
		}
	}
	return first
}

// exited says whether an essential container ended with an exit code.
func (t *Task) exited(s *TaskStatus) bool {
	for _, c := range s.Containers {
		if c.LastStatus == TaskStopped && c.ExitCode != nil && t.essential(c.Name) {
			return true
		}
	}
	return false
}

// essential says whether a container's end is the task's.
func (t *Task) essential(name string) bool {
	for _, c := range t.Containers {
		if c.Name == name {
			return c.Essential
		}
	}
	return false
}

// EssentialStopped says whether an essential container has ended: the whole task
// is then to stop.
func (t *Task) EssentialStopped(s *TaskStatus) bool {
	for _, c := range s.Containers {
		if c.LastStatus == TaskStopped && t.essential(c.Name) {
			return true
		}
	}
	return false
}

// Abandon ends a task whose node will not report any more. The node's last word on
// each container is kept.
func (t *Task) Abandon(s *TaskStatus, code, reason string, now time.Time) (*TaskStatus, bool) {
	if s.LastStatus == TaskStopped {
		return s, false
	}
	next := s.clone()
	next.LastStatus = TaskStopped
	for i := range next.Containers {
		next.Containers[i].LastStatus = TaskStopped
	}
	next.StoppedAt = latest(now, t.lastMoment(next))
	next.StopCode, next.Reason = code, reason
	next.Version++
	return next, true
}

// Shown answers the stop code and reason that are answered: those of whoever asked
// the task to stop, else those derived from the node's report.
func (v TaskView) Shown() (code, reason string) {
	if v.Desired.StopCode != "" || v.Desired.Reason != "" {
		return v.Desired.StopCode, v.Desired.Reason
	}
	return v.Status.StopCode, v.Status.Reason
}
