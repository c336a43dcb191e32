package request

import (
	"slices"

	"github.com/berth-ecs/berth/ecs"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// Limits of an awsvpc configuration.
const (
	maxSubnets = 16
	maxGroups  = 5
)

// Network holds a network configuration to the mode of the task definition that it is for, and completes it as AWS answers it; nil for the
// modes that have none. launchType may be empty: the instance decides.
func Network(d *shape.TaskDefinition, in *shape.NetworkConfiguration, launchType string) (*shape.NetworkConfiguration, error) {
	switch {
	case !ecs.HasInterface(d) && in != nil:
		return nil, Invalid("Network Configuration is not valid for the given networkMode of this task definition.")
	case !ecs.HasInterface(d):
		return nil, nil
	case in == nil || in.AwsvpcConfiguration == nil:
		return nil, Invalid("Network Configuration must be provided when networkMode 'awsvpc' is specified.")
	case launchType == shape.LaunchTypeExternal:
		return nil, Invalid("The EXTERNAL launch type does not support networkMode=awsvpc.")
	}
	c := *in.AwsvpcConfiguration
	if err := checkAwsvpc(c, launchType); err != nil {
		return nil, err
	}
	if c.AssignPublicIp == nil {
		c.AssignPublicIp = aws.Ptr(shape.AssignPublicIpDisabled)
	}
	if c.SecurityGroups == nil {
		c.SecurityGroups = []string{}
	}
	return &shape.NetworkConfiguration{AwsvpcConfiguration: &c}, nil
}

func checkAwsvpc(c shape.AwsVpcConfiguration, launchType string) error {
	switch {
	case len(c.Subnets) == 0:
		return Invalid("subnets can not be empty.")
	case len(c.Subnets) > maxSubnets:
		return Invalid("subnets can have at most %d items.", maxSubnets)
	case len(c.SecurityGroups) > maxGroups:
		return Invalid("securityGroups can have at most %d items.", maxGroups)
	case slices.Contains(c.Subnets, ""):
		return Invalid("subnets can not have empty items.")
	case slices.Contains(c.SecurityGroups, ""):
		return Invalid("securityGroups can not have empty items.")
	}
	switch p := aws.Val(c.AssignPublicIp); p {
	case "", shape.AssignPublicIpDisabled:
		return nil
	case shape.AssignPublicIpEnabled:
		if launchType == shape.LaunchTypeFargate {
			return nil
		}
		return Invalid("Assign public IP is not supported for this launch type.")
	default:
		return Invalid("Invalid value for assignPublicIp: '%s'. Valid values: ENABLED, DISABLED", p)
	}
}

// CheckFound holds what a network configuration names to what there is: subnets and groups exist, and all are of one VPC.
func CheckFound(c *shape.AwsVpcConfiguration, subnets []ecs.Subnet, groups []ecs.SecurityGroup) error {
	for _, id := range c.Subnets {
		if !slices.ContainsFunc(subnets, func(s ecs.Subnet) bool { return s.ID == id }) {
			return Invalid("Error retrieving subnet information for [%s]: The subnet ID '%s' does not exist (ErrorCode: InvalidSubnetID.NotFound)", id, id)
		}
	}
	for _, id := range c.SecurityGroups {
		if !slices.ContainsFunc(groups, func(g ecs.SecurityGroup) bool { return g.ID == id }) {
			return Invalid("Error retrieving security group information for [%s]: The security group '%s' does not exist (ErrorCode: InvalidGroup.NotFound)", id, id)
		}
	}
	for _, s := range subnets {
		if s.VPC != subnets[0].VPC {
			return Invalid("The subnets must be of one VPC: %s is of %s, %s is of %s.", subnets[0].ID, subnets[0].VPC, s.ID, s.VPC)
		}
	}
	for _, g := range groups {
		if g.VPC != subnets[0].VPC {
			return Invalid("The security group '%s' does not appear to belong to the same VPC as the input subnets.", g.ID)
		}
	}
	return nil
}
