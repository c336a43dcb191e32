package ecsapi

import (
	"context"
	"strings"

	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// ask is try for a method.
func ask[In, Out any](op aws.Operation[In, Out], method func(*API, context.Context, wire.Call, *In) (*Out, error), in In) func(*region) error {
	return try(op, func(a *API) wire.Handler[In, Out] {
		return func(ctx context.Context, c wire.Call, in *In) (*Out, error) { return method(a, ctx, c, in) }
	}, in)
}

func putSetting(name, value, principal string) func(*region) error {
	return ask(shape.OpPutAccountSetting, (*API).PutAccountSetting, shape.PutAccountSettingRequest{Name: &name, Value: &value, PrincipalArn: &principal})
}

func listSettings(in shape.ListAccountSettingsRequest) func(*region) error {
	return ask(shape.OpListAccountSettings, (*API).ListAccountSettings, in)
}

func putAttributes(all ...shape.Attribute) func(*region) error {
	return ask(shape.OpPutAttributes, (*API).PutAttributes, shape.PutAttributesRequest{Attributes: all})
}

func deleteAttributes(all ...shape.Attribute) func(*region) error {
	return ask(shape.OpDeleteAttributes, (*API).DeleteAttributes, shape.DeleteAttributesRequest{Attributes: all})
}

func listAttributes(in shape.ListAttributesRequest) func(*region) error {
	return ask(shape.OpListAttributes, (*API).ListAttributes, in)
}

func protectTasks(change func(*shape.UpdateTaskProtectionRequest)) func(*region) error {
	in := shape.UpdateTaskProtectionRequest{Cluster: aws.Ptr("default"), Tasks: []string{strings.Repeat("0", 32)}, ProtectionEnabled: aws.Ptr(true)}
	change(&in)
	return ask(shape.OpUpdateTaskProtection, (*API).UpdateTaskProtection, in)
}

func protectionOf(in shape.GetTaskProtectionRequest) func(*region) error {
	return ask(shape.OpGetTaskProtection, (*API).GetTaskProtection, in)
}

// provided is a PutClusterCapacityProviders of the cluster default with FARGATE and FARGATE_SPOT, and a strategy.
func provided(items ...shape.CapacityProviderStrategyItem) func(*region) error {
	return ask(shape.OpPutClusterCapacityProviders, (*API).PutClusterCapacityProviders, shape.PutClusterCapacityProvidersRequest{
		Cluster: aws.Ptr("default"), CapacityProviders: []string{"FARGATE", "FARGATE_SPOT"}, DefaultCapacityProviderStrategy: items})
}

// lone is a PutClusterCapacityProviders without a strategy.
func lone(cluster string, providers ...string) func(*region) error {
	return ask(shape.OpPutClusterCapacityProviders, (*API).PutClusterCapacityProviders,
		shape.PutClusterCapacityProvidersRequest{Cluster: &cluster, CapacityProviders: providers})
}

// strategy is a strategy of one provider.
func strategyOf(provider string) []shape.CapacityProviderStrategyItem {
	return []shape.CapacityProviderStrategyItem{item(provider, 1, 0)}
}

const (
	noProvider = "The specified capacity provider does not exist. Specify a valid name or ARN and try again."
	notItsOwn  = "The specified capacity provider strategy cannot contain a capacity provider that is not associated with the cluster."
	notBoth    = "Specifying both a launch type and capacity provider strategy is not supported."
)

type protection = shape.UpdateTaskProtectionRequest

var badFloor = []bad{
	{"PutClusterCapacityProviders/unknown", lone("default", "mine"), badParameter, noProvider},
	{"PutClusterCapacityProviders/twice", lone("default", "FARGATE", "FARGATE"), badParameter, "given twice"},
	{"PutClusterCapacityProviders/name", lone("default", "a b"), badParameter, "not the name or ARN of a capacity provider"},
	{"PutClusterCapacityProviders/cluster", lone("gone"), noCluster, "Cluster not found."},
	{"PutClusterCapacityProviders/weights", provided(item("FARGATE", 0, 0)), badParameter, "at least one capacity provider with a weight value greater than 0"},
	{"PutClusterCapacityProviders/bases", provided(item("FARGATE", 1, 1), item("FARGATE_SPOT", 1, 1)), badParameter, "more than one capacity provider with a base value"},
	{"PutClusterCapacityProviders/strategy twice", provided(item("FARGATE", 1, 0), item("FARGATE", 1, 0)), badParameter, "twice"},
	{"PutClusterCapacityProviders/weight", provided(item("FARGATE", 1001, 0)), badParameter, "between 0 and 1000"},
	{"PutClusterCapacityProviders/base", provided(item("FARGATE", 1, -1)), badParameter, "between 0 and 100000"},
	{"PutClusterCapacityProviders/strategy unknown", provided(item("mine", 1, 0)), badParameter, noProvider},
	{"CreateCluster/provider", try(shape.OpCreateCluster, createCluster, shape.CreateClusterRequest{CapacityProviders: []string{"x"}}), badParameter, noProvider},
	{"CreateCluster/strategy", try(shape.OpCreateCluster, createCluster, shape.CreateClusterRequest{DefaultCapacityProviderStrategy: strategyOf("FARGATE")}), badParameter, notItsOwn},
	{"RunTask/strategy of no provider of the cluster", web(func(in *shape.RunTaskRequest) { in.CapacityProviderStrategy = strategyOf("FARGATE") }), badParameter, notItsOwn},
	{"RunTask/both", web(func(in *shape.RunTaskRequest) {
		in.CapacityProviderStrategy, in.LaunchType = strategyOf("FARGATE"), aws.Ptr("EC2")
	}), badParameter, notBoth},
	{"CreateService/both", created(func(in *create) {
		in.CapacityProviderStrategy, in.LaunchType = strategyOf("FARGATE"), aws.Ptr("EC2")
	}), badParameter, notBoth},
	{"CreateService/strategy unknown", created(func(in *create) { in.CapacityProviderStrategy = strategyOf("mine") }), badParameter, noProvider},
	{"UpdateService/strategy", updated(func(in *update) { in.CapacityProviderStrategy = strategyOf("FARGATE") }), badParameter, notItsOwn},
	{"DescribeCapacityProviders/cluster", ask(shape.OpDescribeCapacityProviders, (*API).DescribeCapacityProviders,
		shape.DescribeCapacityProvidersRequest{Cluster: aws.Ptr("gone")}), noCluster, "Cluster not found."},
	{"DescribeCapacityProviders/maxResults", ask(shape.OpDescribeCapacityProviders, (*API).DescribeCapacityProviders,
		shape.DescribeCapacityProvidersRequest{MaxResults: aws.Ptr(int32(11))}), badParameter, "between 1 and 10"},
	{"UpdateContainerAgent/unknown", ask(shape.OpUpdateContainerAgent, (*API).UpdateContainerAgent,
		shape.UpdateContainerAgentRequest{ContainerInstance: aws.Ptr("gone")}), badParameter, "not found"},
	{"UpdateTaskProtection/none", protectTasks(func(in *protection) { in.Tasks = nil }), badParameter, "between 1 and 10"},
	{"UpdateTaskProtection/many", protectTasks(func(in *protection) { in.Tasks = make([]string, 11) }), badParameter, "between 1 and 10"},
	{"UpdateTaskProtection/zero", protectTasks(func(in *protection) { in.ExpiresInMinutes = aws.Ptr(int32(0)) }), badParameter, "between 1 and 2880"},
	{"UpdateTaskProtection/long", protectTasks(func(in *protection) { in.ExpiresInMinutes = aws.Ptr(int32(2881)) }), badParameter, "between 1 and 2880"},
	{"UpdateTaskProtection/id", protectTasks(func(in *protection) { in.Tasks[0] = "short" }), badParameter, "taskId length should be one of [32,36]"},
	{"UpdateTaskProtection/cluster", protectTasks(func(in *protection) { in.Cluster = aws.Ptr("gone") }), noCluster, "Cluster not found."},
	{"GetTaskProtection/none", protectionOf(shape.GetTaskProtectionRequest{}), badParameter, "between 1 and 100"},
	{"GetTaskProtection/cluster", protectionOf(shape.GetTaskProtectionRequest{Cluster: aws.Ptr("gone"), Tasks: []string{"x"}}), noCluster, "Cluster not found."},
	{"PutAttributes/none", putAttributes(), badParameter, "between 1 and 10"},
	{"PutAttributes/many", putAttributes(make([]shape.Attribute, 11)...), badParameter, "between 1 and 10"},
	{"PutAttributes/name", putAttributes(of("i", "a b", "c")), badParameter, "Invalid attribute name: 'a b'"},
	{"PutAttributes/reserved", putAttributes(of("i", "ecs.os-type", "linux")), badParameter, "reserved"},
	{"PutAttributes/capability", putAttributes(of("i", "com.amazonaws.ecs.capability.x", "")), badParameter, "reserved"},
	{"PutAttributes/value", putAttributes(of("i", "a", " b")), badParameter, "neither first nor last"},
	{"PutAttributes/long value", putAttributes(of("i", "a", long)), badParameter, "between 1 and 128"},
	{"PutAttributes/empty value", putAttributes(shape.Attribute{Name: aws.Ptr("a"), Value: aws.Ptr("")}), badParameter, "between 1 and 128"},
	{"PutAttributes/no target", putAttributes(shape.Attribute{Name: aws.Ptr("a")}), badParameter, "targetId"},
	{"PutAttributes/no type", putAttributes(shape.Attribute{Name: aws.Ptr("a"), TargetId: aws.Ptr("i")}), badParameter, "targetType is required"},
	{"PutAttributes/type", putAttributes(shape.Attribute{Name: aws.Ptr("a"), TargetId: aws.Ptr("i"), TargetType: aws.Ptr("task")}), badParameter, "Invalid targetType: 'task'"},
	{"PutAttributes/unknown", putAttributes(of("gone", "a", "b")), shape.CodeTargetNotFoundException, "The specified target was not found"},
	{"PutAttributes/cluster", ask(shape.OpPutAttributes, (*API).PutAttributes,
		shape.PutAttributesRequest{Cluster: aws.Ptr("gone"), Attributes: []shape.Attribute{of("i", "a", "b")}}), noCluster, "Cluster not found."},
	{"DeleteAttributes/value", deleteAttributes(of("i", "a", "b")), badParameter, "deleted by name"},
	{"DeleteAttributes/reserved", deleteAttributes(of("i", "ecs.ami-id", "")), badParameter, "reserved"},
	{"DeleteAttributes/unknown", deleteAttributes(of("gone", "a", "")), shape.CodeTargetNotFoundException, "The specified target was not found"},
	{"ListAttributes/type", listAttributes(shape.ListAttributesRequest{}), badParameter, "Invalid targetType"},
	{"ListAttributes/value", listAttributes(shape.ListAttributesRequest{TargetType: aws.Ptr("container-instance"), AttributeValue: aws.Ptr("x")}),
		badParameter, "You must also specify an attribute name"},
	{"ListAttributes/cluster", listAttributes(shape.ListAttributesRequest{TargetType: aws.Ptr("container-instance"), Cluster: aws.Ptr("gone")}),
		noCluster, "Cluster not found."},
	{"PutAccountSetting/name", putSetting("x", "enabled", ""), badParameter, "Invalid setting name: 'x'"},
	{"PutAccountSetting/value", putSetting("containerInsights", "on", ""), badParameter, "Valid values for containerInsights: enhanced, enabled, disabled"},
	{"PutAccountSetting/long", putSetting("taskLongArnFormat", "disabled", ""), badParameter, "You can no longer disable Long Arn settings"},
	{"PutAccountSetting/managed", putSetting("guardDutyActivate", "on", ""), badParameter, "managed by AWS"},
	{"PutAccountSetting/period", putSetting("fargateTaskRetirementWaitPeriod", "8", ""), badParameter, "Valid values for fargateTaskRetirementWaitPeriod: 0, 7, 14"},
	{"PutAccountSetting/period of a user", putSetting("fargateTaskRetirementWaitPeriod", "7", ann), badParameter, "You must use the root user"},
	{"PutAccountSetting/principal", putSetting("containerInsights", "enabled", "arn:aws:iam::111111111111:user/x"), badParameter, "Invalid principalArn"},
	{"PutAccountSetting/no user", putSetting("containerInsights", "enabled", "arn:aws:iam::000000000000:group/x"), badParameter, "Invalid principalArn"},
	{"PutAccountSettingDefault/value", ask(shape.OpPutAccountSettingDefault, (*API).PutAccountSettingDefault,
		shape.PutAccountSettingDefaultRequest{Name: aws.Ptr("defaultLogDriverMode"), Value: aws.Ptr("enabled")}), badParameter, "blocking, non-blocking"},
	{"DeleteAccountSetting/name", ask(shape.OpDeleteAccountSetting, (*API).DeleteAccountSetting,
		shape.DeleteAccountSettingRequest{Name: aws.Ptr("x")}), badParameter, "Invalid setting name"},
	{"DeleteAccountSetting/managed", ask(shape.OpDeleteAccountSetting, (*API).DeleteAccountSetting,
		shape.DeleteAccountSettingRequest{Name: aws.Ptr("guardDutyActivate")}), badParameter, "managed by AWS"},
	{"ListAccountSettings/value", listSettings(shape.ListAccountSettingsRequest{Value: aws.Ptr("enabled")}), badParameter, "You must also specify an account setting name"},
	{"ListAccountSettings/maxResults", listSettings(shape.ListAccountSettingsRequest{MaxResults: aws.Ptr(int32(11))}), badParameter, "between 1 and 10"},
	{"ListAccountSettings/token", listSettings(shape.ListAccountSettingsRequest{NextToken: aws.Ptr("x")}), badParameter, "nextToken"},
	{"ListAccountSettings/principal", listSettings(shape.ListAccountSettingsRequest{PrincipalArn: aws.Ptr("x")}), badParameter, "Invalid principalArn"},

	{"TagResource/ARN", ask(shape.OpTagResource, (*API).TagResource,
		shape.TagResourceRequest{ResourceArn: aws.Ptr("x"), Tags: []shape.Tag{tag("a", "b")}}), badParameter, "not valid: 'x'"},
	{"UntagResource/short ARN", ask(shape.OpUntagResource, (*API).UntagResource,
		shape.UntagResourceRequest{ResourceArn: aws.Ptr("arn:aws:ecs:us-east-1:000000000000:task/x"), TagKeys: []string{"a"}}), badParameter, "Long arn format"},
	{"ListTagsForResource/unknown", ask(shape.OpListTagsForResource, (*API).ListTagsForResource,
		shape.ListTagsForResourceRequest{ResourceArn: aws.Ptr(us.ServiceARN("default", "gone"))}), badParameter, "not found"},
	{"ListTaskDefinitionFamilies/token", ask(shape.OpListTaskDefinitionFamilies, (*API).ListTaskDefinitionFamilies,
		shape.ListTaskDefinitionFamiliesRequest{NextToken: aws.Ptr("x")}), badParameter, "nextToken"},
}
