package ecs

// AlwaysAnswered are the members that AWS answers when there is nothing in them,
// by shape, with what says so. A test holds the render functions to it.
var AlwaysAnswered = []struct {
	Shape   string
	Members []string
	Source  string
}{
	{"Cluster", []string{"activeServicesCount", "pendingTasksCount", "registeredContainerInstancesCount",
		"runningTasksCount", "statistics", "tags", "settings", "capacityProviders", "defaultCapacityProviderStrategy"},
		"CLI reference, describe-clusters and create-cluster, examples 1"},
	{"ContainerInstance", []string{"attachments", "attributes", "pendingTasksCount", "registeredResources",
		"remainingResources", "runningTasksCount", "tags"},
		"CLI reference, describe-container-instances, example 1"},
	{"Task", []string{"attachments", "attributes", "containers", "enableExecuteCommand", "overrides", "tags"},
		"CLI reference, run-task and describe-tasks, examples 1"},
	{"TaskOverride", []string{"containerOverrides", "inferenceAcceleratorOverrides"},
		"CLI reference, run-task, example 1"},
	{"Container", []string{"healthStatus", "networkInterfaces"},
		"CLI reference, describe-tasks, example 1"},
	{"Service", []string{"deployments", "desiredCount", "enableECSManagedTags", "enableExecuteCommand", "events",
		"loadBalancers", "pendingCount", "placementConstraints", "placementStrategy", "propagateTags", "runningCount",
		"serviceRegistries"},
		"CLI reference, create-service and describe-services, examples 1"},
	{"Deployment", []string{"desiredCount", "failedTasks", "pendingCount", "rolloutState", "rolloutStateReason",
		"runningCount"},
		"CLI reference, describe-services, example 1"},
}
