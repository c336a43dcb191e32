package elbapi

import (
	"context"
	"errors"
	"iter"
	"slices"

	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/elb/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/elbv2"
)

// gone makes no error of a target group that is not there.
func gone(err error) error {
	if e, ok := errors.AsType[*aws.Error](err); ok && e.Code == shape.CodeTargetGroupNotFoundException {
		return nil
	}
	return err
}

// renderGroup is a group as AWS says it.
func renderGroup(tx store.Tx, g *elb.TargetGroup) shape.TargetGroup {
	c := g.Check
	out := shape.TargetGroup{
		TargetGroupArn: aws.Ptr(g.ARN()), TargetGroupName: aws.Ptr(g.Name), Protocol: aws.Ptr(g.Protocol), Port: aws.Ptr(g.Port), VpcId: aws.Ptr(g.VPC),
		TargetType: aws.Ptr(g.Type), IpAddressType: aws.Ptr(shape.TargetGroupIpAddressTypeEnumIpv4), LoadBalancerArns: []string{},
		HealthCheckEnabled: aws.Ptr(c.Enabled), HealthCheckProtocol: aws.Ptr(c.Protocol), HealthCheckPort: aws.Ptr(c.Port),
		HealthCheckIntervalSeconds: aws.Ptr(c.Interval), HealthCheckTimeoutSeconds: aws.Ptr(c.Timeout),
		HealthyThresholdCount: aws.Ptr(c.Healthy), UnhealthyThresholdCount: aws.Ptr(c.Unhealthy),
	}
	if g.Version != "" {
		out.ProtocolVersion = aws.Ptr(g.Version)
	}
	if c.Path != "" {
		out.HealthCheckPath = aws.Ptr(c.Path)
	}
	switch {
	case c.GRPCCodes != "":
		out.Matcher = &shape.Matcher{GrpcCode: aws.Ptr(c.GRPCCodes)}
	case c.HTTPCodes != "":
		out.Matcher = &shape.Matcher{HttpCode: aws.Ptr(c.HTTPCodes)}
	}
	for _, id := range tables.UsersOf(tx, g.Home, g.ID) {
		if l, ok := tables.LoadBalancers.Peek(tx, tables.Key(g.Home, id)); ok {
			out.LoadBalancerArns = append(out.LoadBalancerArns, l.ARN())
		}
	}
	return out
}

// DescribeTargetGroups answers target groups: those of a load balancer, some by their ARNs or names, or all.
func (a *API) DescribeTargetGroups(ctx context.Context, c wire.Call, in *shape.DescribeTargetGroupsInput) (*shape.DescribeTargetGroupsOutput, error) {
	out := &shape.DescribeTargetGroupsOutput{}
	err := a.store.View(ctx, store.Fresh, func(tx store.Tx) error {
		groups, err := groupsAsked(tx, home(c), in)
		if err != nil {
			return err
		}
		found, next, err := wire.Page(page(in.Marker, in.PageSize, c.Operation, c.Account, c.Region, in.LoadBalancerArn, in.TargetGroupArns, in.Names), groups)
		if err != nil {
			return err
		}
		out.TargetGroups, out.NextMarker = []shape.TargetGroup{}, next
		for _, g := range found {
			out.TargetGroups = append(out.TargetGroups, renderGroup(tx, g))
		}
		return nil
	})
	return out, err
}

