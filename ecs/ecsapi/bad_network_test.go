package ecsapi

import (
	"slices"

	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// badNet is a network configuration that is refused.
type badNet struct {
	name   string
	change func(*shape.AwsVpcConfiguration)
	want   string
}

var badNets = []badNet{
	{"no subnets", func(c *shape.AwsVpcConfiguration) { c.Subnets = nil }, "subnets can not be empty."},
	{"many subnets", func(c *shape.AwsVpcConfiguration) { c.Subnets = slices.Repeat([]string{"subnet-a"}, 17) }, "subnets can have at most 16 items."},
	{"empty subnet", func(c *shape.AwsVpcConfiguration) { c.Subnets = []string{""} }, "subnets can not have empty items."},
	{"many groups", func(c *shape.AwsVpcConfiguration) { c.SecurityGroups = slices.Repeat([]string{"sg-1"}, 6) }, "securityGroups can have at most 5 items."},
	{"empty group", func(c *shape.AwsVpcConfiguration) { c.SecurityGroups = []string{""} }, "securityGroups can not have empty items."},
	{"unknown subnet", func(c *shape.AwsVpcConfiguration) { c.Subnets = []string{"subnet-9"} },
		"Error retrieving subnet information for [subnet-9]: The subnet ID 'subnet-9' does not exist (ErrorCode: InvalidSubnetID.NotFound)"},
	{"unknown group", func(c *shape.AwsVpcConfiguration) { c.SecurityGroups = []string{"sg-9"} },
		"Error retrieving security group information for [sg-9]: The security group 'sg-9' does not exist (ErrorCode: InvalidGroup.NotFound)"},
	{"two VPCs", func(c *shape.AwsVpcConfiguration) { c.Subnets = []string{"subnet-a", "subnet-x"} }, "subnet-x is of vpc-2"},
	{"another VPC's group", func(c *shape.AwsVpcConfiguration) { c.SecurityGroups = []string{"sg-1", "sg-x"} }, "'sg-x' does not appear to belong to the same VPC"},
	{"public address", func(c *shape.AwsVpcConfiguration) { c.AssignPublicIp = aws.Ptr("ENABLED") }, "Assign public IP is not supported for this launch type."},
	{"public what", func(c *shape.AwsVpcConfiguration) { c.AssignPublicIp = aws.Ptr("MAYBE") }, "MAYBE"},
}

// badNetwork is every bad configuration at every operation that takes one, and what mode and launch type do not allow.
var badNetwork = func() []bad {
	out := []bad{
		{"RunTask/no network", ran("net", nil, ""), badParameter, "Network Configuration must be provided when networkMode 'awsvpc' is specified."},
		{"RunTask/empty network", ran("net", &shape.NetworkConfiguration{}, ""), badParameter, "Network Configuration must be provided when networkMode 'awsvpc' is specified."},
		{"RunTask/network for bridge", ran("web", awsvpc("subnet-a"), ""), badParameter, "Network Configuration is not valid for the given networkMode of this task definition."},
		{"RunTask/EXTERNAL", ran("net", awsvpc("subnet-a"), "EXTERNAL"), badParameter, "The EXTERNAL launch type does not support networkMode=awsvpc."},
		{"StartTask/no network", started("net", nil), badParameter, "Network Configuration must be provided when networkMode 'awsvpc' is specified."},
		{"StartTask/network for bridge", started("web", awsvpc("subnet-a")), badParameter, "Network Configuration is not valid"},
		{"CreateService/no network", serving("net", nil, ""), badParameter, "Network Configuration must be provided when networkMode 'awsvpc' is specified."},
		{"CreateService/network for bridge", serving("web", awsvpc("subnet-a"), ""), badParameter, "Network Configuration is not valid"},
		{"CreateService/network on EXTERNAL", serving("net", awsvpc("subnet-a"), "EXTERNAL"), badParameter, "The EXTERNAL launch type does not support networkMode=awsvpc."},
	}
	for _, b := range badNets {
		c := awsvpc("subnet-a")
		b.change(c.AwsvpcConfiguration)
		out = append(out,
			bad{"RunTask/" + b.name, ran("net", c, ""), badParameter, b.want}, bad{"StartTask/" + b.name, started("net", c), badParameter, b.want},
			bad{"CreateService/" + b.name, serving("net", c, ""), badParameter, b.want}, bad{"UpdateService/" + b.name, rewired(c), badParameter, b.want})
	}
	return out
}()

// with makes a call where there is a node and a definition in mode awsvpc.
func with(call func(*region) error) func(*region) error {
	return func(r *region) error {
		r.wired()
		r.node()
		return call(r)
	}
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func ran(family string, c *shape.NetworkConfiguration, launchType string) func(*region) error {
	return with(try(shape.OpRunTask, func(a *API) wire.Handler[shape.RunTaskRequest, shape.RunTaskResponse] { return a.RunTask },
		shape.RunTaskRequest{TaskDefinition: &family, NetworkConfiguration: c, LaunchType: optional(launchType)}))
}

func started(family string, c *shape.NetworkConfiguration) func(*region) error {
	return with(try(shape.OpStartTask, func(a *API) wire.Handler[shape.StartTaskRequest, shape.StartTaskResponse] { return a.StartTask },
		shape.StartTaskRequest{TaskDefinition: &family, NetworkConfiguration: c, ContainerInstances: []string{"i"}}))
}

func serving(family string, c *shape.NetworkConfiguration, launchType string) func(*region) error {
	return with(created(func(in *create) {
		in.ServiceName, in.TaskDefinition, in.NetworkConfiguration, in.LaunchType = aws.Ptr("new"), &family, c, optional(launchType)
	}))
}

// rewired gives a service that has a network another.
func rewired(c *shape.NetworkConfiguration) func(*region) error {
	call := updated(func(in *update) { in.Service, in.NetworkConfiguration = aws.Ptr("net"), c })
	return with(func(r *region) error {
		must(r, shape.OpCreateService, r.api.CreateService, &shape.CreateServiceRequest{ServiceName: aws.Ptr("net"), TaskDefinition: aws.Ptr("net"),
			DesiredCount: aws.Ptr(int32(0)), NetworkConfiguration: awsvpc("subnet-a")})
		return call(r)
	})
}
