// Package launch turns a wish for tasks into what must be placed and, once places are known, into records.
//
// Guarantees:
//
//   - It is pure: time and identifiers are inputs.
//   - What a task holds of its node is computed once, here, and stored with the task, so that what is booked is what is released.
//   - Overrides are merged here for everything that placement depends on; the task's records keep them for whoever starts the containers.
package launch

import (
	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/place"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// Spec is a wish for tasks.
type Spec struct {
	Home       ecs.Home            // required
	Cluster    string              // required; name
	Definition *ecs.TaskDefinition // required
	Count      int                 // required, unless Instances is set

	Group            string // optional; "family:<family>" when empty
	StartedBy        string // optional
	Service          string // optional; name of the service, with Deployment
	Deployment       string
	LaunchType       string // optional; any container instance when empty
	CapacityProvider string // optional; FARGATE or FARGATE_SPOT, with that launch type
	PlatformVersion  string // optional; of FARGATE
	ReferenceID      string // optional

	Overrides            shape.TaskOverride
	Network              *shape.NetworkConfiguration // required by network mode awsvpc
	Registries           []shape.ServiceRegistry     // optional; that the tasks are found in
	Balancers            []shape.LoadBalancer        // optional; that the tasks are targets of
	Constraints          []shape.PlacementConstraint
	Strategy             []shape.PlacementStrategy // optional; a service spreads over zones when empty
	Tags                 []shape.Tag
	EnableExecuteCommand bool

	// Guise is how the interface of a hidden task is; nil for every other. Such a task is alone on nothing: it needs no sandbox.
	Guise *ecs.Guise

	// Among are the IDs of the only container instances that may be chosen; optional, any when empty.
	Among []string

	// Instances are the IDs of the container instances of StartTask: one task on each, whatever Count, Constraints and Strategy say.
	Instances []string
}

// Fargate says whether the tasks run on FARGATE: on nodes that offer it, not on container instances of the cluster.
func (s Spec) Fargate() bool {
	return s.LaunchType == shape.LaunchTypeFargate
}

// GroupName is the task group: the one given, or the default.
func (s Spec) GroupName() string {
	if s.Group != "" {
		return s.Group
	}
	return "family:" + s.Definition.Family
}

// Failure is a task that was not launched and why.
type Failure struct {
	ARN    string // of a container instance; empty when there is none to name
	Reason string // AGENT, ATTRIBUTE, RESOURCE:CPU, ..., MISSING, INACTIVE
	Detail string
}

// Result is what became of a wish.
type Result struct {
	Tasks    []*ecs.Task
	Failures []Failure
	// Interrupted are the keys of the Spot tasks that are to end so that there is room for the next tasks on FARGATE.
	Interrupted []string
	Refusal     *place.Refusal // why the next task had no place; nil when all had one, and for StartTask
}

// Records are what is stored of a new task.
type Records struct {
	Task    *ecs.Task
	Desired *ecs.TaskDesired
	Status  *ecs.TaskStatus
	Tags    *ecs.TaskTags // nil when it has none
}
