// Package target holds what the ECS wing must know of load balancing: target groups, and tasks as their targets.
//
// Guarantees: it is pure.
package target

import (
	"errors"
	"fmt"
	"time"

	"github.com/berth-ecs/berth/ecs"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// Group is what this wing must know of a target group that tasks are targets of.
type Group struct {
	ARN      string
	Type     string // instance, ip or alb
	Protocol string
	Port     int32
	VPC      string
	Balanced bool // a listener of a load balancer leads to it
}

// Types of target groups that tasks are targets of.
const (
	ByInstance = "instance"
	ByIP       = "ip"
)

// Target is a task as a target of a group.
type Target struct {
	ecs.Home
	Group string // ARN
	ID    string // an IPv4 address, or i-...
	Port  int32
	Task  string // ARN: the target's owner
}

// States of a target, as DescribeTargetHealth says them.
const (
	Initial   = "initial"
	Healthy   = "healthy"
	Unhealthy = "unhealthy"
	Unused    = "unused"
	Draining  = "draining"
)

// Status is a target of a task that is there, and how it is.
type Status struct {
	Target
	State       string
	Reason      string // Target.Timeout, ...; "" for a healthy one
	Description string
	Since       time.Time // when it was seen to be so; of a draining one, when it was deregistered
	// Until is when a draining target is gone at the latest: when its group's deregistration delay is over. It goes before that when nothing
	// of it is in flight any more.
	Until time.Time
}

// Draining says whether the target is deregistered and on its way out.
func (s Status) Draining() bool { return s.State == Draining }

// Weight is the share of a target group (by ARN) in a rule.
type Weight struct {
	Group  string
	Weight int32
}

// Aim is a task as the target of the group that one of its load balancers names. The error says why it cannot be one.
func Aim(v ecs.TaskView, lb shape.LoadBalancer, group Group, at ecs.HostAddress) (Target, error) {
	out := Target{Home: v.Home, Group: group.ARN, Task: v.ARN(), Port: aws.Val(lb.ContainerPort)}
	if i := v.Interface; i != nil {
		out.ID = i.Private.String()
		return out, nil
	}
	out.Port = v.HostPort(aws.Val(lb.ContainerName), aws.Val(lb.ContainerPort))
	if out.Port == 0 && at.Mode == shape.NetworkModeHost {
		out.Port = aws.Val(lb.ContainerPort)
	}
	if out.Port == 0 {
		return out, fmt.Errorf("port %d of container %s has no port of its machine", aws.Val(lb.ContainerPort), aws.Val(lb.ContainerName))
	}
	if out.ID = at.EC2; out.ID == "" {
		return out, errNoInstance
	}
	return out, nil
}

var errNoInstance = errors.New("its container instance is no EC2 instance")
