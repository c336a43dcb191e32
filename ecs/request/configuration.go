package request

import (
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// WithDefaults completes a deployment configuration as AWS answers it.
func WithDefaults(in *shape.DeploymentConfiguration) shape.DeploymentConfiguration {
	var d shape.DeploymentConfiguration
	if in != nil {
		d = *in
	}
	orDefault(&d.MaximumPercent, 200)
	orDefault(&d.MinimumHealthyPercent, 100)
	orDefault(&d.Strategy, shape.DeploymentStrategyRolling)
	orDefault(&d.BakeTimeInMinutes, 0)
	var b shape.DeploymentCircuitBreaker
	if d.DeploymentCircuitBreaker != nil {
		b = *d.DeploymentCircuitBreaker
	}
	orDefault(&b.Enable, false)
	orDefault(&b.Rollback, false)
	d.DeploymentCircuitBreaker = &b
	return d
}

// ConfigurationOf completes the deployment configuration of a new service. A DAEMON service replaces tasks where they are.
func ConfigurationOf(in *shape.CreateServiceRequest) shape.DeploymentConfiguration {
	if !daemon(in.SchedulingStrategy) {
		return WithDefaults(in.DeploymentConfiguration)
	}
	var d shape.DeploymentConfiguration
	if in.DeploymentConfiguration != nil {
		d = *in.DeploymentConfiguration
	}
	orDefault(&d.MaximumPercent, 100)
	orDefault(&d.MinimumHealthyPercent, 0)
	return WithDefaults(&d)
}

func orDefault[T any](to **T, value T) {
	if *to == nil {
		*to = aws.Ptr(value)
	}
}

// CheckConfiguration: the percentages leave room for a deployment to move.
func CheckConfiguration(d shape.DeploymentConfiguration) error {
	least, most := *d.MinimumHealthyPercent, *d.MaximumPercent
	switch {
	case least < 0 || least > 200:
		return Invalid("Invalid minimumHealthyPercent: %d. It must be between 0 and 200.", least)
	case most < 1 || most > 1000:
		return Invalid("Invalid maximumPercent: %d. It must be between 1 and 1000.", most)
	case least == 100 && most == 100:
		return Invalid("Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments.")
	case least >= most:
		return Invalid("maximumPercent must be greater than minimumHealthyPercent.")
	}
	return nil
}

// Reconfigured is a configuration with a change over it: an absent member stays, an
// empty object goes back to the default.
func Reconfigured(old, change shape.DeploymentConfiguration) shape.DeploymentConfiguration {
	if change.MaximumPercent != nil {
		old.MaximumPercent = change.MaximumPercent
	}
	if change.MinimumHealthyPercent != nil {
		old.MinimumHealthyPercent = change.MinimumHealthyPercent
	}
	if change.Strategy != nil {
		old.Strategy = change.Strategy
	}
	if change.BakeTimeInMinutes != nil {
		old.BakeTimeInMinutes = change.BakeTimeInMinutes
	}
	if change.DeploymentCircuitBreaker != nil {
		old.DeploymentCircuitBreaker = change.DeploymentCircuitBreaker
	}
	if change.Alarms != nil {
		old.Alarms = change.Alarms
	}
	return WithDefaults(&old)
}
