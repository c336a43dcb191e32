package vpcapi

import (
	"context"
	"slices"
	"strconv"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/vpc/tables"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ec2"
)

// accountAttributes are AWS's names, in its order, with what is true of every account here. Instances are nodes, which nothing limits; AWS's
// number stands for them.
var accountAttributes = []struct{ name, value string }{
	{"supported-platforms", "VPC"},
	{"vpc-max-security-groups-per-interface", strconv.Itoa(tables.MaxGroups)},
	{"max-elastic-ips", strconv.Itoa(maxElastics)},
	{"max-instances", "20"},
	{"vpc-max-elastic-ips", strconv.Itoa(maxElastics)},
	{defaultVPC, "none"},
}

// defaultVPC is the attribute that differs: the id of the default VPC, if there is one.
const defaultVPC = "default-vpc"

// DescribeAccountAttributes answers what EC2 says of an account.
func (a *API) DescribeAccountAttributes(ctx context.Context, c wire.Call, in *shape.DescribeAccountAttributesRequest) (*shape.DescribeAccountAttributesResult, error) {
	out := &shape.DescribeAccountAttributesResult{AccountAttributes: []shape.AccountAttribute{}}
	err := a.view(ctx, c, func(tx store.Tx, h vpc.Home) error {
		for _, attribute := range accountAttributes {
			if len(in.AttributeNames) > 0 && !slices.Contains(in.AttributeNames, attribute.name) {
				continue
			}
			value := attribute.value
			if v, ok := tables.DefaultVPC(tx, h); ok && attribute.name == defaultVPC {
				value = v.ID
			}
			out.AccountAttributes = append(out.AccountAttributes, shape.AccountAttribute{
				AttributeName: aws.Ptr(attribute.name), AttributeValues: []shape.AccountAttributeValue{{AttributeValue: aws.Ptr(value)}},
			})
		}
		return nil
	})
	return out, err
}
