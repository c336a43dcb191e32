package ecsapi

import (
	"fmt"
	"slices"
	"testing"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

func of(instance, name, value string) shape.Attribute {
	a := shape.Attribute{Name: &name, TargetId: aws.Ptr(us.InstanceARN("default", instance))}
	if value != "" {
		a.Value = &value
	}
	return a
}

// attributes are the lines of all pages, "name=value" each.
func (r *region) attributes(in shape.ListAttributesRequest) []string {
	r.Helper()
	in.TargetType = aws.Ptr("container-instance")
	lines := []string{}
	for {
		out := must(r, shape.OpListAttributes, r.api.ListAttributes, &in)
		for _, a := range out.Attributes {
			if *a.TargetType != "container-instance" {
				r.Errorf("%+v", a)
			}
			lines = append(lines, *a.Name+"="+aws.Val(a.Value))
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			return lines
		}
	}
}

func TestAttributes(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	a, b := r.instance(), r.instance()
	out := must(r, shape.OpPutAttributes, r.api.PutAttributes, &shape.PutAttributesRequest{Attributes: []shape.Attribute{
		of(a, "stack", "production"), of(b, "stack", "test"), of(a, "ssd", ""),
		{Name: aws.Ptr("floor"), Value: aws.Ptr("2"), TargetId: &a, TargetType: aws.Ptr("container-instance")},
	}})
	if len(out.Attributes) != 4 || *out.Attributes[3].TargetId != us.InstanceARN("default", a) || *out.Attributes[3].Value != "2" {
		t.Errorf("%+v", out.Attributes)
	}
	stack := shape.ListAttributesRequest{AttributeName: aws.Ptr("stack")}
	if got := r.attributes(stack); !slices.Contains(got, "stack=production") || !slices.Contains(got, "stack=test") || len(got) != 2 {
		t.Errorf("by name: %v", got)
	}
	stack.AttributeValue = aws.Ptr("test")
	if got := r.attributes(stack); !slices.Equal(got, []string{"stack=test"}) {
		t.Errorf("by value: %v", got)
	}
	if got := r.attributes(shape.ListAttributesRequest{AttributeName: aws.Ptr("ecs.availability-zone")}); len(got) != 2 {
		t.Errorf("ECS's own: %v", got)
	}
	all := r.attributes(shape.ListAttributesRequest{})
	if got := r.attributes(shape.ListAttributesRequest{MaxResults: aws.Ptr(int32(1))}); !slices.Equal(got, all) || len(all) < 8 {
		t.Errorf("in pages %v, at once %v", got, all)
	}
	put := func(attrs ...shape.Attribute) error {
		_, err := do(r, shape.OpPutAttributes, r.api.PutAttributes, &shape.PutAttributesRequest{Attributes: attrs})
		return err
	}
	if err := put(of(a, "stack", "blue")); err != nil { // replaces
		t.Fatal(err)
	}
	must(r, shape.OpDeleteAttributes, r.api.DeleteAttributes, &shape.DeleteAttributesRequest{Attributes: []shape.Attribute{of(a, "ssd", ""), of(b, "stack", ""), of(b, "none", "")}})
	if got := append(r.attributes(shape.ListAttributesRequest{AttributeName: aws.Ptr("stack")}),
		r.attributes(shape.ListAttributesRequest{AttributeName: aws.Ptr("ssd")})...); !slices.Equal(got, []string{"stack=blue"}) {
		t.Errorf("after the changes: %v", got)
	}
}

// AWS: an instance has at most 10 attributes of its own; ECS's do not count, and what is refused changes nothing.
func TestAttributeLimit(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	i := r.instance() // has "rack"
	var nine []shape.Attribute
	for n := range 9 {
		nine = append(nine, of(i, fmt.Sprintf("a%d", n), "x"))
	}
	must(r, shape.OpPutAttributes, r.api.PutAttributes, &shape.PutAttributesRequest{Attributes: nine})
	_, err := do(r, shape.OpPutAttributes, r.api.PutAttributes, &shape.PutAttributesRequest{Attributes: []shape.Attribute{of(i, "a0", "y"), of(i, "more", "x")}})
	refused(t, err, shape.CodeAttributeLimitExceededException, "10 custom attributes")
	if got := r.attributes(shape.ListAttributesRequest{AttributeName: aws.Ptr("a0")}); !slices.Equal(got, []string{"a0=x"}) {
		t.Errorf("a refused call changed %v", got)
	}
	must(r, shape.OpPutAttributes, r.api.PutAttributes, &shape.PutAttributesRequest{Attributes: []shape.Attribute{of(i, "a0", "y")}})
}

func TestAttributesDecidePlacement(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	r.definition("web", 10, 10)
	i := r.instance()
	in := &shape.RunTaskRequest{TaskDefinition: aws.Ptr("web"), PlacementConstraints: []shape.PlacementConstraint{
		{Type: aws.Ptr("memberOf"), Expression: aws.Ptr("attribute:stack == blue")}}}
	if out := must(r, shape.OpRunTask, r.api.RunTask, in); len(out.Tasks) != 0 {
		t.Error("placed without the attribute")
	}
	must(r, shape.OpPutAttributes, r.api.PutAttributes, &shape.PutAttributesRequest{Attributes: []shape.Attribute{of(i, "stack", "blue")}})
	if out := must(r, shape.OpRunTask, r.api.RunTask, in); len(out.Tasks) != 1 {
		t.Errorf("not placed with the attribute: %+v", out.Failures)
	}
}
