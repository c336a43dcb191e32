package elbapi

import (
	"strings"

	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/elb/tables"
	"github.com/berth-ecs/berth/store"
	shape "github.com/berth-ecs/berth/wire/shape/elbv2"
)

// resolve puts the ids of target groups in the place of their ARNs, which a request said. They are used from now on: their deletion comes before or
// after, never between. 2 keys for each.
func (a *API) resolve(tx store.Tx, b *elb.LoadBalancer, protocol string, actions []elb.Action) ([]elb.Action, error) {
	out := make([]elb.Action, len(actions))
	for i, x := range actions {
		groups := make([]elb.Weighted, len(x.Groups))
		for j, w := range x.Groups {
			g, err := tables.TargetGroup(tx, b.Home, w.Group)
			if err != nil {
				return nil, err
			}
			if err := b.Takes(protocol, g); err != nil {
				return nil, err
			}
			groups[j] = elb.Weighted{Group: g.ID, Weight: w.Weight}
		}
		if out[i] = x; len(groups) > 0 {
			out[i].Groups = groups
		}
	}
	return out, use(tx, b, elb.Groups(out))
}

// use begins to use target groups, which only one load balancer does.
func use(tx store.Tx, b *elb.LoadBalancer, groups []string) error {
	var others []string
	for _, id := range groups {
		tables.Touch(tx, b.Home, id)
		for _, user := range tables.UsersOf(tx, b.Home, id) {
			if user != b.ID {
				others = append(others, groupARN(tx, b.Home)(id))
				break
			}
		}
	}
	if len(others) > 0 {
		return elb.Errorf(shape.CodeTargetGroupAssociationLimitException,
			"The following target groups cannot be associated with more than one load balancer: %s", strings.Join(others, ", "))
	}
	all := map[string]bool{}
	for _, id := range groups {
		all[id] = true
	}
	for _, l := range tables.ListenersIn(tx, b) {
		for _, id := range elb.Groups(l.Default) {
			all[id] = true
		}
	}
	for _, r := range tables.Rules.List(tx, tables.ListenersOf(b.Home, b.ID), "") {
		for _, id := range elb.Groups(r.Actions) {
			all[id] = true
		}
	}
	if len(all) > maxUnique {
		return elb.Errorf(shape.CodeTooManyUniqueTargetGroupsPerLoadBalancerException,
			"You have reached the maximum number of unique target groups that you can associate with a load balancer: %d", maxUnique)
	}
	return nil
}

// compatible says whether what a listener and its rules forward to goes with the listener's protocol, after that changed.
func compatible(tx store.Tx, b *elb.LoadBalancer, l *elb.Listener) error {
	for _, id := range elb.Groups(l.Default) {
		if g, ok := tables.TargetGroups.Peek(tx, tables.Key(b.Home, id)); ok {
			if err := b.Takes(l.Protocol, g); err != nil {
				return err
			}
		}
	}
	return nil
}
