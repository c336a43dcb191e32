package request

import (
	"github.com/berth-ecs/berth/ecs"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// CheckFargate refuses what FARGATE places by itself; other launch types pass.
func CheckFargate(launchType string, constraints []shape.PlacementConstraint, strategy []shape.PlacementStrategy) error {
	switch {
	case launchType != shape.LaunchTypeFargate:
		return nil
	case len(constraints) > 0:
		return Invalid("Placement constraints are not supported with FARGATE launch type.")
	case len(strategy) > 0:
		return Invalid("Placement strategies are not supported with FARGATE launch type.")
	}
	return nil
}

// CheckFargateService is CheckFargate for a service: one on each container instance is nothing where there are none.
func CheckFargateService(launchType string, scheduling *string, constraints []shape.PlacementConstraint, strategy []shape.PlacementStrategy) error {
	if launchType == shape.LaunchTypeFargate && daemon(scheduling) {
		return Invalid("The daemon scheduling strategy is not supported with FARGATE launch type.")
	}
	return CheckFargate(launchType, constraints, strategy)
}

// CheckPlatform holds a platform version to the launch type: there is one of FARGATE, and none of the others.
func CheckPlatform(launchType string, version *string) error {
	if launchType != shape.LaunchTypeFargate {
		if aws.Val(version) != "" {
			return Invalid("The platform version must be null when specifying an EC2 launch type.")
		}
		return nil
	}
	if v := ecs.Platform(aws.Val(version)); v != ecs.PlatformVersion {
		return &aws.Error{Code: shape.CodePlatformUnknownException, Message: "The specified platform version does not exist. (" + v + "; there is " + ecs.PlatformVersion + ")"}
	}
	return nil
}
