package rollout

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/target"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// Behind is a task behind load balancers as a plan sees it.
type Behind struct {
	Serving bool           // it is a target of all its groups, and healthy in each
	Since   time.Time      // when it became so
	Failing *target.Status // a target of it that is unhealthy; nil for none
}

// BehindOf is what load balancers see of a task that should be want targets and is these.
func BehindOf(want int, is []target.Status) *Behind {
	b := &Behind{Serving: len(is) >= want}
	for i, s := range is {
		b.Serving = b.Serving && s.State == target.Healthy
		b.Since = later(b.Since, s.Since)
		if s.State == target.Unhealthy && b.Failing == nil {
			b.Failing = &is[i]
		}
	}
	return b
}

// The tag by which a service asks that targets that are unhealthy get no traffic, and that their tasks are not stopped for it. It is ours: on AWS
// they always are.
const (
	readinessTag   = "berth:target-health"
	readinessValue = "readiness"
)

func readiness(s *ecs.Service) bool {
	return slices.ContainsFunc(s.Tags, func(t shape.Tag) bool {
		return aws.Val(t.Key) == readinessTag && aws.Val(t.Value) == readinessValue
	})
}

// failing says whether a target of the task is unhealthy and the task has to go for it.
func (t Task) failing() bool { return t.Behind != nil && t.Behind.Failing != nil && !t.Lenient }

// reasonTargets begins the reason of a task that is stopped because a target of it is unhealthy.
const reasonTargets = "Task failed ELB health checks in (target-group "

// unwell says whether a task was asked to stop because of its health.
func unwell(reason string) bool {
	return reason == ecs.ReasonHealthChecks || strings.HasPrefix(reason, reasonTargets)
}

// ailment is why an unhealthy task is stopped.
func (t Task) ailment() string {
	if t.Health == shape.HealthStatusUnhealthy {
		return ecs.ReasonHealthChecks
	}
	return reasonTargets + t.Behind.Failing.Group + ")"
}

// sayUnhealthy says which targets are unhealthy, and why a task is no target where it should be one.
func (p *planner) sayUnhealthy() {
	ill := map[string]string{}
	for _, t := range p.wanted {
		if b := t.Behind; b != nil && b.Failing != nil && t.running() {
			ill[causeTarget+t.ID] = unhealthyIn(t.ID, *b.Failing)
		}
	}
	if p.Unregistered != "" {
		ill[causeUnregistered+p.Unregistered] = p.Unregistered
	}
	for cause := range p.status.Said {
		_, still := ill[cause]
		if ours := strings.HasPrefix(cause, causeTarget) || strings.HasPrefix(cause, causeUnregistered); ours && !still {
			delete(p.status.Said, cause)
		}
	}
	for _, cause := range sorted(ill) {
		p.say(cause, ill[cause])
	}
	if len(p.status.Said) == 0 {
		p.status.Said = nil
	}
}

func sorted(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// unhealthyIn is AWS's sentence of an unhealthy target: by its task, or by its machine where that is the target.
func unhealthyIn(task string, s target.Status) string {
	who := "task " + task
	if strings.HasPrefix(s.ID, "i-") {
		who = "instance " + s.ID
	}
	why := s.Description
	if why == "" {
		why = "Health checks failed"
	}
	return fmt.Sprintf("(%s) (port %d) is unhealthy in (target-group %s) due to (reason %s)", who, s.Port, s.Group, why)
}
