package request

import (
	"slices"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// CheckNewService is all that can be said of a request without the store.
func CheckNewService(in *shape.CreateServiceRequest) error {
	name := aws.Val(in.ServiceName)
	switch {
	case name == "":
		return Invalid("Service name cannot be blank.")
	case !ValidName.MatchString(name):
		return Invalid("Invalid service name: '%s'. Up to 255 letters (uppercase and lowercase), numbers, underscores, and hyphens are allowed.", name)
	case aws.Val(in.TaskDefinition) == "":
		return Invalid("TaskDefinition cannot be blank.")
	case in.DesiredCount == nil && !daemon(in.SchedulingStrategy):
		return Invalid("desiredCount is required for services with the REPLICA scheduling strategy.")
	}
	if err := checkCount(in.DesiredCount); err != nil {
		return err
	}
	if err := checkGrace(in.HealthCheckGracePeriodSeconds); err != nil {
		return err
	}
	if err := checkPropagation(in.PropagateTags); err != nil {
		return err
	}
	if daemon(in.SchedulingStrategy) {
		if err := checkDaemon(in.DesiredCount, in.PlacementStrategy, in.DeploymentConfiguration); err != nil {
			return err
		}
	}
	if err := CheckRegistries(in.ServiceRegistries); err != nil {
		return err
	}
	if err := CheckBalancers(in.LoadBalancers); err != nil {
		return err
	}
	if err := CheckConfiguration(ConfigurationOf(in)); err != nil {
		return err
	}
	if err := CheckPlacement(in.PlacementConstraints, in.PlacementStrategy); err != nil {
		return err
	}
	return CheckTags(in.Tags)
}

func daemon(scheduling *string) bool { return aws.Val(scheduling) == shape.SchedulingStrategyDaemon }

// SchedulingOf is REPLICA unless told otherwise.
func SchedulingOf(given *string) string {
	if aws.Val(given) == "" {
		return shape.SchedulingStrategyReplica
	}
	return *given
}

// checkDaemon refuses what a DAEMON service has no use for.
func checkDaemon(count *int32, strategy []shape.PlacementStrategy, c *shape.DeploymentConfiguration) error {
	switch {
	case count != nil:
		return Invalid("The daemon scheduling strategy does not support a desired count for services. Remove the desired count value and try again")
	case len(strategy) > 0:
		return Invalid("The daemon scheduling strategy does not support placement strategies. Remove the placement strategy and try again")
	case c != nil && aws.Val(c.MaximumPercent) > 100:
		return Invalid("The daemon scheduling strategy does not support values above 100 for maximumPercent. Change the value and try again")
	}
	return nil
}

// CheckDaemonUpdate is what a change of a DAEMON service must not ask for.
func CheckDaemonUpdate(in *shape.UpdateServiceRequest) error {
	return checkDaemon(in.DesiredCount, in.PlacementStrategy, in.DeploymentConfiguration)
}

func checkCount(n *int32) error {
	if n != nil && (*n < 0 || *n > 5000) {
		return Invalid("Invalid desiredCount: %d. It must be between 0 and 5000.", *n)
	}
	return nil
}

func checkGrace(seconds *int32) error {
	if seconds != nil && *seconds < 0 {
		return Invalid("Invalid healthCheckGracePeriodSeconds: %d. It must not be negative.", *seconds)
	}
	return nil
}

func checkPropagation(p *string) error {
	valid := []string{"", shape.PropagateTagsNone, shape.PropagateTagsService, shape.PropagateTagsTaskDefinition}
	if !slices.Contains(valid, aws.Val(p)) {
		return Invalid("Invalid value for propagateTags: '%s'.", *p)
	}
	return nil
}

// CheckServiceUpdate is all that can be said of a change without the service.
func CheckServiceUpdate(in *shape.UpdateServiceRequest) error {
	if err := checkCount(in.DesiredCount); err != nil {
		return err
	}
	if err := checkGrace(in.HealthCheckGracePeriodSeconds); err != nil {
		return err
	}
	if err := checkPropagation(in.PropagateTags); err != nil {
		return err
	}
	if err := CheckRegistries(in.ServiceRegistries); err != nil {
		return err
	}
	if err := CheckBalancers(in.LoadBalancers); err != nil {
		return err
	}
	return CheckPlacement(in.PlacementConstraints, in.PlacementStrategy)
}

// LaunchTypeOf is EC2 unless told otherwise.
func LaunchTypeOf(given *string) string {
	if aws.Val(given) == "" {
		return shape.LaunchTypeEc2
	}
	return *given
}
