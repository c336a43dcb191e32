package ecsapi

import (
	"strings"

	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

func tagResource(a *API) wire.Handler[shape.TagResourceRequest, shape.TagResourceResponse] {
	return a.TagResource
}

func untagResource(a *API) wire.Handler[shape.UntagResourceRequest, shape.UntagResourceResponse] {
	return a.UntagResource
}

func listTags(a *API) wire.Handler[shape.ListTagsForResourceRequest, shape.ListTagsForResourceResponse] {
	return a.ListTagsForResource
}

func tags(arn string, tags ...shape.Tag) func(*region) error {
	return try(shape.OpTagResource, tagResource, shape.TagResourceRequest{ResourceArn: &arn, Tags: tags})
}

var badTags = []bad{
	{"TagResource/no ARN", tags("web", tag("a", "b")), badParameter, "The specified resource ARN is not valid"},
	{"TagResource/short ARN", tags("arn:aws:ecs:us-east-1:000000000000:service/web", tag("a", "b")), badParameter, "Long arn format must be used"},
	{"TagResource/kind", tags("arn:aws:ecs:us-east-1:000000000000:container/default/x", tag("a", "b")), badParameter, "cannot be tagged"},
	{"TagResource/account", tags("arn:aws:ecs:us-east-1:111111111111:cluster/default", tag("a", "b")), badParameter, "AccountIDs mismatch"},
	{"TagResource/region", tags("arn:aws:ecs:eu-west-1:000000000000:cluster/default", tag("a", "b")), badParameter, "Your region is us-east-1"},
	{"TagResource/unknown", tags(us.ServiceARN("default", "gone"), tag("a", "b")), badParameter, "was not found"},
	{"TagResource/unknown cluster", tags(us.ClusterARN("gone"), tag("a", "b")), noCluster, "Cluster not found."},
	{"TagResource/reserved", tags(us.ClusterARN("default"), tag("aws:a", "b")), badParameter, "reserved"},
	{"TagResource/empty key", tags(us.ClusterARN("default"), tag("", "b")), badParameter, "Tag keys"},
	{"TagResource/long value", tags(us.ClusterARN("default"), tag("a", strings.Repeat("x", 257))), badParameter, "longer than 256 characters"},
	{"UntagResource/reserved", try(shape.OpUntagResource, untagResource, shape.UntagResourceRequest{ResourceArn: aws.Ptr(us.ClusterARN("default")), TagKeys: []string{"aws:x"}}),
		badParameter, "reserved"},
	{"UntagResource/unknown", try(shape.OpUntagResource, untagResource, shape.UntagResourceRequest{ResourceArn: aws.Ptr(us.TaskDefinitionARN("web", 9)), TagKeys: []string{"a"}}),
		badParameter, "was not found"},
	{"ListTagsForResource/no ARN", try(shape.OpListTagsForResource, listTags, shape.ListTagsForResourceRequest{}), badParameter, "The specified resource ARN is not valid"},
	{"ListTagsForResource/unknown", try(shape.OpListTagsForResource, listTags, shape.ListTagsForResourceRequest{ResourceArn: aws.Ptr(us.InstanceARN("default", "gone"))}),
		badParameter, "was not found"},
}
