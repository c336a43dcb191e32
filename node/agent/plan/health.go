package plan

import (
	"errors"
	"fmt"
	"time"
)

// HealthCheck is a command that says whether a container is healthy.
type HealthCheck struct {
	Args        []string
	Interval    time.Duration
	Timeout     time.Duration
	StartPeriod time.Duration // failures in it do not count, until a success
	Retries     int
}

// ECS's defaults: ecs-behaviour of healthCheck.
const (
	defaultInterval = 30 * time.Second
	defaultTimeout  = 5 * time.Second
	defaultRetries  = 3
)

// health reads Config.Healthcheck. The image's own HEALTHCHECK is never used, as in ECS.
func (b *builder) health(c *Container) error {
	h := b.config.Healthcheck
	if h == nil {
		switch b.in.HealthCheckType {
		case "":
			return nil
		case "docker", "DOCKER":
			return errors.New("docker health check is nil while container health check type is DOCKER")
		}
		return fmt.Errorf("healthCheckType %q: must be docker", b.in.HealthCheckType)
	}
	args, err := healthCommand(h.Test)
	if err != nil || args == nil {
		return err
	}
	if h.Interval < 0 || h.Timeout < 0 || h.StartPeriod < 0 || h.Retries < 0 {
		return errors.New("healthCheck: interval, timeout, startPeriod and retries must not be negative")
	}
	if h.StartInterval != 0 {
		return errors.New("healthCheck.StartInterval: this node probes at Interval from the start")
	}
	c.Health = &HealthCheck{Args: args, Interval: h.Interval, Timeout: h.Timeout, StartPeriod: h.StartPeriod, Retries: h.Retries}
	if c.Health.Interval == 0 {
		c.Health.Interval = defaultInterval
	}
	if c.Health.Timeout == 0 {
		c.Health.Timeout = defaultTimeout
	}
	if c.Health.Retries == 0 {
		c.Health.Retries = defaultRetries
	}
	return nil
}

// healthCommand answers the arguments to run; nil is no check.
func healthCommand(test []string) ([]string, error) {
	if len(test) == 0 || test[0] == "NONE" {
		return nil, nil
	}
	switch test[0] {
	case "CMD":
		if len(test) > 1 {
			return test[1:], nil
		}
	case "CMD-SHELL":
		if len(test) == 2 {
			return []string{"/bin/sh", "-c", test[1]}, nil
		}
	}
	return nil, fmt.Errorf("healthCheck.Test %q: must be CMD and arguments, CMD-SHELL and one command, or NONE", test)
}
