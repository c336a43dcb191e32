package taskdef

import (
	"math"
	"slices"
	"strconv"
	"strings"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// checkSizes reads the task's cpu and memory and compares them with its containers'.
func checkSizes(in *shape.RegisterTaskDefinitionRequest) error {
	cpu, ok := size(in.Cpu, "vcpu")
	if !ok {
		return invalid("Invalid 'cpu' setting for task: %q is not a number of CPU units or of vCPU.", aws.Val(in.Cpu))
	}
	memory, ok := size(in.Memory, "gb")
	if !ok {
		return invalid("Invalid 'memory' setting for task: %q is not a number of MiB or of GB.", aws.Val(in.Memory))
	}
	var used int64
	for _, c := range in.ContainerDefinitions {
		used += int64(aws.Val(c.Cpu))
		if memory > 0 && int64(aws.Val(c.Memory)) > memory {
			return invalid("Invalid setting for container '%s'. 'memory' exceeds the memory of the task.", aws.Val(c.Name))
		}
	}
	if cpu > 0 && used > cpu {
		return invalid("The cpu of the containers (%d) exceeds the cpu of the task (%d).", used, cpu)
	}
	return nil
}

// size reads "512" or, with the unit, "0.5 vCPU": one unit is 1,024. Absent is 0.
func size(s *string, unit string) (int64, bool) {
	if s == nil {
		return 0, true
	}
	number, inUnits := strings.CutSuffix(strings.ToLower(strings.TrimSpace(*s)), unit)
	f, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if inUnits {
		f *= 1024
	}
	if err != nil || f <= 0 || f > math.MaxInt32 || f != math.Trunc(f) {
		return 0, false
	}
	return int64(f), true
}

// fargateSizes is AWS's table: CPU units to MiB of memory.
var fargateSizes = []struct {
	cpu       int64
	low, high int64
	step      int64
}{
	{512, 1024, 4096, 1024}, {1024, 2048, 8192, 1024}, {2048, 4096, 16384, 1024}, {4096, 8192, 30720, 1024},
	{8192, 16384, 61440, 4096}, {16384, 32768, 122880, 8192},
}

func fargateSize(cpu, memory int64) bool {
	if cpu == 256 {
		return memory == 512 || memory == 1024 || memory == 2048
	}
	for _, r := range fargateSizes {
		if r.cpu == cpu {
			return memory >= r.low && memory <= r.high && (memory-r.low)%r.step == 0
		}
	}
	return false
}

// checkFargate holds a definition that asks for FARGATE to its rules.
func checkFargate(in *shape.RegisterTaskDefinitionRequest) error {
	if !slices.Contains(in.RequiresCompatibilities, shape.CompatibilityFargate) {
		return nil
	}
	if aws.Val(in.NetworkMode) != shape.NetworkModeAwsvpc {
		return invalid("Fargate only supports network mode 'awsvpc'.")
	}
	if in.Cpu == nil {
		return invalid("Fargate requires that 'cpu' be defined at the task level.")
	}
	if in.Memory == nil {
		return invalid("Fargate requires that 'memory' be defined at the task level.")
	}
	cpu, _ := size(in.Cpu, "vcpu")
	memory, _ := size(in.Memory, "gb")
	if !fargateSize(cpu, memory) {
		return invalid("No Fargate configuration exists for given values: %d CPU, %d memory. See the Amazon ECS documentation for the valid values.", cpu, memory)
	}
	for _, c := range in.ContainerDefinitions {
		switch {
		case aws.Val(c.Privileged):
			return invalid("Fargate does not support privileged containers: see container '%s'.", aws.Val(c.Name))
		case aws.Val(c.StopTimeout) > 120:
			return invalid("Invalid 'stopTimeout' setting for container '%s': on Fargate it must be at most 120.", aws.Val(c.Name))
		}
	}
	return nil
}

// compatibilities are the launch types the definition was found fit for.
func compatibilities(in *shape.RegisterTaskDefinitionRequest) []string {
	all := []string{}
	if aws.Val(in.NetworkMode) != shape.NetworkModeAwsvpc {
		all = append(all, shape.CompatibilityExternal)
	}
	all = append(all, shape.CompatibilityEc2)
	as := *in
	as.RequiresCompatibilities = []string{shape.CompatibilityFargate}
	if checkFargate(&as) == nil {
		all = append(all, shape.CompatibilityFargate)
	}
	return all
}
