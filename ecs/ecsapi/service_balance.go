package ecsapi

import (
	"slices"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/request"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/ecs/target"
	"github.com/berth-ecs/berth/store"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// balancers finds the target groups and listener rules of a request for a service with a task definition, or says in AWS's words what is wrong
// with them. They have passed request.CheckBalancers. Compares each (1 key).
func balancers(tx store.Tx, b tables.Balancing, d *ecs.TaskDefinition, lbs []shape.LoadBalancer) error {
	for _, lb := range lbs {
		group, ok := groupOf(tx, b, d.Home, aws.Val(lb.TargetGroupArn))
		if !ok {
			return request.NoGroup(aws.Val(lb.TargetGroupArn))
		}
		if err := request.CheckBalancer(lb, group, &d.Document); err != nil {
			return err
		}
		if err := advanced(tx, b, d, lb); err != nil {
			return err
		}
	}
	return nil
}

func groupOf(tx store.Tx, b tables.Balancing, h ecs.Home, arn string) (target.Group, bool) {
	if b == nil {
		return target.Group{}, false
	}
	return b.TargetGroup(tx, h, arn)
}

// advanced finds what traffic is to be shifted with: the other target group, and rules that lead to one of both.
func advanced(tx store.Tx, b tables.Balancing, d *ecs.TaskDefinition, lb shape.LoadBalancer) error {
	a := lb.AdvancedConfiguration
	if a == nil {
		return nil
	}
	other := aws.Val(a.AlternateTargetGroupArn)
	group, ok := b.TargetGroup(tx, d.Home, other)
	if !ok {
		return request.NoGroup(other)
	}
	if err := request.CheckBalancer(lb, group, &d.Document); err != nil {
		return err
	}
	for _, rule := range []string{aws.Val(a.ProductionListenerRule), aws.Val(a.TestListenerRule)} {
		if rule == "" {
			continue
		}
		to, ok := b.Weights(tx, d.Home, rule)
		if !ok {
			return request.NoRule(rule)
		}
		leads := func(w target.Weight) bool { return w.Group == other || w.Group == aws.Val(lb.TargetGroupArn) }
		if !slices.ContainsFunc(to, leads) {
			return request.Invalid("The listener rule %s does not forward to target group %s or %s.", rule, aws.Val(lb.TargetGroupArn), other)
		}
	}
	return nil
}
