package launch

import (
	"github.com/berth-ecs/berth/ecs"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// HiddenImage is the image of their container: nodes have it in them. As the name of an image it is none.
const HiddenImage = ecs.HiddenMark + "berth/pause"

// What a hidden task books of its node. Its container does nothing; what works for it is a program of the node, which all such tasks there share,
// and this is its share. 16 MiB is as little as a container that runc starts can be limited to without being killed while it starts.
const (
	hiddenCPU = "16"
	hiddenMiB = "16"
)

// ProxyAttribute is what a node's container instance has while its proxy works.
const ProxyAttribute = "berth.proxy"

// HiddenDefinition is the task definition of the tasks that are load balancers' nodes.
func HiddenDefinition(h ecs.Home) *ecs.TaskDefinition {
	d := &ecs.TaskDefinition{Home: h, Family: ecs.HiddenBalancers, Revision: 1}
	d.Document = shape.TaskDefinition{
		TaskDefinitionArn: aws.Ptr(d.ARN()), Family: aws.Ptr(d.Family), Revision: aws.Ptr(d.Revision), Status: aws.Ptr(shape.TaskDefinitionStatusActive),
		NetworkMode: aws.Ptr(shape.NetworkModeAwsvpc), Cpu: aws.Ptr(hiddenCPU), Memory: aws.Ptr(hiddenMiB),
		EphemeralStorage:   &shape.EphemeralStorage{SizeInGiB: aws.Ptr(int32(0))}, // it writes nothing
		RequiresAttributes: []shape.Attribute{{Name: aws.Ptr(ProxyAttribute)}},
		ContainerDefinitions: []shape.ContainerDefinition{{
			Name: aws.Ptr("node"), Image: aws.Ptr(HiddenImage), Essential: aws.Ptr(true), StopTimeout: aws.Ptr(int32(0)),
			LogConfiguration: &shape.LogConfiguration{LogDriver: aws.Ptr("none")},
		}},
	}
	return d
}
