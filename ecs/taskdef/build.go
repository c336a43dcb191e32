// Package taskdef turns a RegisterTaskDefinition request into a task definition.
//
// Guarantees:
//
//   - It is pure: time, revision and the name of the caller are inputs, and the
//     request is not changed.
//   - What it refuses breaks a rule of ECS; the error names the container and the
//     field. What it accepts is complete: defaults filled in as AWS answers them,
//     compatibilities and required attributes derived.
//   - Registering what Build answered gives the same document again, but for its
//     revision and time.
//   - Page says of every field of the request whether this region does what it says;
//     a test sends a sample of each through the whole way to a node's plan, and names
//     the test that runs it.
package taskdef

import (
	"fmt"
	"slices"
	"time"

	"github.com/berth-ecs/berth/ecs"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// Facts are what a task definition has besides the request.
type Facts struct {
	Home     ecs.Home
	Revision int32
	At       time.Time
	By       string // ARN of the caller
}

// Build validates a request and makes the document of its revision. Errors are
// *aws.Error with code ClientException.
func Build(in *shape.RegisterTaskDefinitionRequest, f Facts) (*shape.TaskDefinition, error) {
	if err := validate(in); err != nil {
		return nil, err
	}
	family := aws.Val(in.Family)
	d := &shape.TaskDefinition{
		ContainerDefinitions:    make([]shape.ContainerDefinition, len(in.ContainerDefinitions)),
		Cpu:                     normal(in.Cpu, "vcpu"),
		EnableFaultInjection:    in.EnableFaultInjection,
		EphemeralStorage:        in.EphemeralStorage,
		ExecutionRoleArn:        in.ExecutionRoleArn,
		Family:                  aws.Ptr(family),
		InferenceAccelerators:   in.InferenceAccelerators,
		IpcMode:                 in.IpcMode,
		Memory:                  normal(in.Memory, "gb"),
		NetworkMode:             in.NetworkMode,
		PidMode:                 in.PidMode,
		PlacementConstraints:    orEmpty(in.PlacementConstraints),
		ProxyConfiguration:      proxyDefaults(in.ProxyConfiguration),
		RegisteredAt:            aws.At(f.At),
		RequiresCompatibilities: in.RequiresCompatibilities,
		Revision:                aws.Ptr(f.Revision),
		RuntimePlatform:         in.RuntimePlatform,
		Status:                  aws.Ptr(shape.TaskDefinitionStatusActive),
		TaskDefinitionArn:       aws.Ptr(f.Home.TaskDefinitionARN(family, f.Revision)),
		TaskRoleArn:             in.TaskRoleArn,
		Volumes:                 orEmpty(in.Volumes),
	}
	for i := range d.Volumes {
		d.Volumes[i] = volumeDefaults(d.Volumes[i])
	}
	if f.By != "" {
		d.RegisteredBy = aws.Ptr(f.By)
	}
	for i, c := range in.ContainerDefinitions {
		d.ContainerDefinitions[i] = defaults(c, aws.Val(in.NetworkMode))
	}
	d.Compatibilities = compatibilities(in)
	d.RequiresAttributes = requires(d)
	if err := checkLength(d); err != nil {
		return nil, err
	}
	return d, nil
}

// invalid is AWS's error for a bad task definition.
func invalid(format string, args ...any) error {
	return &aws.Error{Code: shape.CodeClientException, Message: fmt.Sprintf(format, args...)}
}

func orEmpty[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return slices.Clone(s)
}
