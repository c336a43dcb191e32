package taskdef

import (
	"slices"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// checkContainers checks each container, and what holds between them.
func checkContainers(in *shape.RegisterTaskDefinitionRequest) error {
	if len(in.ContainerDefinitions) == 0 {
		return invalid("Container list cannot be empty.")
	}
	if len(in.ContainerDefinitions) > 10 {
		return invalid("Too many container definitions: a task definition may have at most 10.")
	}
	seen, essential := map[string]bool{}, false
	for i := range in.ContainerDefinitions {
		c := &in.ContainerDefinitions[i]
		if err := checkContainer(in, c); err != nil {
			return err
		}
		name := aws.Val(c.Name)
		if seen[name] {
			return invalid("Duplicate container name '%s': names of containers must be unique within a task definition.", name)
		}
		seen[name] = true
		essential = essential || c.Essential == nil || *c.Essential
	}
	if !essential {
		return invalid("At least one essential container is required in a task definition.")
	}
	return nil
}

func checkContainer(in *shape.RegisterTaskDefinitionRequest, c *shape.ContainerDefinition) error {
	name := aws.Val(c.Name)
	switch {
	case name == "":
		return invalid("Container.name should not be null or empty.")
	case !validName.MatchString(name):
		return invalid("Container.name contains invalid characters.")
	case aws.Val(c.Image) == "":
		return invalid("Container.image should not be null or empty.")
	case aws.Val(c.Cpu) < 0:
		return invalid("Invalid 'cpu' setting for container '%s': it must not be negative.", name)
	}
	for _, check := range []func(*shape.RegisterTaskDefinitionRequest, *shape.ContainerDefinition) error{
		checkMemory, checkPorts, checkMounts, checkHealth, checkTimeouts, checkUlimits, checkRestart,
	} {
		if err := check(in, c); err != nil {
			return err
		}
	}
	return nil
}

func checkMemory(in *shape.RegisterTaskDefinitionRequest, c *shape.ContainerDefinition) error {
	name := aws.Val(c.Name)
	switch {
	case c.Memory == nil && c.MemoryReservation == nil && aws.Val(in.Memory) == "":
		return invalid("Invalid setting for container '%s'. At least one of 'memory' or 'memoryReservation' must be specified.", name)
	case c.Memory != nil && *c.Memory < 6:
		return invalid("Invalid 'memory' setting for container '%s': it must be at least 6 MiB.", name)
	case c.MemoryReservation != nil && *c.MemoryReservation < 6:
		return invalid("Invalid 'memoryReservation' setting for container '%s': it must be at least 6 MiB.", name)
	case c.Memory != nil && c.MemoryReservation != nil && *c.MemoryReservation > *c.Memory:
		return invalid("Invalid setting for container '%s'. 'memory' must be greater than or equal to 'memoryReservation'.", name)
	}
	return nil
}

func checkMounts(in *shape.RegisterTaskDefinitionRequest, c *shape.ContainerDefinition) error {
	for _, m := range c.MountPoints {
		known := slices.ContainsFunc(in.Volumes, func(v shape.Volume) bool { return aws.Val(v.Name) == aws.Val(m.SourceVolume) })
		if !known {
			return invalid("Unknown volume '%s'.", aws.Val(m.SourceVolume))
		}
		if aws.Val(m.ContainerPath) == "" {
			return invalid("Invalid 'mountPoints' setting for container '%s': 'containerPath' should not be null or empty.", aws.Val(c.Name))
		}
	}
	for _, v := range c.VolumesFrom {
		if !named(in, aws.Val(v.SourceContainer)) {
			return invalid("Invalid 'volumesFrom' setting for container '%s': unknown container '%s'.", aws.Val(c.Name), aws.Val(v.SourceContainer))
		}
	}
	return nil
}

func named(in *shape.RegisterTaskDefinitionRequest, name string) bool {
	return slices.ContainsFunc(in.ContainerDefinitions, func(c shape.ContainerDefinition) bool { return aws.Val(c.Name) == name })
}

// checkUlimits: the soft limit is at most the hard one; -1 is no limit.
func checkUlimits(_ *shape.RegisterTaskDefinitionRequest, c *shape.ContainerDefinition) error {
	for _, u := range c.Ulimits {
		soft, hard := aws.Val(u.SoftLimit), aws.Val(u.HardLimit)
		if hard >= 0 && (soft > hard || soft < 0) {
			return invalid("Invalid 'ulimits' setting for container '%s': the soft limit of '%s' exceeds its hard limit.", aws.Val(c.Name), aws.Val(u.Name))
		}
	}
	return nil
}
