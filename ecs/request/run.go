package request

import (
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// CheckRun is what only RunTask has: a count, constraints and strategies.
func CheckRun(in *shape.RunTaskRequest) error {
	if n := CountOf(in.Count); n < 1 || n > 10 {
		return Invalid("Count must be between 1 and 10.")
	}
	return CheckPlacement(in.PlacementConstraints, in.PlacementStrategy)
}

// CountOf is how many tasks are asked for: one unless told.
func CountOf(count *int32) int {
	if count == nil {
		return 1
	}
	return int(*count)
}
