package cloudmap

import shape "github.com/berth-ecs/berth/wire/shape/servicediscovery"

// Streak is how many checks in a row said what the status is not yet.
type Streak int

// Judge adds the result of a check to a streak. The status changes once as many checks in a row as the threshold says differ from it.
func (c *Check) Judge(status string, passed bool, was Streak) (next string, streak Streak) {
	said := shape.HealthStatusUnhealthy
	if passed {
		said = shape.HealthStatusHealthy
	}
	if said == status {
		return status, 0
	}
	if was++; int32(was) >= c.Threshold {
		return said, 0
	}
	return status, was
}
