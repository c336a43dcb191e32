package ecsapi

import (
	"strings"
	"testing"

	"github.com/berth-ecs/berth/ecs/request"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// bad is a request that an operation refuses.
type bad struct {
	name string
	call func(*region) error
	code string
	want string
}

// tried are the operations that some table tries.
var tried = map[string]bool{}

// try makes the call of a bad request.
func try[In, Out any](op aws.Operation[In, Out], h func(*API) wire.Handler[In, Out], in In) func(*region) error {
	tried[op.Info.Name] = true
	return func(r *region) error {
		_, err := do(r, op, h(r.api), &in)
		return err
	}
}

const (
	badParameter = shape.CodeInvalidParameterException
	clientError  = shape.CodeClientException
	noCluster    = shape.CodeClusterNotFoundException
)

var long = strings.Repeat("x", 256)

func TestBadRequests(t *testing.T) {
	for _, table := range [][]bad{badClusters, badInstances, badTasks, badReports, badServices, badDefinitions, badTags, badFloor, badHistory, badNetwork} {
		for _, c := range table {
			t.Run(c.name, func(t *testing.T) {
				r := newRegion(t)
				r.cluster()
				r.definition("web", 10, 64)
				r.service("web", 1)
				refused(t, c.call(r), c.code, c.want)
			})
		}
	}
}

// An operation that is served and that no table tries is one whose refusals nobody looked at.
func TestEveryOperationIsTried(t *testing.T) {
	mux := wire.NewMux()
	newRegion(t).api.Bind(mux)
	for _, o := range mux.Coverage() {
		// Agents ask for the endpoints before they are anybody: it refuses nothing.
		if o.Served && !tried[o.Operation] && o.Operation != "DiscoverPollEndpoint" {
			t.Errorf("%s is in no table of bad requests", o.Operation)
		}
	}
}

func createCluster(a *API) wire.Handler[shape.CreateClusterRequest, shape.CreateClusterResponse] {
	return a.CreateCluster
}

var badClusters = []bad{
	{"CreateCluster/name", try(shape.OpCreateCluster, createCluster, shape.CreateClusterRequest{ClusterName: aws.Ptr("a b")}), badParameter, "a b"},
	{"CreateCluster/slash", try(shape.OpCreateCluster, createCluster, shape.CreateClusterRequest{ClusterName: aws.Ptr("a/b")}), badParameter, "a/b"},
	{"CreateCluster/long", try(shape.OpCreateCluster, createCluster, shape.CreateClusterRequest{ClusterName: &long}), badParameter, "not the name"},
	{"CreateCluster/setting", try(shape.OpCreateCluster, createCluster, shape.CreateClusterRequest{Settings: []shape.ClusterSetting{{Name: aws.Ptr("x")}}}), badParameter, "Invalid setting name"},
	{"CreateCluster/value", try(shape.OpCreateCluster, createCluster, shape.CreateClusterRequest{Settings: []shape.ClusterSetting{{Name: aws.Ptr("containerInsights"), Value: aws.Ptr("x")}}}), badParameter, "Invalid setting value"},
	{"CreateCluster/tags", try(shape.OpCreateCluster, createCluster, shape.CreateClusterRequest{Tags: []shape.Tag{tag("aws:x", "")}}), badParameter, "reserved"},
	{"DescribeClusters/ARN of a task", try(shape.OpDescribeClusters, func(a *API) wire.Handler[shape.DescribeClustersRequest, shape.DescribeClustersResponse] {
		return a.DescribeClusters
	},
		shape.DescribeClustersRequest{Clusters: []string{us.TaskARN("default", "x")}}), badParameter, "not of a cluster"},
	{"DescribeClusters/many", try(shape.OpDescribeClusters, func(a *API) wire.Handler[shape.DescribeClustersRequest, shape.DescribeClustersResponse] {
		return a.DescribeClusters
	},
		shape.DescribeClustersRequest{Clusters: make([]string, 101)}), badParameter, "100"},
	{"ListClusters/maxResults", try(shape.OpListClusters, func(a *API) wire.Handler[shape.ListClustersRequest, shape.ListClustersResponse] {
		return a.ListClusters
	},
		shape.ListClustersRequest{MaxResults: aws.Ptr(int32(101))}), badParameter, "maxResults"},
	{"UpdateCluster/unknown", try(shape.OpUpdateCluster, func(a *API) wire.Handler[shape.UpdateClusterRequest, shape.UpdateClusterResponse] {
		return a.UpdateCluster
	},
		shape.UpdateClusterRequest{Cluster: aws.Ptr("gone")}), noCluster, "Cluster not found."},
	{"UpdateClusterSettings/none", try(shape.OpUpdateClusterSettings, func(a *API) wire.Handler[shape.UpdateClusterSettingsRequest, shape.UpdateClusterSettingsResponse] {
		return a.UpdateClusterSettings
	}, shape.UpdateClusterSettingsRequest{Cluster: aws.Ptr("default")}), badParameter, "Settings cannot be empty"},
	{"DeleteCluster/unknown", try(shape.OpDeleteCluster, func(a *API) wire.Handler[shape.DeleteClusterRequest, shape.DeleteClusterResponse] {
		return a.DeleteCluster
	},
		shape.DeleteClusterRequest{Cluster: aws.Ptr("gone")}), noCluster, "Cluster not found."},
}

func register(a *API) wire.Handler[shape.RegisterContainerInstanceRequest, shape.RegisterContainerInstanceResponse] {
	return a.RegisterContainerInstance
}

func resources(name string, set ...string) []shape.Resource {
	return []shape.Resource{{Name: &name, Type: aws.Ptr("STRINGSET"), StringSetValue: set}}
}

var badInstances = []bad{
	{"Register/attribute", try(shape.OpRegisterContainerInstance, register, shape.RegisterContainerInstanceRequest{Attributes: []shape.Attribute{{}}}), badParameter, "Attribute names"},
	{"Register/document", try(shape.OpRegisterContainerInstance, register, shape.RegisterContainerInstanceRequest{InstanceIdentityDocument: aws.Ptr("{")}), badParameter, "identity document"},
	{"Register/port", try(shape.OpRegisterContainerInstance, register, shape.RegisterContainerInstanceRequest{TotalResources: resources("PORTS", "70000")}), badParameter, "not a port"},
	{"Register/negative", try(shape.OpRegisterContainerInstance, register, shape.RegisterContainerInstanceRequest{
		TotalResources: []shape.Resource{{Name: aws.Ptr("CPU"), IntegerValue: aws.Ptr(int32(-1))}}}), badParameter, "negative"},
	{"Register/nameless", try(shape.OpRegisterContainerInstance, register, shape.RegisterContainerInstanceRequest{TotalResources: []shape.Resource{{}}}), badParameter, "Resource names"},
	{"Register/node", try(shape.OpRegisterContainerInstance, register, shape.RegisterContainerInstanceRequest{
		Attributes: []shape.Attribute{{Name: aws.Ptr(request.NodeAttribute), Value: aws.Ptr("a/b")}}}), badParameter, "id of a node"},
	{"Register/ARN", try(shape.OpRegisterContainerInstance, register, shape.RegisterContainerInstanceRequest{ContainerInstanceArn: aws.Ptr(us.InstanceARN("other", "i"))}), badParameter, "Identifier is for cluster other. Your cluster is default"},
	{"Register/cluster", try(shape.OpRegisterContainerInstance, register, shape.RegisterContainerInstanceRequest{Cluster: aws.Ptr("gone")}), clientError, "Cluster not found."},
	{"Deregister/unknown", try(shape.OpDeregisterContainerInstance, func(a *API) wire.Handler[shape.DeregisterContainerInstanceRequest, shape.DeregisterContainerInstanceResponse] {
		return a.DeregisterContainerInstance
	}, shape.DeregisterContainerInstanceRequest{ContainerInstance: aws.Ptr("gone")}), badParameter, "not found"},
	{"DescribeInstances/none", try(shape.OpDescribeContainerInstances, describeInstances, shape.DescribeContainerInstancesRequest{}), badParameter, "between 1 and 100"},
	{"DescribeInstances/many", try(shape.OpDescribeContainerInstances, describeInstances, shape.DescribeContainerInstancesRequest{ContainerInstances: make([]string, 101)}), badParameter, "between 1 and 100"},
	{"ListInstances/filter", try(shape.OpListContainerInstances, func(a *API) wire.Handler[shape.ListContainerInstancesRequest, shape.ListContainerInstancesResponse] {
		return a.ListContainerInstances
	}, shape.ListContainerInstancesRequest{Filter: aws.Ptr("attribute:x ==")}), badParameter, "Invalid expression"},
	{"State/status", try(shape.OpUpdateContainerInstancesState, updateState, shape.UpdateContainerInstancesStateRequest{ContainerInstances: []string{"i"}, Status: aws.Ptr("REGISTERING")}), badParameter, "should be one of [ACTIVE,DRAINING]"},
	{"State/many", try(shape.OpUpdateContainerInstancesState, updateState, shape.UpdateContainerInstancesStateRequest{ContainerInstances: make([]string, 11), Status: aws.Ptr("ACTIVE")}), badParameter, "between 1 and 10"},
}

func describeInstances(a *API) wire.Handler[shape.DescribeContainerInstancesRequest, shape.DescribeContainerInstancesResponse] {
	return a.DescribeContainerInstances
}

func updateState(a *API) wire.Handler[shape.UpdateContainerInstancesStateRequest, shape.UpdateContainerInstancesStateResponse] {
	return a.UpdateContainerInstancesState
}

func runTask(a *API) wire.Handler[shape.RunTaskRequest, shape.RunTaskResponse] { return a.RunTask }

// web is a RunTask of the family web with a change.
func web(change func(*shape.RunTaskRequest)) func(*region) error {
	in := shape.RunTaskRequest{TaskDefinition: aws.Ptr("web")}
	change(&in)
	return try(shape.OpRunTask, runTask, in)
}

var badTasks = []bad{
	{"RunTask/none", try(shape.OpRunTask, runTask, shape.RunTaskRequest{}), badParameter, "TaskDefinition"},
	{"RunTask/unknown", try(shape.OpRunTask, runTask, shape.RunTaskRequest{TaskDefinition: aws.Ptr("gone")}), clientError, "TaskDefinition not found."},
	{"RunTask/revision", try(shape.OpRunTask, runTask, shape.RunTaskRequest{TaskDefinition: aws.Ptr("web:x")}), badParameter, "Invalid revision number. Number: x"},
	{"RunTask/cluster", web(func(in *shape.RunTaskRequest) { in.Cluster = aws.Ptr("gone") }), noCluster, "Cluster not found."},
	{"RunTask/zero", web(func(in *shape.RunTaskRequest) { in.Count = aws.Ptr(int32(0)) }), badParameter, "between 1 and 10"},
	{"RunTask/eleven", web(func(in *shape.RunTaskRequest) { in.Count = aws.Ptr(int32(11)) }), badParameter, "between 1 and 10"},
	{"RunTask/no instances", web(func(*shape.RunTaskRequest) {}), badParameter, "No Container Instances were found in your cluster."},
	{"RunTask/propagateTags", web(func(in *shape.RunTaskRequest) { in.PropagateTags = aws.Ptr("SERVICE") }), badParameter, "SERVICE"},
	{"RunTask/startedBy", web(func(in *shape.RunTaskRequest) { in.StartedBy = aws.Ptr(long) }), badParameter, "startedBy"},
	{"RunTask/group", web(func(in *shape.RunTaskRequest) { in.Group = aws.Ptr("service:web") }), badParameter, "group"},
	{"RunTask/token", web(func(in *shape.RunTaskRequest) { in.ClientToken = aws.Ptr(long) }), badParameter, "clientToken must be at most 64"},
	{"RunTask/token characters", web(func(in *shape.RunTaskRequest) { in.ClientToken = aws.Ptr("a b") }), badParameter, "ASCII"},
	{"RunTask/constraint", web(func(in *shape.RunTaskRequest) {
		in.PlacementConstraints = []shape.PlacementConstraint{{Type: aws.Ptr("memberOf"), Expression: aws.Ptr("x y z")}}
	}), badParameter, "Invalid expression"},
	{"RunTask/constraint type", web(func(in *shape.RunTaskRequest) {
		in.PlacementConstraints = []shape.PlacementConstraint{{Type: aws.Ptr("x")}}
	}), badParameter, "constraint type 'x'"},
	{"RunTask/strategy", web(func(in *shape.RunTaskRequest) { in.PlacementStrategy = []shape.PlacementStrategy{{Type: aws.Ptr("x")}} }), badParameter, "strategy type 'x'"},
	{"RunTask/binpack", web(func(in *shape.RunTaskRequest) {
		in.PlacementStrategy = []shape.PlacementStrategy{{Type: aws.Ptr("binpack")}}
	}), badParameter, "binpack"},
	{"RunTask/MANAGED_INSTANCES", web(func(in *shape.RunTaskRequest) { in.LaunchType = aws.Ptr("MANAGED_INSTANCES") }), shape.CodeUnsupportedFeatureException, "launchType"},
	{"RunTask/FARGATE", web(func(in *shape.RunTaskRequest) { in.LaunchType = aws.Ptr("FARGATE") }), badParameter, "Task definition does not support launch_type FARGATE."},
	{"RunTask/strategy of providers", web(func(in *shape.RunTaskRequest) {
		in.CapacityProviderStrategy = []shape.CapacityProviderStrategyItem{{CapacityProvider: aws.Ptr("x")}}
	}), badParameter, "The specified capacity provider does not exist."},
	{"RunTask/reservation over memory", web(func(in *shape.RunTaskRequest) {
		in.Overrides = &shape.TaskOverride{ContainerOverrides: []shape.ContainerOverride{{Name: aws.Ptr("app"), MemoryReservation: aws.Ptr(int32(65))}}}
	}), badParameter, "'memory' must be greater than or equal to 'memoryReservation'"},
	{"RunTask/little memory", web(func(in *shape.RunTaskRequest) {
		in.Overrides = &shape.TaskOverride{ContainerOverrides: []shape.ContainerOverride{{Name: aws.Ptr("app"), Memory: aws.Ptr(int32(5))}}}
	}), badParameter, "'memory' must be at least 6 MiB"},
	{"RunTask/environment files", web(func(in *shape.RunTaskRequest) {
		in.Overrides = &shape.TaskOverride{ContainerOverrides: []shape.ContainerOverride{{Name: aws.Ptr("app"),
			EnvironmentFiles: []shape.EnvironmentFile{{Type: aws.Ptr("s3"), Value: aws.Ptr("arn:aws:s3:::b/x.env")}}}}}
	}), badParameter, "Environment files"},
	{"RunTask/tags", web(func(in *shape.RunTaskRequest) { in.Tags = []shape.Tag{tag("", "")} }), badParameter, "Tag keys"},
	{"StartTask/none", try(shape.OpStartTask, func(a *API) wire.Handler[shape.StartTaskRequest, shape.StartTaskResponse] { return a.StartTask },
		shape.StartTaskRequest{TaskDefinition: aws.Ptr("web")}), badParameter, "between 1 and 10"},
	{"StopTask/unknown", try(shape.OpStopTask, stopTask, shape.StopTaskRequest{Task: aws.Ptr(strings.Repeat("0", 32))}), badParameter, "The referenced task was not found."},
	{"StopTask/id", try(shape.OpStopTask, stopTask, shape.StopTaskRequest{Task: aws.Ptr("short")}), badParameter, "taskId length should be one of [32,36]"},
	{"StopTask/reason", try(shape.OpStopTask, stopTask, shape.StopTaskRequest{Task: aws.Ptr("x"), Reason: aws.Ptr(strings.Repeat("r", 1025))}), badParameter, "reason"},
	{"DescribeTasks/none", try(shape.OpDescribeTasks, describeTasks, shape.DescribeTasksRequest{}), badParameter, "between 1 and 100"},
	{"DescribeTasks/separators", try(shape.OpDescribeTasks, describeTasks, shape.DescribeTasksRequest{Tasks: []string{"default/x"}}), badParameter, "Unexpected number of separators"},
	{"DescribeTasks/other cluster", try(shape.OpDescribeTasks, describeTasks, shape.DescribeTasksRequest{Tasks: []string{us.TaskARN("other", strings.Repeat("0", 32))}}),
		badParameter, "Identifier is for cluster other. Your cluster is default"},
	{"ListTasks/status", try(shape.OpListTasks, listTasks, shape.ListTasksRequest{DesiredStatus: aws.Ptr("x")}), badParameter, "desiredStatus"},
	{"ListTasks/service", try(shape.OpListTasks, listTasks, shape.ListTasksRequest{ServiceName: aws.Ptr("gone")}), shape.CodeServiceNotFoundException, "Service not found."},
	{"ListTasks/instance", try(shape.OpListTasks, listTasks, shape.ListTasksRequest{ContainerInstance: aws.Ptr("gone")}), badParameter, "not found"},
	{"ListTasks/family", try(shape.OpListTasks, listTasks, shape.ListTasksRequest{Family: aws.Ptr("a/b")}), badParameter, "family"},
	{"ListTasks/token", try(shape.OpListTasks, listTasks, shape.ListTasksRequest{NextToken: aws.Ptr("x")}), badParameter, "nextToken"},
}

func stopTask(a *API) wire.Handler[shape.StopTaskRequest, shape.StopTaskResponse] { return a.StopTask }

func describeTasks(a *API) wire.Handler[shape.DescribeTasksRequest, shape.DescribeTasksResponse] {
	return a.DescribeTasks
}

func listTasks(a *API) wire.Handler[shape.ListTasksRequest, shape.ListTasksResponse] {
	return a.ListTasks
}

func submit(a *API) wire.Handler[shape.SubmitTaskStateChangeRequest, shape.SubmitTaskStateChangeResponse] {
	return a.SubmitTaskStateChange
}

// An agent drops a report that is a bad parameter; any other error makes it try for
// a day.
var badReports = []bad{
	{"Submit/unknown", try(shape.OpSubmitTaskStateChange, submit, shape.SubmitTaskStateChangeRequest{Task: aws.Ptr(us.TaskARN("default", strings.Repeat("0", 32))), Status: aws.Ptr("RUNNING")}),
		badParameter, "The referenced task was not found."},
	{"Submit/status", try(shape.OpSubmitTaskStateChange, submit, shape.SubmitTaskStateChangeRequest{Task: aws.Ptr("x"), Status: aws.Ptr("BOGUS")}), badParameter, "Invalid status: 'BOGUS'"},
	{"Submit/none", try(shape.OpSubmitTaskStateChange, submit, shape.SubmitTaskStateChangeRequest{}), badParameter, "task"},
	{"SubmitContainer/none", try(shape.OpSubmitContainerStateChange, func(a *API) wire.Handler[shape.SubmitContainerStateChangeRequest, shape.SubmitContainerStateChangeResponse] {
		return a.SubmitContainerStateChange
	}, shape.SubmitContainerStateChangeRequest{}), badParameter, "task"},
	{"SubmitAttachments/empty", try(shape.OpSubmitAttachmentStateChanges, func(a *API) wire.Handler[shape.SubmitAttachmentStateChangesRequest, shape.SubmitAttachmentStateChangesResponse] {
		return a.SubmitAttachmentStateChanges
	}, shape.SubmitAttachmentStateChangesRequest{Attachments: []shape.AttachmentStateChange{{}}}), badParameter, "attachmentArn"},
}
