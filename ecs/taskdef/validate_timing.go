package taskdef

import (
	"slices"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// checkHealth holds a health check to AWS's ranges (HealthCheck) and its command to
// Docker's forms.
func checkHealth(_ *shape.RegisterTaskDefinitionRequest, c *shape.ContainerDefinition) error {
	h := c.HealthCheck
	if h == nil {
		return nil
	}
	name := aws.Val(c.Name)
	for _, r := range []ranged{
		{"interval", h.Interval, 5, 300}, {"timeout", h.Timeout, 2, 60}, {"retries", h.Retries, 1, 10}, {"startPeriod", h.StartPeriod, 0, 300},
	} {
		switch {
		case r.value != nil && *r.value > r.high:
			return invalid("Health check %s must be less than or equal to the maximum allowed value %d for container '%s'", r.field, r.high, name)
		case r.value != nil && *r.value < r.low:
			return invalid("Health check %s must be greater than or equal to the minimum allowed value %d for container '%s'", r.field, r.low, name)
		}
	}
	forms := []string{"CMD", "CMD-SHELL", "NONE"}
	switch {
	case len(h.Command) == 0:
		return invalid("Health check command should not be null or empty for container '%s'", name)
	case !slices.Contains(forms, h.Command[0]), h.Command[0] != "NONE" && len(h.Command) < 2:
		return invalid("Health check command must begin with CMD or CMD-SHELL, and name a command, for container '%s'", name)
	}
	return nil
}

// checkTimeouts: FARGATE's own maximum is among its rules.
func checkTimeouts(_ *shape.RegisterTaskDefinitionRequest, c *shape.ContainerDefinition) error {
	const day = 24 * 60 * 60
	return inRanges(aws.Val(c.Name), []ranged{{"startTimeout", c.StartTimeout, 2, day}, {"stopTimeout", c.StopTimeout, 0, day}})
}

// checkRestart: ContainerRestartPolicy.
func checkRestart(_ *shape.RegisterTaskDefinitionRequest, c *shape.ContainerDefinition) error {
	r := c.RestartPolicy
	switch {
	case r == nil:
		return nil
	case r.Enabled == nil:
		return invalid("Invalid 'restartPolicy' setting for container '%s': 'enabled' must be specified.", aws.Val(c.Name))
	case len(r.IgnoredExitCodes) > 50:
		return invalid("Invalid 'ignoredExitCodes' setting for container '%s': at most 50 exit codes are allowed.", aws.Val(c.Name))
	}
	return inRanges(aws.Val(c.Name), []ranged{{"restartAttemptPeriod", r.RestartAttemptPeriod, 60, 1800}})
}

// ranged is a number with its bounds.
type ranged struct {
	field     string
	value     *int32
	low, high int32
}

func inRanges(container string, fields []ranged) error {
	for _, f := range fields {
		if f.value != nil && (*f.value < f.low || *f.value > f.high) {
			return invalid("The '%s' setting for container '%s' must be between %d and %d.", f.field, container, f.low, f.high)
		}
	}
	return nil
}
