package taskdef

import (
	"math"
	"strconv"
	"strings"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// Bounds of a task's cpu outside of FARGATE (RegisterTaskDefinitionRequest.cpu).
const (
	minCPU = 128
	maxCPU = 196608
)

// checkSizes reads the task's cpu and memory.
func checkSizes(in *shape.RegisterTaskDefinitionRequest) error {
	cpu, ok := size(in.Cpu, "vcpu")
	if !ok || cpu > 0 && (cpu < minCPU || cpu > maxCPU) {
		return invalid("Invalid 'cpu' setting for task.")
	}
	memory, ok := size(in.Memory, "gb")
	if !ok || memory > 0 && memory < minMemory {
		return invalid("Invalid 'memory' setting for task.")
	}
	return nil
}

// size reads "512" or, with the unit, "0.5 vCPU": one unit is 1,024. Absent is 0.
func size(s *string, unit string) (int64, bool) {
	if s == nil {
		return 0, true
	}
	text, inUnits := strings.CutSuffix(strings.ToLower(strings.TrimSpace(*s)), unit)
	text = strings.TrimSpace(text)
	if text == "" || strings.Trim(text, "0123456789.") != "" {
		return 0, false
	}
	f, err := strconv.ParseFloat(text, 64)
	if inUnits {
		f *= 1024
	}
	if err != nil || f <= 0 || f > math.MaxInt32 || f != math.Trunc(f) {
		return 0, false
	}
	return int64(f), true
}

// normal is a size as AWS answers it: "1 vCPU" and "2GB" are "1024" and "2048"
// ("String values are converted to an integer ... when the task definition is
// registered": RegisterTaskDefinitionRequest.cpu and memory).
func normal(s *string, unit string) *string {
	n, ok := size(s, unit)
	if s == nil || !ok {
		return s
	}
	return aws.Ptr(strconv.FormatInt(n, 10))
}

// checkTaskCPU: AWS adds up the containers' cpu, whatever the launch type.
func checkTaskCPU(in *shape.RegisterTaskDefinitionRequest) error {
	task, _ := size(in.Cpu, "vcpu")
	var used int64
	for _, c := range in.ContainerDefinitions {
		used += int64(aws.Val(c.Cpu))
	}
	if task > 0 && used > task {
		return invalid("The sum of all container 'cpu' values cannot be greater than the value of the task 'cpu'.")
	}
	return nil
}

// checkTaskMemory: no container may have more than the task, nor all reserve more.
// Hard limits are not added up: AWS takes a container of the task's whole memory
// beside a log router with a reservation.
func checkTaskMemory(in *shape.RegisterTaskDefinitionRequest) error {
	task, _ := size(in.Memory, "gb")
	if task == 0 {
		return nil
	}
	var reserved int64
	for _, c := range in.ContainerDefinitions {
		if int64(aws.Val(c.Memory)) > task {
			return invalid("The 'memory' setting for container '%s' is greater than for the task.", aws.Val(c.Name))
		}
		reserved += int64(aws.Val(c.MemoryReservation))
	}
	if reserved > task {
		return invalid("The sum of all container 'memoryReservation' values cannot be greater than the value of the task 'memory'.")
	}
	return nil
}
