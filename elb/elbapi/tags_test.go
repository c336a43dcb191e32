package elbapi

import (
	"testing"

	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/elb/tables"
	"github.com/berth-ecs/berth/store"
	shape "github.com/berth-ecs/berth/wire/shape/elbv2"
)

func TestTags(t *testing.T) {
	w := newWorld(t)
	g := &elb.TargetGroup{Home: here, ID: "0123456789abcdef", Name: "web"}
	w.update(func(tx store.Tx) { tables.TargetGroups.Put(tx, g) })
	tag := func(k, v string) shape.Tag { return shape.Tag{Key: &k, Value: &v} }
	of := []string{g.ARN()}
	must(w, shape.OpAddTags, w.api.AddTags, &shape.AddTagsInput{ResourceArns: of, Tags: []shape.Tag{tag("b", "1"), tag("a", "2")}})
	must(w, shape.OpAddTags, w.api.AddTags, &shape.AddTagsInput{ResourceArns: of, Tags: []shape.Tag{tag("b", "3")}})
	must(w, shape.OpRemoveTags, w.api.RemoveTags, &shape.RemoveTagsInput{ResourceArns: of, TagKeys: []string{"a", "c"}})
	out := must(w, shape.OpDescribeTags, w.api.DescribeTags, &shape.DescribeTagsInput{ResourceArns: of})
	if d := out.TagDescriptions; len(d) != 1 || *d[0].ResourceArn != g.ARN() || len(d[0].Tags) != 1 || *d[0].Tags[0].Key != "b" || *d[0].Tags[0].Value != "3" {
		t.Errorf("tags: %+v", out)
	}
	fails(w, shape.OpAddTags, w.api.AddTags, &shape.AddTagsInput{ResourceArns: of, Tags: []shape.Tag{tag("b", "1"), tag("b", "2")}}, "DuplicateTagKeys: unique")
	fails(w, shape.OpAddTags, w.api.AddTags, &shape.AddTagsInput{ResourceArns: of, Tags: []shape.Tag{tag("AWS:x", "1")}}, "ValidationError: aws:")
	var many []shape.Tag
	for i := range 50 {
		many = append(many, tag("k"+string(rune('A'+i)), ""))
	}
	fails(w, shape.OpAddTags, w.api.AddTags, &shape.AddTagsInput{ResourceArns: of, Tags: many}, "TooManyTags: 50")
	other := *g
	other.Account = "111111111111"
	for arn, want := range map[string]string{
		other.ARN(): "TargetGroupNotFound: One or more target groups not found",
		"arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/app/a/b":          "LoadBalancerNotFound: One or more load balancers not found",
		"arn:aws:elasticloadbalancing:us-east-1:000000000000:listener/app/a/b/c":            "ListenerNotFound: One or more listeners not found",
		"arn:aws:elasticloadbalancing:us-east-1:000000000000:listener-rule/app/a/b/c/d":     "RuleNotFound: One or more rules not found",
		"arn:aws:elasticloadbalancing:us-east-1:000000000000:listener-rule/app/a/b/c/d/e/f": "ValidationError: is not a valid listener rule ARN",
		"web": "ValidationError: 'web' is not a valid resource ARN",
	} {
		fails(w, shape.OpDescribeTags, w.api.DescribeTags, &shape.DescribeTagsInput{ResourceArns: []string{arn}}, want)
	}
	must(w, shape.OpRemoveTags, w.api.RemoveTags, &shape.RemoveTagsInput{ResourceArns: of, TagKeys: []string{"b"}})
	w.empty("elb.targetgroup")
}
