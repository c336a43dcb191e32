package ecs

import (
	"time"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// Bounds of a protection's duration, in minutes: AWS's.
const (
	ProtectionDefault = 120
	ProtectionLongest = 2880
)

// TaskProtection keeps a service's task from being stopped by scale-in, a deployment or a DRAINING instance until it expires. A task without one
// is not protected.
type TaskProtection struct {
	Home
	Cluster   string
	ID        string
	Service   string
	ExpiresAt time.Time
}

// Protects says whether a protection, which may be nil, holds at a time.
func (p *TaskProtection) Protects(now time.Time) bool { return p != nil && now.Before(p.ExpiresAt) }

// RenderProtection is a task's protection as GetTaskProtection answers it.
func RenderProtection(v TaskView, now time.Time) shape.ProtectedTask {
	out := shape.ProtectedTask{TaskArn: aws.Ptr(v.ARN()), ProtectionEnabled: aws.Ptr(v.Protection.Protects(now))}
	if v.Protection.Protects(now) {
		out.ExpirationDate = moment(v.Protection.ExpiresAt)
	}
	return out
}
