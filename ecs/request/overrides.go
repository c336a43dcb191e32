package request

import (
	"slices"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// CheckOverrides: they name containers of the definition, and leave each with the
// memory it needs.
func CheckOverrides(d *shape.TaskDefinition, o *shape.TaskOverride) error {
	if o == nil {
		return nil
	}
	size := 0
	for _, c := range o.ContainerOverrides {
		name := aws.Val(c.Name)
		i := slices.IndexFunc(d.ContainerDefinitions, func(k shape.ContainerDefinition) bool { return aws.Val(k.Name) == name })
		switch {
		case i < 0:
			return Invalid("Override for container named %s is not a container in the TaskDefinition.", name)
		case aws.Val(c.Cpu) < 0 || aws.Val(c.Memory) < 0 || aws.Val(c.MemoryReservation) < 0:
			return Invalid("Override for container named %s: cpu and memory must not be negative.", name)
		}
		for _, e := range c.Environment {
			size += len(aws.Val(e.Name)) + len(aws.Val(e.Value))
		}
		for _, s := range c.Command {
			size += len(s)
		}
	}
	if size > 8192 {
		return Invalid("Container Overrides length must be at most 8192")
	}
	return nil
}
