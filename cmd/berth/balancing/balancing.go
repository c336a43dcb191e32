// Package balancing connects load balancing with the other wings: a service's tasks are targets of its target groups, and load balancers are in subnets.
//
// Guarantees: it does no other I/O than through the transaction it is given, and keeps nothing.
package balancing

import (
	"iter"
	"slices"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/ecs/target"
	"github.com/berth-ecs/berth/elb"
	elbtables "github.com/berth-ecs/berth/elb/tables"
	"github.com/berth-ecs/berth/store"
)

// Tables is Elastic Load Balancing as the ECS wing needs it: the owner of a target is a task.
type Tables struct{}

var _ tables.Balancing = Tables{}

func elbHome(h ecs.Home) elb.Home { return elb.Home{Account: h.Account, Region: h.Region} }

// TargetGroup implements tables.Balancing.
func (Tables) TargetGroup(tx store.Tx, h ecs.Home, arn string) (target.Group, bool) {
	g, err := elbtables.TargetGroup(tx, elbHome(h), arn)
	if err != nil {
		return target.Group{}, false
	}
	return target.Group{ARN: arn, Type: g.Type, Protocol: g.Protocol, Port: g.Port, VPC: g.VPC,
		Balanced: len(elbtables.UsersOf(tx, g.Home, g.ID)) > 0}, true
}

// registrationOf is a task's target as that wing knows it.
func registrationOf(t target.Target) (elbtables.Registration, bool) {
	h, kind, parts, ok := elb.ParseARN(t.Group)
	if !ok || kind != "targetgroup" || len(parts) != 2 || parts[1] == "" {
		return elbtables.Registration{}, false
	}
	return elbtables.Registration{Home: h, Group: parts[1], TargetKey: elb.TargetKey{ID: t.ID, Port: t.Port}, Owner: t.Task}, true
}

// Register implements tables.Balancing.
func (Tables) Register(tx store.Tx, t target.Target) error {
	r, ok := registrationOf(t)
	if !ok || r.Home != elbHome(t.Home) {
		return elb.NoTargetGroup()
	}
	if v, ok := tables.TaskOf(tx, t.Task, tables.PeekTask); ok {
		r.Place = v.Zone
	}
	_, err := elbtables.Register(tx, r)
	return err
}

// Deregister implements tables.Balancing.
func (Tables) Deregister(tx store.Tx, t target.Target) {
	if r, ok := registrationOf(t); ok {
		elbtables.Deregister(tx, r)
	}
}

// Targets implements tables.Balancing.
func (Tables) Targets(tx store.Tx, task string) iter.Seq[target.Status] {
	return func(yield func(target.Status) bool) {
		list := elbtables.TargetsByOwner.List(tx, task, "")
		if task == "" {
			list = elbtables.TargetsOwned.List(tx, "", "")
		}
		for _, t := range list {
			s, ok := statusOf(tx, t)
			if ok && !yield(s) {
				return
			}
		}
	}
}

// statusOf is a target of a task, and how it is.
func statusOf(tx store.Tx, t *elb.Target) (target.Status, bool) {
	a, ok := ecs.ParseARN(t.Owner)
	g, known := elbtables.TargetGroups.Peek(tx, elbtables.Key(t.Home, t.Group))
	if !ok || a.Kind != "task" || !known {
		return target.Status{}, false // with its group, a target is gone
	}
	is := elb.Judge(t, elbtables.Watchers(tx, t))
	s := target.Status{
		Target: target.Target{Home: ecs.Home{Account: t.Account, Region: t.Region}, Group: g.ARN(), ID: t.ID, Port: t.Port, Task: t.Owner},
		State:  is.State, Reason: is.Reason, Description: is.Description, Since: is.Since,
	}
	if !t.DrainingSince.IsZero() {
		s.Until = t.DrainingSince.Add(g.Delay(elbtables.AttributesOf(tx, g.Home, g.ARN())))
	}
	return s, true
}

