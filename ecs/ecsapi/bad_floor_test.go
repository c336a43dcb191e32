package ecsapi

import (
	"context"

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

var badFloor = []bad{
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
	{"PutAccountSetting/long", putSetting("taskLongArnFormat", "disabled", ""), badParameter, "can no longer be disabled"},
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
