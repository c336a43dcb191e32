package elbapi

import (
	"context"
	"maps"

	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/elb/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/elbv2"
)

// setAttributes adds to what somebody set of a resource; check is asked about each. What is there is guarded.
func setAttributes(tx store.Tx, h elb.Home, arn string, pairs []elb.Pair, check func(key, value string) error) (map[string]string, error) {
	set := map[string]string{}
	if was, ok := tables.Attributes.Get(tx, tables.OfKey(h, arn)); ok {
		maps.Copy(set, was.Values)
	}
	for _, p := range pairs {
		if err := check(p.Key, p.Value); err != nil {
			return nil, err
		}
		set[p.Key] = p.Value
	}
	tables.PutAttributes(tx, &elb.Attributes{Home: h, Of: arn, Values: set})
	return set, nil
}

func balancerAttributes(all []elb.Pair) []shape.LoadBalancerAttribute {
	var out []shape.LoadBalancerAttribute
	for _, p := range all {
		out = append(out, shape.LoadBalancerAttribute{Key: aws.Ptr(p.Key), Value: aws.Ptr(p.Value)})
	}
	return out
}

func listenerAttributes(all []elb.Pair) []shape.ListenerAttribute {
	var out []shape.ListenerAttribute
	for _, p := range all {
		out = append(out, shape.ListenerAttribute{Key: aws.Ptr(p.Key), Value: aws.Ptr(p.Value)})
	}
	return out
}

// DescribeLoadBalancerAttributes answers all attributes of a load balancer.
func (a *API) DescribeLoadBalancerAttributes(ctx context.Context, c wire.Call, in *shape.DescribeLoadBalancerAttributesInput) (*shape.DescribeLoadBalancerAttributesOutput, error) {
	out := &shape.DescribeLoadBalancerAttributesOutput{}
	err := a.store.View(ctx, store.Fresh, func(tx store.Tx) error {
		l, err := tables.LoadBalancer(tx, home(c), aws.Val(in.LoadBalancerArn))
		if err == nil {
			out.Attributes = balancerAttributes(l.Attributes(tables.AttributesOf(tx, l.Home, l.ARN())))
		}
		return err
	})
	return out, err
}

// ModifyLoadBalancerAttributes sets some.
func (a *API) ModifyLoadBalancerAttributes(ctx context.Context, c wire.Call, in *shape.ModifyLoadBalancerAttributesInput) (*shape.ModifyLoadBalancerAttributesOutput, error) {
	out := &shape.ModifyLoadBalancerAttributesOutput{}
	var pairs []elb.Pair
	for _, p := range in.Attributes {
		pairs = append(pairs, elb.Pair{Key: aws.Val(p.Key), Value: aws.Val(p.Value)})
	}
	err := a.store.Update(ctx, func(tx store.Tx) error {
		l, err := tables.LoadBalancer(tx, home(c), aws.Val(in.LoadBalancerArn))
		if err != nil {
			return err
		}
		set, err := setAttributes(tx, l.Home, l.ARN(), pairs, l.CheckAttribute)
		if err != nil {
			return err
		}
		out.Attributes = balancerAttributes(l.Attributes(set))
		return l.CheckAttributes(set)
	})
	return out, err
}

// DescribeListenerAttributes answers all attributes of a listener.
func (a *API) DescribeListenerAttributes(ctx context.Context, c wire.Call, in *shape.DescribeListenerAttributesInput) (*shape.DescribeListenerAttributesOutput, error) {
	out := &shape.DescribeListenerAttributesOutput{}
	err := a.store.View(ctx, store.Fresh, func(tx store.Tx) error {
		b, l, err := tables.Listener(tx, home(c), aws.Val(in.ListenerArn))
		if err == nil {
			out.Attributes = listenerAttributes(l.Attributes(tables.AttributesOf(tx, l.Home, b.ListenerARN(l.ID))))
		}
		return err
	})
	return out, err
}

// ModifyListenerAttributes sets some.
func (a *API) ModifyListenerAttributes(ctx context.Context, c wire.Call, in *shape.ModifyListenerAttributesInput) (*shape.ModifyListenerAttributesOutput, error) {
	out := &shape.ModifyListenerAttributesOutput{}
	var pairs []elb.Pair
	for _, p := range in.Attributes {
		pairs = append(pairs, elb.Pair{Key: aws.Val(p.Key), Value: aws.Val(p.Value)})
	}
	err := a.store.Update(ctx, func(tx store.Tx) error {
		b, l, err := tables.Listener(tx, home(c), aws.Val(in.ListenerArn))
		if err != nil {
			return err
		}
		set, err := setAttributes(tx, l.Home, b.ListenerARN(l.ID), pairs, l.CheckAttribute)
		out.Attributes = listenerAttributes(l.Attributes(set))
		return err
	})
	return out, err
}
