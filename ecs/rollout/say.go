package rollout

import (
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/place"
)

// repeatAfter is when a sentence is said again although its cause goes on.
const repeatAfter = 6 * time.Hour

// The causes of sentences that are not repeated. That of a failed placement has its reason behind it.
const (
	causePlace    = "place:"
	causeThrottle = "throttle"
	causeStuck    = "stuck"

	causeProtected = "protected"
	causeUnfound   = "unfound:" // its reason behind it

	causeTarget       = "target:"       // the task behind it
	causeUnregistered = "unregistered:" // its reason behind it
)

func (p *planner) sentence(rest string) string { return Sentence(p.Service.Name, rest) }

// Sentence is an event of a service.
func Sentence(service, rest string) string { return "(service " + service + ") " + rest }

// say adds a sentence unless its cause was told lately.
func (p *planner) say(cause, rest string) {
	if tell(p.status, cause, p.Now) {
		p.out.Say = append(p.out.Say, p.sentence(rest))
	}
}

// resolve forgets that sentences were said: their cause, or all causes that begin so, ended.
func (p *planner) resolve(cause string) { forget(p.status, cause) }

// tell notes that a cause is told now, and says whether it should be.
func tell(s *ecs.ServiceStatus, cause string, now time.Time) bool {
	if last, ok := s.Said[cause]; ok && now.Sub(last).Abs() < repeatAfter { // a clock may be set back
		return false
	}
	if s.Said == nil {
		s.Said = map[string]time.Time{}
	}
	s.Said[cause] = now
	return true
}

func forget(s *ecs.ServiceStatus, cause string) {
	maps.DeleteFunc(s.Said, func(c string, _ time.Time) bool { return strings.HasPrefix(c, cause) })
	if len(s.Said) == 0 {
		s.Said = nil
	}
}

// sayStopped cuts the stops to what one plan may hold, and names them.
func (p *planner) sayStopped() {
	if p.MaxStops > 0 && len(p.out.Stops) > p.MaxStops {
		p.out.Stops = p.out.Stops[:p.MaxStops]
	}
	var running, pending []string
	for _, s := range p.out.Stops {
		if s.Reason == ecs.ReasonHealthChecks {
			p.out.Say = append(p.out.Say, p.sentence("(task "+s.Task+") failed container health checks."))
		}
		if s.Running {
			running = append(running, s.Task)
		} else {
			pending = append(pending, s.Task)
		}
	}
	if len(running) > 0 {
		p.out.Say = append(p.out.Say, p.sentence(tasks("has stopped %d running tasks:", running)))
	}
	if len(pending) > 0 {
		p.out.Say = append(p.out.Say, p.sentence(tasks("has stopped %d pending tasks:", pending)))
	}
}

// sayUnfound says why tasks are not found by service discovery.
func (p *planner) sayUnfound() {
	for c := range p.status.Said {
		if strings.HasPrefix(c, causeUnfound) && c != causeUnfound+p.Unfound {
			p.resolve(c)
		}
	}
	if p.Unfound != "" {
		p.say(causeUnfound+p.Unfound, "was unable to register a task in service discovery. Reason: "+p.Unfound)
	}
}

// Started is what a service says of new tasks.
func Started(service string, ids []string) string {
	return Sentence(service, tasks("has started %d tasks:", ids))
}

// Interrupted is what a service says of a Spot task that gives up its room.
func Interrupted(service, id string) string {
	return Sentence(service, "(task "+id+") "+strings.ToLower(ecs.ReasonSpot[:1])+ecs.ReasonSpot[1:])
}

// Deregistered is what a service says of tasks that load balancers send nothing new to by a target group.
func Deregistered(service, group string, n int) string {
	return Sentence(service, fmt.Sprintf("deregistered %d targets in (target-group %s)", n, group))
}

// Draining is what a service says when load balancers send nothing new to tasks of a deployment that they have something in flight for.
func Draining(service, deployment string, n int) string {
	return fmt.Sprintf("(service %s, taskSet %s) has begun draining connections on %d tasks.", service, deployment, n)
}

func tasks(head string, ids []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, head, len(ids))
	for _, id := range ids {
		b.WriteString(" (task " + id + ")")
	}
	return b.String() + "."
}

// Placed notes in a status, which it changes, how a try to place tasks ended. It answers the sentence to say, "" for none.
func Placed(s *ecs.ServiceStatus, refusal *place.Refusal, now time.Time) string {
	if refusal == nil {
		forget(s, causePlace)
		return ""
	}
	cause := causePlace + refusal.Cause()
	for c := range s.Said {
		if strings.HasPrefix(c, causePlace) && c != cause {
			delete(s.Said, c)
		}
	}
	if !tell(s, cause, now) {
		return ""
	}
	return Sentence(s.Name, "was unable to place a task because "+refusal.Sentence())
}

// Failed notes in a status, which it changes, that tasks cannot be placed for a reason other than the instances. It answers the sentence to
// say, "" for none.
func Failed(s *ecs.ServiceStatus, cause, text string, now time.Time) string {
	if !tell(s, causePlace+cause, now) {
		return ""
	}
	return Sentence(s.Name, "was unable to place a task. Reason: "+text)
}

// Blocked says whether tasks of the service wait for capacity.
func Blocked(s *ecs.ServiceStatus) bool {
	for c := range s.Said {
		if strings.HasPrefix(c, causePlace) {
			return true
		}
	}
	return false
}
