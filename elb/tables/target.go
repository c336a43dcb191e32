package tables

import (
	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/store"
	shape "github.com/berth-ecs/berth/wire/shape/elbv2"
)

// Registration is what is known of a target when it is registered.
type Registration struct {
	elb.Home
	Group string // required; ID
	elb.TargetKey
	Place string // optional; the zone it is in
	Owner string // optional; what it stands for, of another wing
}

// Register makes something a target of a group, or takes a draining one back; one that is a target stays as it is, but becomes its new owner's. The
// group is compared, so that it is there when this commits. 2 keys are compared, 1 is written.
func Register(tx store.Tx, r Registration) (changed bool, err error) {
	if _, ok := TargetGroups.Get(tx, Key(r.Home, r.Group)); !ok {
		return false, elb.NoTargetGroup()
	}
	was, there := Targets.Get(tx, TargetKey(r.Home, r.Group, r.TargetKey))
	now := &elb.Target{Home: r.Home, Group: r.Group, TargetKey: r.TargetKey, Place: r.Place, Owner: r.Owner, RegisteredAt: tx.Now()}
	switch {
	case !there && TargetsByGroup.Count(tx, Key(r.Home, r.Group)) >= elb.MaxTargets:
		return false, elb.Errorf(shape.CodeTooManyTargetsException, "The maximum number of targets per target group has been reached: %d", elb.MaxTargets)
	case there && was.DrainingSince.IsZero() && (r.Owner == "" || r.Owner == was.Owner):
		return false, nil
	case there && was.DrainingSince.IsZero():
		now.RegisteredAt = was.RegisteredAt
	}
	Targets.Put(tx, now)
	return true, nil
}

// Deregister begins the draining of a target, or deletes it where no node of a load balancer can have sent it anything. What is no target, drains or is
// another owner's stays as it is; without an owner it is done to whoever's it is. 1 key is compared, 1 is written.
func Deregister(tx store.Tx, r Registration) {
	t, ok := Targets.Get(tx, TargetKey(r.Home, r.Group, r.TargetKey))
	if !ok || !t.DrainingSince.IsZero() || r.Owner != "" && r.Owner != t.Owner {
		return
	}
	if !placed(tx, r.Home, r.Group) {
		Targets.Delete(tx, TargetKey(t.Home, t.Group, t.TargetKey))
		return
	}
	drains := *t
	drains.DrainingSince = tx.Now()
	Targets.Put(tx, &drains)
}

// placed says whether a load balancer that forwards to a group has a node anywhere.
func placed(tx store.Tx, h elb.Home, group string) bool {
	for _, id := range UsersOf(tx, h, group) {
		if s, ok := Statuses.Peek(tx, Key(h, id)); ok && len(s.Nodes) > 0 {
			return true
		}
	}
	return false
}

// Withdrawn says whether an owner has no target any more, not even a draining one.
func Withdrawn(tx store.Tx, owner string) bool { return TargetsByOwner.Count(tx, owner) == 0 }

// Group answers the target group of an ARN without comparing it; false when there is none.
func Group(tx store.Tx, h elb.Home, arn string) (*elb.TargetGroup, bool) {
	of, kind, parts, ok := elb.ParseARN(arn)
	if !ok || of != h || kind != "targetgroup" || len(parts) != 2 || parts[1] == "" {
		return nil, false
	}
	g, ok := TargetGroups.Peek(tx, Key(h, parts[1]))
	return g, ok && g.ARN() == arn
}

// HealthOf is what DescribeTargetHealth says of a target. Nothing is compared.
func HealthOf(tx store.Tx, h elb.Home, group string, k elb.TargetKey) elb.Health {
	t, ok := Targets.Peek(tx, TargetKey(h, group, k))
	if !ok {
		return elb.NotRegistered()
	}
	return elb.Judge(t, Watchers(tx, t))
}

// Watchers are the load balancers that forward to a target's group, with what their nodes say of it. Nothing is compared.
func Watchers(tx store.Tx, t *elb.Target) []elb.Watcher {
	g, ok := TargetGroups.Peek(tx, Key(t.Home, t.Group))
	if !ok {
		return nil
	}
	var all []elb.Watcher
	var words map[string][]*elb.TargetHealth
	set := AttributesOf(tx, g.Home, g.ARN())
	for _, id := range UsersOf(tx, t.Home, t.Group) {
		l, ok := LoadBalancers.Peek(tx, Key(t.Home, id))
		if !ok {
			continue
		}
		w := elb.Watcher{LoadBalancer: l, Cross: elb.CrossZone(l, AttributesOf(tx, l.Home, l.ARN()), set)}
		for _, n := range Status(tx, l).Nodes {
			if !n.Serving || !t.SeenFrom(l, n.Zone, w.Cross) {
				continue
			}
			if words == nil {
				words = wordsOf(tx, t)
			}
			w.Nodes = append(w.Nodes, words[n.Interface])
		}
		all = append(all, w)
	}
	return all
}

// wordsOf are what nodes say of a target, by their interfaces.
func wordsOf(tx store.Tx, t *elb.Target) map[string][]*elb.TargetHealth {
	out := map[string][]*elb.TargetHealth{}
	for _, w := range TargetHealths.List(tx, HealthsOf(t.Home, t.Group, t.TargetKey), "") {
		out[w.Interface] = append(out[w.Interface], w)
	}
	return out
}
