package vpcapi

import (
	"context"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/vpc/tables"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ec2"
)

// ModifySubnetAttribute changes one attribute of a subnet.
func (a *API) ModifySubnetAttribute(ctx context.Context, c wire.Call, in *shape.ModifySubnetAttributeRequest) (*aws.Unit, error) {
	change, err := subnetChange(in)
	if err != nil {
		return nil, err
	}
	return nil, a.update(ctx, c, func(tx store.Tx, h vpc.Home) error {
		s, err := tables.Subnet(tx, h, aws.Val(in.SubnetId))
		if err != nil {
			return err
		}
		next := *s
		if err := change(&next); err != nil {
			return err
		}
		tables.Subnets.Put(tx, &next)
		return nil
	})
}

// subnetChange is the one change that a request asks for.
func subnetChange(in *shape.ModifySubnetAttributeRequest) (func(*vpc.Subnet) error, error) {
	var changes []func(*vpc.Subnet) error
	for _, flag := range []struct {
		value *shape.AttributeBooleanValue
		at    func(*vpc.Subnet) *bool
	}{
		{in.MapPublicIpOnLaunch, func(s *vpc.Subnet) *bool { return &s.MapPublic }},
		{in.EnableDns64, func(s *vpc.Subnet) *bool { return &s.DNS64 }},
		{in.EnableResourceNameDnsARecordOnLaunch, func(s *vpc.Subnet) *bool { return &s.ResourceA }},
		{in.EnableResourceNameDnsAAAARecordOnLaunch, func(s *vpc.Subnet) *bool { return &s.ResourceAAA }},
	} {
		if value, given := asked(flag.value); given {
			changes = append(changes, func(s *vpc.Subnet) error { *flag.at(s) = value; return nil })
		}
	}
	if value, given := asked(in.AssignIpv6AddressOnCreation); given {
		changes = append(changes, func(s *vpc.Subnet) error {
			if value && len(s.Blocks6) == 0 {
				return invalid("Invalid value '%s' for subnetId. The subnet has no IPv6 CIDR block.", s.ID)
			}
			s.AssignIPv6 = value
			return nil
		})
	}
	if by := aws.Val(in.PrivateDnsHostnameTypeOnLaunch); by != "" {
		changes = append(changes, func(s *vpc.Subnet) error {
			if by != vpc.NamedByAddress && by != vpc.NamedByResource {
				return badOf("privateDnsHostnameTypeOnLaunch", by)
			}
			s.HostnameBy = by
			return nil
		})
	}
	if err := exactlyOne(len(changes)); err != nil {
		return nil, err
	}
	return changes[0], nil
}
