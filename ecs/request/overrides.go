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
		case aws.Val(c.Cpu) < 0:
			return Invalid("Override for container named %s: cpu must not be negative.", name)
		}
		if err := checkMemory(&d.ContainerDefinitions[i], &c); err != nil {
			return err
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

// minMemory is what Docker 20.10 reserves at least (ContainerDefinition.memory).
const minMemory = 6

// checkMemory judges a container's limits as its override leaves them, by the rules of a definition: no node starts a container whose
// reservation is above its limit.
func checkMemory(d *shape.ContainerDefinition, o *shape.ContainerOverride) error {
	name := aws.Val(d.Name)
	memory, reservation := d.Memory, d.MemoryReservation
	for _, l := range []struct {
		member string
		over   *int32
		merged **int32
	}{{"memory", o.Memory, &memory}, {"memoryReservation", o.MemoryReservation, &reservation}} {
		if l.over == nil {
			continue
		}
		if *l.over < minMemory {
			return Invalid("Override for container named %s: '%s' must be at least %d MiB.", name, l.member, minMemory)
		}
		*l.merged = l.over
	}
	if memory != nil && reservation != nil && *reservation > *memory {
		return Invalid("Override for container named %s: 'memory' must be greater than or equal to 'memoryReservation'.", name)
	}
	return nil
}