// Weights implements tables.Balancing.
func (Tables) Weights(tx store.Tx, h ecs.Home, rule string) ([]target.Weight, bool) {
	groups, err := elbtables.Forwards(tx, elbHome(h), rule)
	if err != nil {
		return nil, false
	}
	out := []target.Weight{}
	for _, w := range groups {
		if g, ok := elbtables.TargetGroups.Peek(tx, elbtables.Key(elbHome(h), w.Group)); ok {
			out = append(out, target.Weight{Group: g.ARN(), Weight: w.Weight})
		}
	}
	return out, true
}

// Shift implements tables.Balancing.
func (Tables) Shift(tx store.Tx, h ecs.Home, rule string, to []target.Weight) error {
	var weights []elb.Weighted
	for _, w := range to {
		g, err := elbtables.TargetGroup(tx, elbHome(h), w.Group)
		if err != nil {
			return err
		}
		weights = append(weights, elb.Weighted{Group: g.ID, Weight: w.Weight})
	}
	return elbtables.Shift(tx, elbHome(h), rule, weights)
}

// Watched implements tables.Balancing.
func (Tables) Watched() []string {
	return []string{
		elbtables.Targets.Name(), elbtables.TargetHealths.Name(), elbtables.TargetGroups.Name(), elbtables.Listeners.Name(), elbtables.Rules.Name(),
		elbtables.Statuses.Name(),
	}
}

// Concerns implements tables.Balancing.
func (Tables) Concerns(tx store.Tx, c store.Change) (tasks, groups []string) {
	if old, now, ok := elbtables.Targets.Of(c); ok {
		return owners(old, now), nil
	}
	if old, now, ok := elbtables.TargetHealths.Of(c); ok {
		h := cmpOr(now, old)
		t, _ := elbtables.Targets.Peek(tx, elbtables.TargetKey(h.Home, h.Group, h.TargetKey))
		return owners(t), nil
	}
	if old, now, ok := elbtables.TargetGroups.Of(c); ok {
		return nil, []string{cmpOr(now, old).ARN()}
	}
	if old, now, ok := elbtables.Listeners.Of(c); ok {
		var actions []elb.Action
		for _, l := range []*elb.Listener{old, now} {
			if l != nil {
				actions = append(actions, l.Default...)
			}
		}
		return nil, groupARNs(tx, cmpOr(now, old).Home, actions)
	}
	if old, now, ok := elbtables.Rules.Of(c); ok {
		var actions []elb.Action
		for _, r := range []*elb.Rule{old, now} {
			if r != nil {
				actions = append(actions, r.Actions...)
			}
		}
		return nil, groupARNs(tx, cmpOr(now, old).Home, actions)
	}
	if old, now, ok := elbtables.Statuses.Of(c); ok {
		return nil, groupsBehind(tx, cmpOr(now, old))
	}
	return nil, nil
}

func cmpOr[T any](a, b *T) *T {
	if a != nil {
		return a
	}
	return b
}

// owners are the tasks whose targets these are.
func owners(ts ...*elb.Target) (tasks []string) {
	for _, t := range ts {
		if t == nil {
			continue
		}
		if a, ok := ecs.ParseARN(t.Owner); ok && a.Kind == "task" && !slices.Contains(tasks, t.Owner) {
			tasks = append(tasks, t.Owner)
		}
	}
	return tasks
}

// groupARNs are the target groups that actions lead to.
func groupARNs(tx store.Tx, h elb.Home, actions []elb.Action) (out []string) {
	for _, a := range actions {
		for _, w := range a.Groups {
			if g, ok := elbtables.TargetGroups.Peek(tx, elbtables.Key(h, w.Group)); ok && !slices.Contains(out, g.ARN()) {
				out = append(out, g.ARN())
			}
		}
	}
	return out
}

// groupsBehind are the target groups that a load balancer leads to.
func groupsBehind(tx store.Tx, s *elb.LoadBalancerStatus) []string {
	var actions []elb.Action
	b := &elb.LoadBalancer{Home: s.Home, ID: s.LoadBalancer}
	for _, l := range elbtables.ListenersIn(tx, b) {
		actions = append(actions, l.Default...)
		for _, r := range elbtables.RulesIn(tx, l) {
			actions = append(actions, r.Actions...)
		}
	}
	return groupARNs(tx, s.Home, actions)
}
