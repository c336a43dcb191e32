package taskdef

import (
	"slices"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// fargateSizes is AWS's table of task sizes: CPU units, and the memory in MiB that
// goes with them (developer guide, "Task size").
var fargateSizes = []struct {
	cpu       int64
	low, high int64
	step      int64
}{
	{512, 1024, 4096, 1024}, {1024, 2048, 8192, 1024}, {2048, 4096, 16384, 1024}, {4096, 8192, 30720, 1024},
	{8192, 16384, 61440, 4096}, {16384, 32768, 122880, 8192},
}

func fargateSize(cpu, memory int64) bool {
	switch cpu { // those without steps
	case 256:
		return memory == 512 || memory == 1024 || memory == 2048
	case 32768:
		return memory == 61440 || memory == 122880 || memory == 249856
	}
	for _, r := range fargateSizes {
		if r.cpu == cpu {
			return memory >= r.low && memory <= r.high && (memory-r.low)%r.step == 0
		}
	}
	return false
}

// CheckFargateSize holds a task's own cpu and memory, as its definition and its overrides leave them, to the table.
func CheckFargateSize(cpu, memory *string) error {
	units, okCPU := size(cpu, "vcpu")
	mib, okMemory := size(memory, "gb")
	if !okCPU || !okMemory || !fargateSize(units, mib) {
		return noFargateSize(units, mib)
	}
	return nil
}

// CheckStorage holds ephemeral storage that is asked for to what FARGATE has; what asks for none has the default.
func CheckStorage(s *shape.EphemeralStorage) error {
	if s == nil {
		return nil
	}
	switch size := aws.Val(s.SizeInGiB); {
	case size < 21:
		return invalid("EphemeralStorage size should be at least 21")
	case size > 200:
		return invalid("EphemeralStorage size should be at most 200")
	}
	return nil
}

func noFargateSize(cpu, memory int64) error {
	return invalid("No Fargate configuration exists for given values: %d CPU, %d memory. See the Amazon ECS documentation for the valid values.", cpu, memory)
}

// checkLaunchTypes holds a definition to the launch types it asks to be fit for.
func checkLaunchTypes(in *shape.RegisterTaskDefinitionRequest) error {
	for i, name := range in.RequiresCompatibilities {
		switch name {
		case shape.CompatibilityFargate:
			if err := checkFargate(in); err != nil {
				return err
			}
		case shape.CompatibilityEc2:
			if in.EphemeralStorage != nil && !slices.Contains(in.RequiresCompatibilities, shape.CompatibilityFargate) {
				return invalid("Tasks using the EC2 launch type do not support EphemeralStorage.")
			}
		case shape.CompatibilityExternal:
			if err := checkExternal(in); err != nil {
				return err
			}
		case shape.CompatibilityManagedInstances:
			return invalid("Managed instances are not available in this region.")
		default:
			return oneOf("for task", []choice{{"requiresCompatibilities", &in.RequiresCompatibilities[i],
				[]string{shape.CompatibilityEc2, shape.CompatibilityFargate, shape.CompatibilityExternal}}})
		}
	}
	return nil
}

// checkExternal: what external instances do not have (developer guide, "Amazon ECS
// clusters for external instances", considerations).
func checkExternal(in *shape.RegisterTaskDefinitionRequest) error {
	if aws.Val(in.NetworkMode) == shape.NetworkModeAwsvpc {
		return invalid("The EXTERNAL launch type does not support networkMode=awsvpc.")
	}
	if in.EphemeralStorage != nil {
		return invalid("Tasks using the EXTERNAL launch type do not support EphemeralStorage.")
	}
	for _, v := range in.Volumes {
		if v.EfsVolumeConfiguration != nil {
			return invalid("Tasks using the EXTERNAL launch type do not support efsVolumeConfiguration.")
		}
	}
	return nil
}

// checkFargate: what FARGATE wants, and what it does not have. The sentences are
// AWS's.
func checkFargate(in *shape.RegisterTaskDefinitionRequest) error {
	cpu, _ := size(in.Cpu, "vcpu")
	memory, _ := size(in.Memory, "gb")
	switch {
	case aws.Val(in.NetworkMode) != shape.NetworkModeAwsvpc:
		return invalid("Fargate only supports network mode 'awsvpc'.")
	case in.Cpu == nil:
		return invalid("Fargate requires that 'cpu' be defined at the task level.")
	case in.Memory == nil:
		return invalid("Fargate requires that 'memory' be defined at the task level.")
	case !fargateSize(cpu, memory), windows(in) && cpu < 1024:
		return noFargateSize(cpu, memory)
	case in.IpcMode != nil:
		return notOnFargate("ipcMode")
	case aws.Val(in.PidMode) == shape.PidModeHost:
		return invalid("Tasks using the Fargate launch type do not support pidMode 'host'. The supported value for pidMode is 'task'.")
	case len(in.PlacementConstraints) > 0:
		return notOnFargate("constraints")
	}
	for _, v := range in.Volumes {
		switch {
		case v.DockerVolumeConfiguration != nil:
			return notOnFargate("dockerVolumeConfiguration")
		case v.Host != nil && aws.Val(v.Host.SourcePath) != "":
			return notOnFargate("sourcePath")
		}
	}
	for i := range in.ContainerDefinitions {
		if err := checkFargateContainer(in, &in.ContainerDefinitions[i]); err != nil {
			return err
		}
	}
	return nil
}

func notOnFargate(field string) error {
	return invalid("Fargate compatible task definitions do not support %s", field)
}

func checkFargateContainer(in *shape.RegisterTaskDefinitionRequest, c *shape.ContainerDefinition) error {
	role := aws.Val(in.ExecutionRoleArn) != ""
	switch {
	case aws.Val(c.Privileged):
		return invalid("Fargate requires that the 'privileged' setting be 'false'.")
	case len(c.DockerSecurityOptions) > 0:
		return notOnFargate("dockerSecurityOptions")
	case len(c.ResourceRequirements) > 0:
		return invalid("Tasks using the Fargate launch type do not support GPU resource requirements.")
	case ecr.MatchString(aws.Val(c.Image)) && !role:
		return invalid("Fargate requires task definition to have execution role ARN to support ECR images.")
	case c.FirelensConfiguration != nil && c.FirelensConfiguration.Options["config-file-type"] == "s3":
		return invalid("Fargate launch type does not support FirelensConfiguration config file from 's3'")
	}
	if err := inRanges(aws.Val(c.Name), []ranged{{"startTimeout", c.StartTimeout, 2, 120}, {"stopTimeout", c.StopTimeout, 0, 120}}); err != nil {
		return err
	}
	if err := checkFargateLinux(c.LinuxParameters); err != nil {
		return err
	}
	return checkFargateLogs(c.LogConfiguration, role)
}

func checkFargateLinux(l *shape.LinuxParameters) error {
	switch {
	case l == nil:
		return nil
	case len(l.Devices) > 0:
		return notOnFargate("devices")
	case l.SharedMemorySize != nil:
		return notOnFargate("sharedMemorySize")
	case l.MaxSwap != nil:
		return notOnFargate("maxSwap")
	case l.Swappiness != nil:
		return notOnFargate("swappiness")
	case l.Capabilities == nil:
		return nil
	}
	for _, name := range l.Capabilities.Add {
		if name != "SYS_PTRACE" { // KernelCapabilities.add
			return invalid("%s is not allowed on Fargate.", name)
		}
	}
	return nil
}

func checkFargateLogs(l *shape.LogConfiguration, role bool) error {
	if l == nil {
		return nil
	}
	if err := logDriver(aws.Val(l.LogDriver), []string{shape.LogDriverAwslogs, shape.LogDriverSplunk, shape.LogDriverAwsfirelens}); err != nil {
		return err
	}
	switch awslogs := aws.Val(l.LogDriver) == shape.LogDriverAwslogs; {
	case awslogs && l.Options["awslogs-stream-prefix"] == "":
		return invalid("Fargate requires log configuration options to include awslogs-stream-prefix to support log driver awslogs.")
	case awslogs && !role:
		return invalid("Fargate requires task definition to have execution role ARN to support log driver awslogs.")
	}
	return nil
}

// compatibilities are the launch types the definition was found fit for, in the
// order AWS answers them.
func compatibilities(in *shape.RegisterTaskDefinitionRequest) []string {
	all := []string{}
	if checkExternal(in) == nil {
		all = append(all, shape.CompatibilityExternal)
	}
	all = append(all, shape.CompatibilityEc2)
	if checkFargate(in) == nil {
		all = append(all, shape.CompatibilityFargate)
	}
	return all
}
