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

// change applies a change to the load balancer of an ARN.
func (a *API) change(ctx context.Context, c wire.Call, arn *string, fn func(tx store.Tx, l *elb.LoadBalancer) error) error {
	return a.store.Update(ctx, func(tx store.Tx) error {
		was, err := tables.LoadBalancer(tx, home(c), aws.Val(arn))
		if err != nil {
			return err
		}
		l := *was
		if err := fn(tx, &l); err != nil {
			return err
		}
		tables.LoadBalancers.Put(tx, &l)
		return nil
	})
}

// SetSubnets moves a load balancer to other subnets.
func (a *API) SetSubnets(ctx context.Context, c wire.Call, in *shape.SetSubnetsInput) (*shape.SetSubnetsOutput, error) {
	out := &shape.SetSubnetsOutput{}
	err := a.change(ctx, c, in.LoadBalancerArn, func(tx store.Tx, l *elb.LoadBalancer) error {
		if in.IpAddressType != nil {
			if err := elb.CheckIPAddressType(*in.IpAddressType); err != nil {
				return err
			}
		}
		if aws.Val(in.EnablePrefixForIpv6SourceNat) == "on" {
			return elb.Unserved("Prefixes for IPv6 source NAT are")
		}
		wanted, err := l.Wanted(in.Subnets, in.SubnetMappings)
		if err != nil {
			return err
		}
		if err := a.place(tx, l, wanted); err != nil {
			return err
		}
		out.AvailabilityZones, out.IpAddressType = l.RenderZones(a.addresses(tx, l.Home)), aws.Ptr(l.IPAddressType)
		return nil
	})
	return out, err
}

// SetSecurityGroups gives a load balancer other security groups.
func (a *API) SetSecurityGroups(ctx context.Context, c wire.Call, in *shape.SetSecurityGroupsInput) (*shape.SetSecurityGroupsOutput, error) {
	out := &shape.SetSecurityGroupsOutput{}
	err := a.change(ctx, c, in.LoadBalancerArn, func(tx store.Tx, l *elb.LoadBalancer) error {
		network := l.Type == elb.TypeNetwork
		switch {
		case aws.Val(in.EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic) == "off":
			return elb.Unserved("PrivateLink is")
		case network && len(l.SecurityGroups) == 0 && len(in.SecurityGroups) > 0:
			return elb.Errorf(shape.CodeInvalidConfigurationRequestException,
				"You cannot associate security groups with a Network Load Balancer that was created without security groups")
		case len(in.SecurityGroups) == 0 && (!network || len(l.SecurityGroups) != 0):
			return elb.Invalid("You must specify at least one security group")
		}
		if err := a.protect(tx, l, in.SecurityGroups); err != nil {
			return err
		}
		out.SecurityGroupIds = l.SecurityGroups
		if network {
			out.EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic = aws.Ptr("on")
		}
		return nil
	})
	return out, err
}

// SetIpAddressType says that a load balancer stays one for IPv4.
func (a *API) SetIpAddressType(ctx context.Context, c wire.Call, in *shape.SetIpAddressTypeInput) (*shape.SetIpAddressTypeOutput, error) {
	err := a.change(ctx, c, in.LoadBalancerArn, func(_ store.Tx, l *elb.LoadBalancer) error {
		l.IPAddressType = aws.Val(in.IpAddressType)
		return elb.CheckIPAddressType(l.IPAddressType)
	})
	return &shape.SetIpAddressTypeOutput{IpAddressType: in.IpAddressType}, err
}
