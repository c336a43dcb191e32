package tables

import (
	"errors"
	"fmt"
	"time"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/launch"
	"github.com/berth-ecs/berth/ecs/request"
	"github.com/berth-ecs/berth/ecs/rollout"
	"github.com/berth-ecs/berth/ecs/target"
	"github.com/berth-ecs/berth/store"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// TasksByTargetGroup: the ARN of a target group. The tasks that are targets of it while they run.
var TasksByTargetGroup = store.NewIndex(Tasks, "targetgroup", func(t *ecs.Task) []string {
	var out []string
	for _, lb := range t.Balancers {
		out = append(out, aws.Val(lb.TargetGroupArn))
	}
	return out
})

// BalancedTasks: "". All that are behind a load balancer.
var BalancedTasks = store.NewIndex(Tasks, "balanced", func(t *ecs.Task) []string {
	if len(t.Balancers) == 0 {
		return nil
	}
	return []string{""}
})

// BalanceWrites is how many keys making load balancing agree with a task of so many target groups writes at most: the target in each, and what the
// service says of that; then that connections drain.
func BalanceWrites(groups int) int { return 2*groups + min(groups, 1) }

// Balance makes the targets of a task agree with the task, as this transaction has left it: it is registered while it runs and nobody asked it to
// stop. What changes is said by its service. It answers why it could not register one: the task goes on, and whoever follows targets tries again.
// A task that was never behind a load balancer costs nothing. Compares and writes what Balancing and BalanceWrites say.
func Balance(tx store.Tx, w Wings, v ecs.TaskView) error {
	b := w.Balancing
	if b == nil || len(v.Balancers) == 0 {
		return nil
	}
	said := teller{tx: tx, v: v, tally: w.Tally}
	wanted, failed := Aims(tx, b, v)
	held := map[target.Target]bool{}
	drains := false
	for s := range b.Targets(tx, v.ARN()) {
		if s.Draining() {
			continue
		}
		held[s.Target] = true
		if !wanted[s.Target] && (failed == nil || !v.Running()) { // what cannot be worked out may stay: the task runs
			b.Deregister(tx, s.Target)
			said.deregistered(s.Group)
			drains = true
		}
	}
	if drains {
		said.draining()
	}
	for _, lb := range v.Balancers { // in their order, whatever that of the map
		for t := range wanted {
			if t.Group != aws.Val(lb.TargetGroupArn) || wanted[t] && held[t] {
				continue
			}
			if err := b.Register(tx, t); err != nil {
				failed = &Unregistered{Group: t.Group, Err: err}
				continue
			}
			held[t] = true
			said.say("registered 1 targets in (target-group " + t.Group + ")")
		}
	}
	return failed
}

// Aims are the targets that a task should be, and why it cannot be all of them. Compares each target group (1 key).
func Aims(tx store.Tx, b Balancing, v ecs.TaskView) (map[target.Target]bool, error) {
	out := map[target.Target]bool{}
	if !v.Running() {
		return out, nil
	}
	var failed error
	var at *ecs.HostAddress
	for _, lb := range v.Balancers {
		arn := aws.Val(lb.TargetGroupArn)
		group, ok := b.TargetGroup(tx, v.Home, arn)
		if !ok {
			failed = &Unregistered{Group: arn, Err: request.NoGroup(arn)}
			continue
		}
		if at == nil {
			a := hostAddress(tx, v.Task)
			at = &a
		}
		t, err := target.Aim(v, lb, group, *at)
		if err != nil {
			failed = &Unregistered{Group: arn, Err: err}
			continue
		}
		out[t] = true
	}
	return out, failed
}

// Unregistered is why a task is no target of a group.
type Unregistered struct {
	Group string // ARN
	Err   error
}

func (u *Unregistered) Error() string {
	why := u.Err.Error()
	if e, ok := errors.AsType[*aws.Error](u.Err); ok {
		why = e.Message
	}
	return fmt.Sprintf("failed to register targets in (target-group %s) with (error %s)", u.Group, why)
}

// Tally counts what would be said of the stops in one transaction, each by itself.
type Tally struct {
	groups, deployments []string // in order
	n                   map[string]int
}

func (t *Tally) add(to *[]string, key string) {
	if t.n == nil {
		t.n = map[string]int{}
	}
	if t.n[key]++; t.n[key] == 1 {
		*to = append(*to, key)
	}
}

// Sentences say what was counted, of a service.
func (t *Tally) Sentences(service string) (out []string) {
	for _, g := range t.groups {
		out = append(out, rollout.Deregistered(service, g, t.n[g]))
	}
	for _, d := range t.deployments {
		out = append(out, rollout.Draining(service, d, t.n[d]))
	}
	return out
}

// teller writes sentences of a task's service, in order, or counts them where somebody says them of several tasks at once.
type teller struct {
	tx    store.Tx
	v     ecs.TaskView
	tally *Tally
	n     time.Duration
}

func (s *teller) deregistered(group string) {
	if s.tally != nil {
		s.tally.add(&s.tally.groups, group)
		return
	}
	s.write(rollout.Deregistered(s.v.Service, group, 1))
}

func (s *teller) say(rest string) { s.write(rollout.Sentence(s.v.Service, rest)) }

func (s *teller) draining() {
	if s.tally != nil {
		s.tally.add(&s.tally.deployments, s.v.Deployment)
		return
	}
	s.write(rollout.Draining(s.v.Service, s.v.Deployment, 1))
}

func (s *teller) write(message string) {
	if s.v.Service == "" {
		return
	}
	svc, ok := Services.Peek(s.tx, MemberKey(s.v.Home, s.v.Cluster, s.v.Service))
	if !ok {
		return
	}
	ServiceEvents.Put(s.tx, &ecs.ServiceEvent{
		Home: s.v.Home, Cluster: s.v.Cluster, Service: s.v.Service, Incarnation: svc.Incarnation, ID: launch.UUID(s.tx.NewID()),
		At: s.tx.Now().Add(s.n), Message: message,
	})
	s.n += time.Microsecond
}

// Leaving says whether a task is to stop and its node must not be told yet, because load balancers have something in flight for it; and when it
// is told at the latest, zero for when that is not known.
func Leaving(tx store.Tx, b Balancing, v ecs.TaskView) (ok bool, until time.Time) {
	if len(v.Balancers) == 0 || v.Desired.Status != shape.DesiredStatusStopped || v.Status.LastStatus == ecs.TaskStopped {
		return false, until
	}
	gone, until := Withdrawn(tx, b, v.ARN())
	return !gone, until
}
