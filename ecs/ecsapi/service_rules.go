package ecsapi

import (
	"slices"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// checkNewService is all that can be said of a request without the store.
func checkNewService(in *shape.CreateServiceRequest) error {
	name := aws.Val(in.ServiceName)
	switch {
	case name == "":
		return invalid("Service name cannot be blank.")
	case !validName.MatchString(name):
		return invalid("Invalid service name: '%s'. Up to 255 letters (uppercase and lowercase), numbers, underscores, and hyphens are allowed.", name)
	case aws.Val(in.TaskDefinition) == "":
		return invalid("TaskDefinition cannot be blank.")
	case in.DesiredCount == nil:
		return invalid("desiredCount is required for services with the REPLICA scheduling strategy.")
	}
	if err := checkCount(in.DesiredCount); err != nil {
		return err
	}
	if err := checkPropagation(in.PropagateTags); err != nil {
		return err
	}
	if err := checkConfiguration(withDefaults(in.DeploymentConfiguration)); err != nil {
		return err
	}
	if err := checkPlacement(in.PlacementConstraints, in.PlacementStrategy); err != nil {
		return err
	}
	return checkTags(in.Tags)
}

func checkCount(n *int32) error {
	if n != nil && (*n < 0 || *n > 5000) {
		return invalid("Invalid desiredCount: %d. It must be between 0 and 5000.", *n)
	}
	return nil
}

func checkPropagation(p *string) error {
	valid := []string{"", shape.PropagateTagsNone, shape.PropagateTagsService, shape.PropagateTagsTaskDefinition}
	if !slices.Contains(valid, aws.Val(p)) {
		return invalid("Invalid value for propagateTags: '%s'.", *p)
	}
	return nil
}

// withDefaults completes a deployment configuration as AWS answers it.
func withDefaults(in *shape.DeploymentConfiguration) shape.DeploymentConfiguration {
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

func orDefault[T any](to **T, value T) {
	if *to == nil {
		*to = aws.Ptr(value)
	}
}

// checkConfiguration: the percentages leave room for a deployment to move.
func checkConfiguration(d shape.DeploymentConfiguration) error {
	least, most := *d.MinimumHealthyPercent, *d.MaximumPercent
	switch {
	case least < 0 || least > 200:
		return invalid("Invalid minimumHealthyPercent: %d. It must be between 0 and 200.", least)
	case most < 1 || most > 1000:
		return invalid("Invalid maximumPercent: %d. It must be between 1 and 1000.", most)
	case least == 100 && most == 100:
		return invalid("Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments.")
	case least >= most:
		return invalid("maximumPercent must be greater than minimumHealthyPercent.")
	}
	return nil
}
