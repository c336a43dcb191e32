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

// DescribeVpcAttribute answers one attribute of a VPC.
func (a *API) DescribeVpcAttribute(ctx context.Context, c wire.Call, in *shape.DescribeVpcAttributeRequest) (*shape.DescribeVpcAttributeResult, error) {
	out := &shape.DescribeVpcAttributeResult{VpcId: in.VpcId}
	err := a.view(ctx, c, func(tx store.Tx, h vpc.Home) error {
		v, err := tables.VPC(tx, h, aws.Val(in.VpcId))
		if err != nil {
			return err
		}
		switch aws.Val(in.Attribute) {
		case shape.VpcAttributeNameEnableDnsSupport:
			out.EnableDnsSupport = boolean(v.DNSSupport)
		case shape.VpcAttributeNameEnableDnsHostnames:
			out.EnableDnsHostnames = boolean(v.DNSHostnames)
		case shape.VpcAttributeNameEnableNetworkAddressUsageMetrics:
			out.EnableNetworkAddressUsageMetrics = boolean(v.NAUMetrics)
		default:
			return invalid("Value (%s) for parameter attribute is invalid. Unknown attribute.", aws.Val(in.Attribute))
		}
		return nil
	})
	return out, err
}

func boolean(b bool) *shape.AttributeBooleanValue {
	return &shape.AttributeBooleanValue{Value: aws.Ptr(b)}
}

// asked is what a Modify call says of a boolean attribute.
func asked(v *shape.AttributeBooleanValue) (value, given bool) {
	if v == nil || v.Value == nil {
		return false, false
	}
	return *v.Value, true
}

// exactlyOne refuses a Modify call that changes nothing, or several attributes at once.
func exactlyOne(changes int) error {
	switch {
	case changes == 0:
		return wire.Errorf("MissingParameter", "The request must contain the parameter attribute")
	case changes > 1:
		return wire.Errorf("InvalidParameterCombination", "Fields for multiple attribute types specified.")
	}
	return nil
}

// ModifyVpcAttribute changes one attribute of a VPC.
func (a *API) ModifyVpcAttribute(ctx context.Context, c wire.Call, in *shape.ModifyVpcAttributeRequest) (*aws.Unit, error) {
	support, s := asked(in.EnableDnsSupport)
	hostnames, n := asked(in.EnableDnsHostnames)
	metrics, m := asked(in.EnableNetworkAddressUsageMetrics)
	changes := 0
	for _, given := range []bool{s, n, m} {
		if given {
			changes++
		}
	}
	if err := exactlyOne(changes); err != nil {
		return nil, err
	}
	return nil, a.update(ctx, c, func(tx store.Tx, h vpc.Home) error {
		v, err := tables.VPC(tx, h, aws.Val(in.VpcId))
		if err != nil {
			return err
		}
		next := *v
		switch {
		case s:
			next.DNSSupport = support
		case n:
			next.DNSHostnames = hostnames
		case m:
			next.NAUMetrics = metrics
		}
		tables.VPCs.Put(tx, &next)
		return nil
	})
}
