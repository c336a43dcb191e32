package ecsapi

import (
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// created is a CreateService of the family web with a change.
func created(change func(*shape.CreateServiceRequest)) func(*region) error {
	in := *newServiceRequest("new", 1)
	change(&in)
	return try(shape.OpCreateService, func(a *API) wire.Handler[shape.CreateServiceRequest, shape.CreateServiceResponse] {
		return a.CreateService
	}, in)
}

// updated is an UpdateService of the service web with a change.
func updated(change func(*shape.UpdateServiceRequest)) func(*region) error {
	in := shape.UpdateServiceRequest{Service: aws.Ptr("web")}
	change(&in)
	return try(shape.OpUpdateService, func(a *API) wire.Handler[shape.UpdateServiceRequest, shape.UpdateServiceResponse] {
		return a.UpdateService
	}, in)
}

func percents(least, most int32) *shape.DeploymentConfiguration {
	return &shape.DeploymentConfiguration{MinimumHealthyPercent: &least, MaximumPercent: &most}
}

type (
	create = shape.CreateServiceRequest
	update = shape.UpdateServiceRequest
)

var badServices = []bad{
	{"CreateService/name", created(func(in *create) { in.ServiceName = nil }), badParameter, "Service name cannot be blank."},
	{"CreateService/characters", created(func(in *create) { in.ServiceName = aws.Ptr("a/b") }), badParameter, "Invalid service name: 'a/b'"},
	{"CreateService/definition", created(func(in *create) { in.TaskDefinition = nil }), badParameter, "TaskDefinition cannot be blank."},
	{"CreateService/unknown definition", created(func(in *create) { in.TaskDefinition = aws.Ptr("gone") }), clientError, "TaskDefinition not found."},
	{"CreateService/cluster", created(func(in *create) { in.Cluster = aws.Ptr("gone") }), noCluster, "Cluster not found."},
	{"CreateService/no count", created(func(in *create) { in.DesiredCount = nil }), badParameter, "desiredCount"},
	{"CreateService/negative count", created(func(in *create) { in.DesiredCount = aws.Ptr(int32(-1)) }), badParameter, "desiredCount"},
	{"CreateService/percentages", created(func(in *create) { in.DeploymentConfiguration = percents(100, 100) }), badParameter, "cannot be 100 as this will block deployments"},
	{"CreateService/order", created(func(in *create) { in.DeploymentConfiguration = percents(90, 80) }), badParameter, "must be greater"},
	{"CreateService/negative percentage", created(func(in *create) { in.DeploymentConfiguration = percents(-1, 200) }), badParameter, "minimumHealthyPercent"},
	{"CreateService/token", created(func(in *create) { in.ClientToken = aws.Ptr("0123456789012345678901234567890123456") }), badParameter, "at most 36"},
	{"CreateService/propagateTags", created(func(in *create) { in.PropagateTags = aws.Ptr("x") }), badParameter, "propagateTags"},
	{"CreateService/strategy", created(func(in *create) { in.PlacementStrategy = []shape.PlacementStrategy{{Type: aws.Ptr("spread")}} }), badParameter, "spread"},
	{"CreateService/DAEMON count", created(func(in *create) { in.SchedulingStrategy = aws.Ptr("DAEMON") }), badParameter,
		"The daemon scheduling strategy does not support a desired count for services. Remove the desired count value and try again"},
	{"CreateService/DAEMON strategy", created(func(in *create) {
		in.SchedulingStrategy, in.DesiredCount = aws.Ptr("DAEMON"), nil
		in.PlacementStrategy = []shape.PlacementStrategy{{Type: aws.Ptr("random")}}
	}), badParameter, "The daemon scheduling strategy does not support placement strategies. Remove the placement strategy and try again"},
	{"CreateService/DAEMON maximum", created(func(in *create) {
		in.SchedulingStrategy, in.DesiredCount, in.DeploymentConfiguration = aws.Ptr("DAEMON"), nil, percents(0, 200)
	}), badParameter, "does not support values above 100 for maximumPercent"},
	{"CreateService/grace period", created(func(in *create) { in.HealthCheckGracePeriodSeconds = aws.Ptr(int32(-1)) }), badParameter, "healthCheckGracePeriodSeconds"},
	{"UpdateService/grace period", updated(func(in *update) { in.HealthCheckGracePeriodSeconds = aws.Ptr(int32(-1)) }), badParameter, "healthCheckGracePeriodSeconds"},
	{"CreateService/load balancers", created(func(in *create) { in.LoadBalancers = make([]shape.LoadBalancer, 1) }), shape.CodeInvalidParameterException, "targetGroupArn"},
	{"CreateService/controller", created(func(in *create) { in.DeploymentController = &shape.DeploymentController{Type: aws.Ptr("CODE_DEPLOY")} }), shape.CodeUnsupportedFeatureException, "deploymentController.type"},
	{"CreateService/same name", created(func(in *create) { in.ServiceName = aws.Ptr("web"); in.DesiredCount = aws.Ptr(int32(7)) }), badParameter, "Creation of service was not idempotent."},
	{"UpdateService/unknown", updated(func(in *update) { in.Service = aws.Ptr("gone") }), shape.CodeServiceNotFoundException, "Service not found."},
	{"UpdateService/negative count", updated(func(in *update) { in.DesiredCount = aws.Ptr(int32(-1)) }), badParameter, "desiredCount"},
	{"UpdateService/percentages", updated(func(in *update) {
		in.DeploymentConfiguration = &shape.DeploymentConfiguration{MaximumPercent: aws.Ptr(int32(100))}
	}), badParameter, "block deployments"},
	{"UpdateService/definition", updated(func(in *update) { in.TaskDefinition = aws.Ptr("gone") }), clientError, "TaskDefinition not found."},
	{"UpdateService/exec", updated(func(in *update) { in.EnableExecuteCommand = aws.Ptr(true) }), badParameter, "enableExecuteCommand"},
	{"UpdateService/network", updated(func(in *update) { in.NetworkConfiguration = &shape.NetworkConfiguration{} }), badParameter, "Network Configuration is not valid"},
	{"DeleteService/scaled", try(shape.OpDeleteService, deleteService, shape.DeleteServiceRequest{Service: aws.Ptr("web")}), badParameter, "scaled above 0"},
	{"DeleteService/unknown", try(shape.OpDeleteService, deleteService, shape.DeleteServiceRequest{Service: aws.Ptr("gone")}), shape.CodeServiceNotFoundException, "Service not found."},
	{"DescribeServices/none", try(shape.OpDescribeServices, describeServices, shape.DescribeServicesRequest{}), badParameter, "between 1 and 10"},
	{"DescribeServices/many", try(shape.OpDescribeServices, describeServices, shape.DescribeServicesRequest{Services: make([]string, 11)}), badParameter, "between 1 and 10"},
	{"DescribeServices/cluster", try(shape.OpDescribeServices, describeServices, shape.DescribeServicesRequest{Services: []string{"web"}, Cluster: aws.Ptr("gone")}), noCluster, "Cluster not found."},
	{"ListServices/cluster", try(shape.OpListServices, func(a *API) wire.Handler[shape.ListServicesRequest, shape.ListServicesResponse] {
		return a.ListServices
	},
		shape.ListServicesRequest{Cluster: aws.Ptr("gone")}), noCluster, "Cluster not found."},
}

func deleteService(a *API) wire.Handler[shape.DeleteServiceRequest, shape.DeleteServiceResponse] {
	return a.DeleteService
}

func describeServices(a *API) wire.Handler[shape.DescribeServicesRequest, shape.DescribeServicesResponse] {
	return a.DescribeServices
}

func describeDefinition(a *API) wire.Handler[shape.DescribeTaskDefinitionRequest, shape.DescribeTaskDefinitionResponse] {
	return a.DescribeTaskDefinition
}

func deleteDefinitions(a *API) wire.Handler[shape.DeleteTaskDefinitionsRequest, shape.DeleteTaskDefinitionsResponse] {
	return a.DeleteTaskDefinitions
}

func deregisterDefinition(a *API) wire.Handler[shape.DeregisterTaskDefinitionRequest, shape.DeregisterTaskDefinitionResponse] {
	return a.DeregisterTaskDefinition
}

func registerDefinition(a *API) wire.Handler[shape.RegisterTaskDefinitionRequest, shape.RegisterTaskDefinitionResponse] {
	return a.RegisterTaskDefinition
}

func listFamilies(a *API) wire.Handler[shape.ListTaskDefinitionFamiliesRequest, shape.ListTaskDefinitionFamiliesResponse] {
	return a.ListTaskDefinitionFamilies
}

var badDefinitions = []bad{
	{"RegisterTaskDefinition/none", try(shape.OpRegisterTaskDefinition, registerDefinition, shape.RegisterTaskDefinitionRequest{}), clientError, "Family"},
	{"RegisterTaskDefinition/family", try(shape.OpRegisterTaskDefinition, registerDefinition, *simple("a/b", 1, 64)), clientError, "Family"},
	{"RegisterTaskDefinition/memory", try(shape.OpRegisterTaskDefinition, registerDefinition, *simple("web", 1, 1)), clientError, "memory"},
	{"RegisterTaskDefinition/tags", try(shape.OpRegisterTaskDefinition, registerDefinition, shape.RegisterTaskDefinitionRequest{Tags: []shape.Tag{tag("aws:x", "")}}), badParameter, "reserved"},
	{"DescribeTaskDefinition/unknown", try(shape.OpDescribeTaskDefinition, describeDefinition, shape.DescribeTaskDefinitionRequest{TaskDefinition: aws.Ptr("gone")}), clientError, "Unable to describe task definition."},
	{"DescribeTaskDefinition/unknown revision", try(shape.OpDescribeTaskDefinition, describeDefinition, shape.DescribeTaskDefinitionRequest{TaskDefinition: aws.Ptr("web:9")}), clientError, "Unable to describe task definition."},
	{"DescribeTaskDefinition/empty", try(shape.OpDescribeTaskDefinition, describeDefinition, shape.DescribeTaskDefinitionRequest{}), badParameter, "Invalid identifier"},
	{"DeregisterTaskDefinition/family", try(shape.OpDeregisterTaskDefinition, deregisterDefinition, shape.DeregisterTaskDefinitionRequest{TaskDefinition: aws.Ptr("web")}), badParameter, "Revision is missing"},
	{"DeregisterTaskDefinition/unknown", try(shape.OpDeregisterTaskDefinition, deregisterDefinition, shape.DeregisterTaskDefinitionRequest{TaskDefinition: aws.Ptr("web:9")}), clientError, "does not exist"},
	{"DeleteTaskDefinitions/none", try(shape.OpDeleteTaskDefinitions, deleteDefinitions, shape.DeleteTaskDefinitionsRequest{}), badParameter, "between 1 and 10"},
	{"DeleteTaskDefinitions/family", try(shape.OpDeleteTaskDefinitions, deleteDefinitions, shape.DeleteTaskDefinitionsRequest{TaskDefinitions: []string{"web"}}), badParameter, "Revision is missing"},
	{"ListTaskDefinitions/prefix", try(shape.OpListTaskDefinitions, func(a *API) wire.Handler[shape.ListTaskDefinitionsRequest, shape.ListTaskDefinitionsResponse] {
		return a.ListTaskDefinitions
	}, shape.ListTaskDefinitionsRequest{FamilyPrefix: aws.Ptr("a/b")}), badParameter, "familyPrefix"},
	{"ListTaskDefinitionFamilies/token", try(shape.OpListTaskDefinitionFamilies, listFamilies, shape.ListTaskDefinitionFamiliesRequest{NextToken: aws.Ptr("x")}), badParameter, "nextToken"},
	{"ListTaskDefinitionFamilies/maxResults", try(shape.OpListTaskDefinitionFamilies, listFamilies, shape.ListTaskDefinitionFamiliesRequest{MaxResults: aws.Ptr(int32(0))}), badParameter, "maxResults"},
}
