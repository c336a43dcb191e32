package ecsapi

import (
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

func tag(key, value string) shape.Tag { return shape.Tag{Key: &key, Value: &value} }

func TestTagsOfEveryResource(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	instance := us.InstanceARN("default", r.instance())
	definition := r.definition("web", 10, 64)
	task := us.TaskARN("default", r.run("web"))
	r.service("web", 0)
	for _, arn := range []string{us.ClusterARN("default"), instance, definition, task, us.ServiceARN("default", "web")} {
		must(r, shape.OpTagResource, r.api.TagResource, &shape.TagResourceRequest{ResourceArn: &arn, Tags: []shape.Tag{tag("a", "1"), tag("b", "2")}})
		must(r, shape.OpTagResource, r.api.TagResource, &shape.TagResourceRequest{ResourceArn: &arn, Tags: []shape.Tag{tag("b", "3")}})
		must(r, shape.OpUntagResource, r.api.UntagResource, &shape.UntagResourceRequest{ResourceArn: &arn, TagKeys: []string{"a", "nobody"}})
		out := must(r, shape.OpListTagsForResource, r.api.ListTagsForResource, &shape.ListTagsForResourceRequest{ResourceArn: &arn})
		if d := cmp.Diff([]shape.Tag{tag("b", "3")}, out.Tags); d != "" {
			t.Errorf("%s:\n%s", arn, d)
		}
	}
}

func TestTagRules(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	var fifty []shape.Tag
	for i := range 50 {
		fifty = append(fifty, tag("k"+strconv.Itoa(i), ""))
	}
	arn := us.ClusterARN("default")
	for _, c := range []struct {
		name string
		arn  string
		tags []shape.Tag
		want string
	}{
		{"empty key", arn, []shape.Tag{tag("", "")}, "must not be empty"},
		{"long key", arn, []shape.Tag{tag(strings.Repeat("k", 129), "")}, "longer than 128"},
		{"long value", arn, []shape.Tag{tag("k", strings.Repeat("ü", 257))}, "longer than 256"},
		{"reserved key", arn, []shape.Tag{tag("AWS:x", "")}, "reserved"},
		{"the same key twice", arn, []shape.Tag{tag("k", "1"), tag("k", "2")}, "Duplicate tag keys found"},
		{"51 tags", arn, append(fifty, tag("more", "")), "limit of 50"},
		{"short ARN", "arn:aws:ecs:us-east-1:000000000000:service/web", nil, "Long arn format must be used for tagging operations"},
		{"no ARN", "default", nil, "not valid"},
		{"other region", "arn:aws:ecs:eu-west-1:000000000000:cluster/default", nil, "Your region is us-east-1"},
		{"other account", "arn:aws:ecs:us-east-1:111111111111:cluster/default", nil, "AccountIDs mismatch"},
		{"other kind", "arn:aws:ecs:us-east-1:000000000000:daemon/default/x", nil, "cannot be tagged"},
		{"no such task", us.TaskARN("default", "x"), nil, "was not found"},
	} {
		_, err := do(r, shape.OpTagResource, r.api.TagResource, &shape.TagResourceRequest{ResourceArn: &c.arn, Tags: c.tags})
		t.Run(c.name, func(t *testing.T) { refused(t, err, shape.CodeInvalidParameterException, c.want) })
	}
	must(r, shape.OpTagResource, r.api.TagResource, &shape.TagResourceRequest{ResourceArn: &arn, Tags: fifty[:30]})
	var others []shape.Tag
	for i := range 21 {
		others = append(others, tag("o"+strconv.Itoa(i), ""))
	}
	_, err := do(r, shape.OpTagResource, r.api.TagResource, &shape.TagResourceRequest{ResourceArn: &arn, Tags: others})
	refused(t, err, shape.CodeInvalidParameterException, "limit of 50")
	if out := must(r, shape.OpListTagsForResource, r.api.ListTagsForResource, &shape.ListTagsForResourceRequest{ResourceArn: aws.Ptr(arn)}); len(out.Tags) != 30 {
		t.Errorf("%d tags after a refusal", len(out.Tags))
	}
}
