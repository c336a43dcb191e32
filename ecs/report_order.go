package ecs

import (
	"reflect"
	"slices"
	"time"
)

// order moves the times of a task into the order of its life: created, pull
// started, pull stopped, started, execution stopped, stopped. Nothing is later than
// now. The server's times win over the node's, whose clock may be off.
func (t *Task) order(s *TaskStatus, now time.Time) {
	high := now
	if !s.StoppedAt.IsZero() {
		high = latest(s.StoppedAt, t.CreatedAt)
		s.StoppedAt = high
	}
	clamp(&s.StartedAt, t.CreatedAt, high)
	pulled := high
	if !s.StartedAt.IsZero() {
		pulled = s.StartedAt
	}
	clamp(&s.PullStartedAt, t.CreatedAt, pulled)
	clamp(&s.PullStoppedAt, latest(t.CreatedAt, s.PullStartedAt), pulled)
	clamp(&s.ExecutionStoppedAt, latest(t.CreatedAt, s.PullStartedAt, s.PullStoppedAt, s.StartedAt), high)
}

// lastMoment is the latest time that is known of a task.
func (t *Task) lastMoment(s *TaskStatus) time.Time {
	return latest(t.CreatedAt, s.PullStartedAt, s.PullStoppedAt, s.StartedAt, s.ExecutionStoppedAt)
}

func clamp(t *time.Time, low, high time.Time) {
	switch {
	case t.IsZero():
	case t.After(high):
		*t = high
	case t.Before(low):
		*t = low
	}
}

func latest(ts ...time.Time) time.Time { return slices.MaxFunc(ts, time.Time.Compare) }

// clone copies a status as far as Fold changes it.
func (s *TaskStatus) clone() *TaskStatus {
	next := *s
	next.Containers = slices.Clone(s.Containers)
	return &next
}

func (s *TaskStatus) equal(o *TaskStatus) bool { return reflect.DeepEqual(s, o) }