// groupsAsked are the groups that a request asks for, in order of their ids.
func groupsAsked(tx store.Tx, h elb.Home, in *shape.DescribeTargetGroupsInput) (iter.Seq2[string, *elb.TargetGroup], error) {
	asked := 0
	for _, is := range []bool{in.LoadBalancerArn != nil, len(in.TargetGroupArns) > 0, len(in.Names) > 0} {
		if is {
			asked++
		}
	}
	var some []*elb.TargetGroup
	switch {
	case asked > 1:
		return nil, elb.Invalid("Only one of load balancer ARN, target group ARNs and names can be specified")
	case in.LoadBalancerArn != nil:
		l, err := tables.LoadBalancer(tx, h, *in.LoadBalancerArn)
		if err != nil {
			return nil, err
		}
		some = groupsOf(tx, l)
	case len(in.TargetGroupArns) > 0:
		for _, arn := range in.TargetGroupArns {
			g, err := tables.TargetGroup(tx, h, arn)
			if err != nil {
				return nil, err
			}
			some = append(some, g)
		}
	case len(in.Names) > 0:
		for _, name := range in.Names {
			g, ok := groupNamed(tx, h, name)
			if !ok {
				return nil, elb.NoTargetGroup()
			}
			some = append(some, g)
		}
	default:
		return inOrder(tx, h), nil
	}
	slices.SortFunc(some, func(a, b *elb.TargetGroup) int { return compare(a.ID, b.ID) })
	some = slices.CompactFunc(some, func(a, b *elb.TargetGroup) bool { return a.ID == b.ID })
	return func(yield func(string, *elb.TargetGroup) bool) {
		for _, g := range some {
			if !yield(g.ID, g) {
				return
			}
		}
	}, nil
}

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func inOrder(tx store.Tx, h elb.Home) iter.Seq2[string, *elb.TargetGroup] {
	return func(yield func(string, *elb.TargetGroup) bool) {
		for _, g := range tables.TargetGroups.List(tx, tables.All(h), "") {
			if !yield(g.ID, g) {
				return
			}
		}
	}
}

func groupNamed(tx store.Tx, h elb.Home, name string) (*elb.TargetGroup, bool) {
	if checkGroupName(name) != nil {
		return nil, false
	}
	n, ok := tables.Names.Peek(tx, tables.NameKey(h, elb.NamesOfGroups, name))
	if !ok {
		return nil, false
	}
	return tables.TargetGroups.Peek(tx, tables.Key(h, n.ID))
}

// groupsOf are the groups that a load balancer forwards to, some more than once.
func groupsOf(tx store.Tx, l *elb.LoadBalancer) (all []*elb.TargetGroup) {
	add := func(actions []elb.Action) {
		for _, a := range actions {
			for _, w := range a.Groups {
				if g, ok := tables.TargetGroups.Peek(tx, tables.Key(l.Home, w.Group)); ok {
					all = append(all, g)
				}
			}
		}
	}
	for _, listener := range tables.ListenersIn(tx, l) {
		add(listener.Default)
		for _, r := range tables.RulesIn(tx, listener) {
			add(r.Actions)
		}
	}
	return all
}

// DescribeTargetGroupAttributes answers the attributes of a group.
func (a *API) DescribeTargetGroupAttributes(ctx context.Context, c wire.Call, in *shape.DescribeTargetGroupAttributesInput) (*shape.DescribeTargetGroupAttributesOutput, error) {
	out := &shape.DescribeTargetGroupAttributesOutput{}
	err := a.store.View(ctx, store.Fresh, func(tx store.Tx) error {
		g, err := tables.TargetGroup(tx, home(c), aws.Val(in.TargetGroupArn))
		if err == nil {
			out.Attributes = renderGroupAttributes(g, tables.AttributesOf(tx, g.Home, g.ARN()))
		}
		return err
	})
	return out, err
}

func renderGroupAttributes(g *elb.TargetGroup, set map[string]string) []shape.TargetGroupAttribute {
	all := []shape.TargetGroupAttribute{}
	for _, p := range g.Attributes(set) {
		all = append(all, shape.TargetGroupAttribute{Key: aws.Ptr(p.Key), Value: aws.Ptr(p.Value)})
	}
	return all
}

// ModifyTargetGroupAttributes changes attributes of a group.
func (a *API) ModifyTargetGroupAttributes(ctx context.Context, c wire.Call, in *shape.ModifyTargetGroupAttributesInput) (*shape.ModifyTargetGroupAttributesOutput, error) {
	out := &shape.ModifyTargetGroupAttributesOutput{}
	var pairs []elb.Pair
	for _, p := range in.Attributes {
		pairs = append(pairs, elb.Pair{Key: aws.Val(p.Key), Value: aws.Val(p.Value)})
	}
	err := a.store.Update(ctx, func(tx store.Tx) error {
		g, err := tables.TargetGroup(tx, home(c), aws.Val(in.TargetGroupArn))
		if err != nil {
			return err
		}
		set, err := setAttributes(tx, g.Home, g.ARN(), pairs, g.CheckAttribute)
		if err != nil {
			return err
		}
		out.Attributes = renderGroupAttributes(g, set)
		return g.CheckAttributes(set)
	})
	return out, err
}
