package vpcapi

import (
	"context"
	"slices"

	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ec2"
)

// accountAttributes are AWS's names, in its order. There is neither a VPC nor a limit yet: what counts things is AWS's default.
var accountAttributes = []struct{ name, value string }{
	{"supported-platforms", "VPC"},
	{"vpc-max-security-groups-per-interface", "5"},
	{"max-elastic-ips", "5"},
	{"max-instances", "20"},
	{"vpc-max-elastic-ips", "5"},
	{"default-vpc", "none"},
}

// DescribeAccountAttributes answers what EC2 says of an account.
func (a *API) DescribeAccountAttributes(_ context.Context, _ wire.Call, in *shape.DescribeAccountAttributesRequest) (*shape.DescribeAccountAttributesResult, error) {
	out := &shape.DescribeAccountAttributesResult{AccountAttributes: []shape.AccountAttribute{}}
	for _, attribute := range accountAttributes {
		if len(in.AttributeNames) > 0 && !slices.Contains(in.AttributeNames, attribute.name) {
			continue
		}
		out.AccountAttributes = append(out.AccountAttributes, shape.AccountAttribute{
			AttributeName: aws.Ptr(attribute.name), AttributeValues: []shape.AccountAttributeValue{{AttributeValue: aws.Ptr(attribute.value)}},
		})
	}
	return out, nil
}
