package taskdef

import (
	"slices"
	"strings"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// maxContainers is the service quota "Containers per task definition".
const maxContainers = 10

// containerChecks are the rules of one container, in the order they are judged.
var containerChecks = []func(*shape.RegisterTaskDefinitionRequest, *shape.ContainerDefinition) error{
	checkImage, checkMemory, checkNetworking, checkPorts, checkMounts, checkHealth, checkTimeouts, checkRestart, checkUlimits,
	checkVariables, checkSecrets, checkEnvironmentFiles, checkLogs, checkFirelens, checkLinux, checkSysctls, checkSecurity, checkResources,
}

// checkContainers checks each container, and what holds between them.
func checkContainers(in *shape.RegisterTaskDefinitionRequest) error {
	if len(in.ContainerDefinitions) == 0 {
		return invalid("Container list cannot be empty.")
	}
	if len(in.ContainerDefinitions) > maxContainers {
		return invalid("Too many containers.")
	}
	seen, essential := map[string]bool{}, false
	for i := range in.ContainerDefinitions {
		c := &in.ContainerDefinitions[i]
		if err := checkContainer(in, c); err != nil {
			return err
		}
		name := aws.Val(c.Name)
		if seen[name] {
			return invalid("Container names must be unique within a task definition.")
		}
		seen[name] = true
		essential = essential || isEssential(c)
	}
	if !essential {
		return invalid("Task definition doesn't have any essential container.")
	}
	return nil
}

func isEssential(c *shape.ContainerDefinition) bool { return c.Essential == nil || *c.Essential }

func checkContainer(in *shape.RegisterTaskDefinitionRequest, c *shape.ContainerDefinition) error {
	name := aws.Val(c.Name)
	switch {
	case name == "":
		return invalid("Container.name should not be null or empty.")
	case !validName.MatchString(name):
		return invalid("Container.name contains invalid characters.")
	}
	for _, check := range containerChecks {
		if err := check(in, c); err != nil {
			return err
		}
	}
	return nil
}

// checkImage: before a digest at most 255 characters (ContainerDefinition.image).
func checkImage(_ *shape.RegisterTaskDefinitionRequest, c *shape.ContainerDefinition) error {
	image := aws.Val(c.Image)
	repository, _, _ := strings.Cut(image, "@")
	switch {
	case image == "":
		return invalid("Container.image should not be null or empty.")
	case repository == "", len(repository) > 255, strings.ContainsAny(image, " \t\r\n"):
		return invalid("Container.image contains invalid characters.")
	}
	return oneOf("for container '"+aws.Val(c.Name)+"'", []choice{
		{"versionConsistency", c.VersionConsistency, []string{shape.VersionConsistencyEnabled, shape.VersionConsistencyDisabled}}})
}

// minMemory is what Docker 20.10 reserves at least (ContainerDefinition.memory).
const minMemory = 6

func checkMemory(in *shape.RegisterTaskDefinitionRequest, c *shape.ContainerDefinition) error {
	name := aws.Val(c.Name)
	switch {
	case aws.Val(c.Cpu) < 0:
		return invalid("Invalid 'cpu' setting for container '%s': it must not be negative.", name)
	case c.Memory == nil && c.MemoryReservation == nil && aws.Val(in.Memory) == "":
		return invalid("Invalid setting for container '%s'. At least one of 'memory' or 'memoryReservation' must be specified.", name)
	case c.Memory != nil && *c.Memory < minMemory:
		return invalid("Invalid 'memory' setting for container '%s': it must be at least %d MiB.", name, minMemory)
	case c.MemoryReservation != nil && *c.MemoryReservation < minMemory:
		return invalid("Invalid 'memoryReservation' setting for container '%s': it must be at least %d MiB.", name, minMemory)
	case c.Memory != nil && c.MemoryReservation != nil && *c.MemoryReservation > *c.Memory:
		return invalid("Invalid setting for container '%s'. 'memory' must be greater than or equal to 'memoryReservation'.", name)
	}
	return nil
}

// checkMounts: what is mounted is a volume of the task, or another container's.
func checkMounts(in *shape.RegisterTaskDefinitionRequest, c *shape.ContainerDefinition) error {
	name := aws.Val(c.Name)
	for _, m := range c.MountPoints {
		known := slices.ContainsFunc(in.Volumes, func(v shape.Volume) bool { return aws.Val(v.Name) == aws.Val(m.SourceVolume) })
		switch {
		case !known:
			return invalid("Unknown volume '%s'.", aws.Val(m.SourceVolume))
		case aws.Val(m.ContainerPath) == "":
			return invalid("Invalid 'mountPoints' setting for container '%s': 'containerPath' should not be null or empty.", name)
		}
	}
	for _, v := range c.VolumesFrom {
		from := aws.Val(v.SourceContainer)
		if from == name || container(in, from) == nil {
			return invalid("Invalid 'volumesFrom' setting for container '%s': unknown container '%s'.", name, from)
		}
	}
	return nil
}

// container finds a container by name; nil when there is none.
func container(in *shape.RegisterTaskDefinitionRequest, name string) *shape.ContainerDefinition {
	for i := range in.ContainerDefinitions {
		if aws.Val(in.ContainerDefinitions[i].Name) == name {
			return &in.ContainerDefinitions[i]
		}
	}
	return nil
}

// ulimits are the names of the UlimitName enumeration.
var ulimits = []string{
	shape.UlimitNameCore, shape.UlimitNameCpu, shape.UlimitNameData, shape.UlimitNameFsize, shape.UlimitNameLocks, shape.UlimitNameMemlock,
	shape.UlimitNameMsgqueue, shape.UlimitNameNice, shape.UlimitNameNofile, shape.UlimitNameNproc, shape.UlimitNameRss, shape.UlimitNameRtprio,
	shape.UlimitNameRttime, shape.UlimitNameSigpending, shape.UlimitNameStack,
}

// checkUlimits: the soft limit is at most the hard one; -1 is no limit.
func checkUlimits(_ *shape.RegisterTaskDefinitionRequest, c *shape.ContainerDefinition) error {
	name := aws.Val(c.Name)
	for _, u := range c.Ulimits {
		if err := oneOf("for container '"+name+"'", []choice{{"ulimits.name", aws.Ptr(aws.Val(u.Name)), ulimits}}); err != nil {
			return err
		}
		soft, hard := aws.Val(u.SoftLimit), aws.Val(u.HardLimit)
		if soft < -1 || hard < -1 || hard >= 0 && (soft > hard || soft < 0) {
			return invalid("Invalid 'ulimits' setting for container '%s': the soft limit of '%s' exceeds its hard limit.", name, aws.Val(u.Name))
		}
	}
	return nil
}
