package elbapi

import (
	"context"

	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/elb/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/elbv2"
)

// DeleteLoadBalancer takes a load balancer away with its listeners. One that is not there is no error.
func (a *API) DeleteLoadBalancer(ctx context.Context, c wire.Call, in *shape.DeleteLoadBalancerInput) (*shape.DeleteLoadBalancerOutput, error) {
	for more := true; more; {
		err := a.store.Update(ctx, func(tx store.Tx) error {
			more = false
			l, err := tables.LoadBalancer(tx, home(c), aws.Val(in.LoadBalancerArn))
			if err != nil {
				return absent(err, shape.CodeLoadBalancerNotFoundException)
			}
			if err := deletable(tx, l); err != nil {
				return err
			}
			more = tables.DropLoadBalancer(tx, l, maxOrphans)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return &shape.DeleteLoadBalancerOutput{}, nil
}

// deletable says why a load balancer must stay.
func deletable(tx store.Tx, l *elb.LoadBalancer) error {
	set, _ := tables.Attributes.Get(tx, tables.OfKey(l.Home, l.ARN()))
	if set != nil && l.Attribute(set.Values, elb.AttrProtected) == "true" {
		return elb.Errorf(shape.CodeOperationNotPermittedException, "Load balancer '%s' cannot be deleted because deletion protection is enabled", l.ARN())
	}
	for _, t := range tables.TargetsByID.List(tx, l.ARN(), "") {
		return elb.Errorf(shape.CodeResourceInUseException, "Load balancer '%s' cannot be deleted because it is registered as a target of the target group '%s'", l.ARN(), groupARN(tx, l.Home)(t.Group))
	}
	return nil
}

// DeleteListener takes a listener away with its rules and certificates.
func (a *API) DeleteListener(ctx context.Context, c wire.Call, in *shape.DeleteListenerInput) (*shape.DeleteListenerOutput, error) {
	for first, more := true, true; more; first = false {
		err := a.store.Update(ctx, func(tx store.Tx) error {
			more = false
			b, l, err := tables.Listener(tx, home(c), aws.Val(in.ListenerArn))
			if err != nil {
				if first {
					return err
				}
				return absent(err, shape.CodeListenerNotFoundException)
			}
			more = tables.DropListener(tx, b, l, maxOrphans)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return &shape.DeleteListenerOutput{}, nil
}
