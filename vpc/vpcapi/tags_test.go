package vpcapi

import (
	"fmt"
	"strings"
	"testing"

	shape "github.com/berth-ecs/berth/wire/shape/ec2"
)

func pairs(texts ...string) (out []shape.Tag) {
	for _, t := range texts {
		key, value, _ := strings.Cut(t, "=")
		out = append(out, shape.Tag{Key: &key, Value: &value})
	}
	return out
}

func (w *world) tagsOf(f ...shape.Filter) string {
	w.t.Helper()
	var out []string
	for _, t := range try(w, w.DescribeTags, shape.DescribeTagsRequest{Filters: f}).Tags {
		out = append(out, fmt.Sprintf("%s %s=%s", *t.ResourceType, *t.Key, *t.Value))
	}
	return strings.Join(out, ", ")
}

func TestTags(t *testing.T) {
	w := newWorld(t)
	v, g, s := w.network()
	ids := []string{v, g, s, w.eni(s).ID, w.table(v), w.allocate(), w.standard().MainACL, w.standard().DHCPOptions, w.standard().DefaultGroup}
	try(w, w.CreateTags, shape.CreateTagsRequest{Resources: append(ids, v), Tags: pairs("team=a", "Name=x")})
	try(w, w.CreateTags, shape.CreateTagsRequest{Resources: []string{v}, Tags: pairs("team=b")})
	if got := w.tagsOf(filter("resource-id", v)...); got != "vpc Name=x, vpc team=b" {
		t.Error(got)
	}
	if got := w.tagsOf(append(filter("key", "team"), filter("value", "a")...)...); strings.Count(got, "=") != len(ids)-1 || !strings.Contains(got, "network-interface team=a") || !strings.Contains(got, "elastic-ip") {
		t.Error(got)
	}
	if got := w.tagsOf(append(filter("resource-type", "internet-gateway"), filter("tag:team", "a")...)...); got != "internet-gateway team=a" {
		t.Error(got)
	}
	try(w, w.DeleteTags, shape.DeleteTagsRequest{Resources: []string{v}, Tags: []shape.Tag{{Key: ptr("team"), Value: ptr("a")}, {Key: ptr("Name")}, {Key: ptr("none")}}})
	if got := w.tagsOf(filter("resource-id", v)...); got != "vpc team=b" {
		t.Error(got)
	}
	try(w, w.DeleteTags, shape.DeleteTagsRequest{Resources: ids})
	if got := w.tagsOf(); got != "" {
		t.Error(got)
	}
}

func TestPagesOfTags(t *testing.T) {
	w := newWorld(t)
	v := w.vpc("10.0.0.0/16")
	var all []string
	for i := range 12 {
		all = append(all, fmt.Sprintf("k%02d=v", i))
	}
	try(w, w.CreateTags, shape.CreateTagsRequest{Resources: []string{v}, Tags: pairs(all...)})
	var got []string
	in := shape.DescribeTagsRequest{MaxResults: ptr(int32(5))}
	for {
		out := try(w, w.DescribeTags, in)
		for _, tag := range out.Tags {
			got = append(got, *tag.Key+"="+*tag.Value)
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			break
		}
	}
	if strings.Join(got, " ") != strings.Join(all, " ") {
		t.Error(got)
	}
}

func TestBadTags(t *testing.T) {
	w := newWorld(t)
	v := w.vpc("10.0.0.0/16")
	var many []string
	for i := range 51 {
		many = append(many, fmt.Sprintf("k%d=v", i))
	}
	create := func(want, id string, tags ...string) row {
		return bad(w, want, w.CreateTags, shape.CreateTagsRequest{Resources: []string{id}, Tags: pairs(tags...)})
	}
	w.refuses(
		create("InvalidID: The ID 'blue' is not valid", "blue", "a=b"), create("InvalidVpcID.NotFound", "vpc-01234567", "a=b"), create("InvalidSubnetID.NotFound", "subnet-01234567", "a=b"),
		create("InvalidSecurityGroupRuleId.NotFound", "sgr-01234567", "a=b"), create("InvalidInstanceID.NotFound", "i-01234567", "a=b"), create("InvalidNetworkInterfaceID.NotFound", "eni-01234567", "a=b"),
		create("InvalidParameterValue: Tag keys starting with 'aws:' are reserved for internal use", v, "AWS:x=y"), create("InvalidParameterValue: Tag key cannot be empty.", v, "=y"),
		create("InvalidParameterValue: Tag key exceeds", v, strings.Repeat("k", 129)+"=y"), create("InvalidParameterValue: Tag value exceeds", v, "k="+strings.Repeat("v", 257)),
		create("TagLimitExceeded", v, many...), create("MissingParameter", v),
		bad(w, "MissingParameter", w.CreateTags, shape.CreateTagsRequest{Tags: pairs("a=b")}),
		bad(w, "InvalidParameterValue: Tag keys starting with 'aws:'", w.DeleteTags, shape.DeleteTagsRequest{Resources: []string{v}, Tags: pairs("aws:x=y")}),
		bad(w, "InvalidVpcID.NotFound", w.DeleteTags, shape.DeleteTagsRequest{Resources: []string{"vpc-01234567"}}),
		bad(w, "InvalidParameterValue: The filter 'colour' is invalid", w.DescribeTags, shape.DescribeTagsRequest{Filters: filter("colour", "red")}),
		bad(w, "InvalidParameterValue: Value ( 3 )", w.DescribeTags, shape.DescribeTagsRequest{MaxResults: ptr(int32(3))}),
	)
	// One bad resource, and no other is changed.
	w.refuses(bad(w, "InvalidVpcID.NotFound", w.CreateTags, shape.CreateTagsRequest{Resources: []string{v, "vpc-01234567"}, Tags: pairs("a=b")}))
	if got := w.tagsOf(); got != "" {
		t.Error(got)
	}
}

// Lists in which nothing can be are empty, and what is asked for by its id is not there.
func TestListsOfNothing(t *testing.T) {
	w := newWorld(t)
	if out := try(w, w.DescribeVpcPeeringConnections, shape.DescribeVpcPeeringConnectionsRequest{}); len(out.VpcPeeringConnections) != 0 {
		t.Errorf("%+v", out)
	}
	if out := try(w, w.DescribeVpcEndpoints, shape.DescribeVpcEndpointsRequest{Filters: filter("vpc-id", "vpc-01234567")}); len(out.VpcEndpoints) != 0 {
		t.Errorf("%+v", out)
	}
	if out := try(w, w.DescribeFlowLogs, shape.DescribeFlowLogsRequest{}); len(out.FlowLogs) != 0 {
		t.Errorf("%+v", out)
	}
	w.refuses(
		bad(w, "InvalidVpcPeeringConnectionID.NotFound", w.DescribeVpcPeeringConnections, shape.DescribeVpcPeeringConnectionsRequest{VpcPeeringConnectionIds: []string{"pcx-01234567"}}),
		bad(w, "InvalidVpcEndpointId.NotFound", w.DescribeVpcEndpoints, shape.DescribeVpcEndpointsRequest{VpcEndpointIds: []string{"vpce-01234567"}}),
	)
}
