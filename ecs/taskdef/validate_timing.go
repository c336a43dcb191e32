package taskdef

import (
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// checkHealth holds a health check to AWS's ranges.
func checkHealth(_ *shape.RegisterTaskDefinitionRequest, c *shape.ContainerDefinition) error {
	h := c.HealthCheck
	if h == nil {
		return nil
	}
	name := aws.Val(c.Name)
	if len(h.Command) == 0 {
		return invalid("Invalid 'healthCheck' setting for container '%s': 'command' should not be null or empty.", name)
	}
	return inRanges(name, []ranged{
		{"healthCheck.interval", h.Interval, 5, 300}, {"healthCheck.timeout", h.Timeout, 2, 60},
		{"healthCheck.retries", h.Retries, 1, 10}, {"healthCheck.startPeriod", h.StartPeriod, 0, 300},
	})
}

func checkTimeouts(_ *shape.RegisterTaskDefinitionRequest, c *shape.ContainerDefinition) error {
	const day = 24 * 60 * 60
	return inRanges(aws.Val(c.Name), []ranged{{"startTimeout", c.StartTimeout, 2, day}, {"stopTimeout", c.StopTimeout, 0, day}})
}

func checkRestart(_ *shape.RegisterTaskDefinitionRequest, c *shape.ContainerDefinition) error {
	r := c.RestartPolicy
	if r == nil {
		return nil
	}
	if len(r.IgnoredExitCodes) > 50 {
		return invalid("Invalid 'restartPolicy.ignoredExitCodes' setting for container '%s': at most 50 exit codes are allowed.", aws.Val(c.Name))
	}
	return inRanges(aws.Val(c.Name), []ranged{{"restartPolicy.restartAttemptPeriod", r.RestartAttemptPeriod, 60, 1800}})
}

type ranged struct {
	field     string
	value     *int32
	low, high int32
}

func inRanges(container string, fields []ranged) error {
	for _, f := range fields {
		if f.value != nil && (*f.value < f.low || *f.value > f.high) {
			return invalid("Invalid '%s' setting for container '%s': it must be between %d and %d.", f.field, container, f.low, f.high)
		}
	}
	return nil
}
