package ecsapi

import (
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// Errors whose texts clients know.
var (
	errClusterNotFound = newError(shape.CodeClusterNotFoundException, "Cluster not found.")
	// errNoCluster is the same as agents want it: only this makes them create the
	// default cluster.
	errNoCluster = newError(shape.CodeClientException, "Cluster not found.")

	errClusterInactive = newError(shape.CodeClusterNotFoundException, "The referenced cluster was inactive.")
	errNoActiveCluster = newError(shape.CodeClientException, "The referenced cluster was inactive.") // as agents get it
	errTagInactive     = newError(shape.CodeInvalidParameterException, "The specified cluster is inactive. Specify an active cluster and try again.")

	errServiceNotFound  = newError(shape.CodeServiceNotFoundException, "Service not found.")
	errServiceNotActive = newError(shape.CodeServiceNotActiveException, "Service was not ACTIVE.")
	errNotIdempotent    = newError(shape.CodeInvalidParameterException, "Creation of service was not idempotent.")
	errStillDraining    = newError(shape.CodeInvalidParameterException, "Unable to Start a service that is still Draining.")
	errScaled           = newError(shape.CodeInvalidParameterException, "The service cannot be stopped while it is scaled above 0.")

	errNoServiceDeployment = newError(shape.CodeServiceDeploymentNotFoundException, "The service deployment was not found.")

	errTaskNotFound    = newError(shape.CodeInvalidParameterException, "The referenced task was not found.")
	errDescribeTaskDef = newError(shape.CodeClientException, "Unable to describe task definition.")
	errTaskDefNotFound = newError(shape.CodeClientException, "TaskDefinition not found.")
	errTaskDefInactive = newError(shape.CodeClientException, "TaskDefinition is inactive")
	errNoTaskDef       = newError(shape.CodeClientException,
		"The specified task definition does not exist. Specify a valid account, family, revision and try again.")

	errInstanceType   = newError(shape.CodeClientException, "Container instance type changes are not supported.")
	errProviderInUse  = newError(shape.CodeResourceInUseException, "The specified capacity provider is in use and cannot be removed.")
	errAttributeLimit = newError(shape.CodeAttributeLimitExceededException,
		"You can apply up to 10 custom attributes for each resource. Remove some with DeleteAttributes first.")
	errRunningTasks = newError(shape.CodeInvalidParameterException, "Found running tasks on the instance.")
	errRunningNodes = newError(shape.CodeInvalidParameterException, "Found running tasks on the instance. They are nodes of load balancers: with the status DRAINING they move to other machines of their zone, with force they are given up.")
)

// missing is the failure of a Describe for what does not exist.
func missing(arn string) shape.Failure {
	return shape.Failure{Arn: aws.Ptr(arn), Reason: aws.Ptr("MISSING")}
}
