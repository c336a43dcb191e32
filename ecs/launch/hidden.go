package launch

import (
	"strings"

	"github.com/berth-ecs/berth/ecs"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// HiddenMark begins the names of clusters and families that no client sees or can name: what they hold works for other wings.
const HiddenMark = "@"

// HiddenBalancers is the cluster, and the family, of the tasks that are load balancers' nodes.
const HiddenBalancers = HiddenMark + "amazon-elb"

// Hidden says whether a cluster or family is one of those.
func Hidden(name string) bool { return strings.HasPrefix(name, HiddenMark) }

// HiddenImage is the image of their container: nodes have it in them. As the name of an image it is none.
const HiddenImage = HiddenMark + "berth/pause"

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
	d := &ecs.TaskDefinition{Home: h, Family: HiddenBalancers, Revision: 1}
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
