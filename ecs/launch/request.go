package launch

import (
	"fmt"
	"slices"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/place"
	"github.com/berth-ecs/berth/ecs/place/query"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// Request is what placement must know of the wish. An error names the field that it cannot read.
func Request(s Spec, seed uint64) (place.Request, error) {
	doc := &s.Definition.Document
	out := place.Request{
		Count:      s.Count,
		LaunchType: s.LaunchType,
		Group:      s.GroupName(),
		Attributes: doc.RequiresAttributes,
		Strategy:   s.Strategy,
		Seed:       seed,
	}
	if p := doc.RuntimePlatform; p != nil {
		out.Architecture = aws.Val(p.CpuArchitecture)
	}
	if s.Service != "" && len(s.Strategy) == 0 {
		out.Strategy = place.DefaultService()
	}
	if ecs.HasInterface(doc) {
		out.Attributes = append(slices.Clone(out.Attributes), shape.Attribute{Name: aws.Ptr(place.BerthNode)})
	}
	if s.Fargate() {
		out.Attributes = append(out.Attributes, shape.Attribute{Name: aws.Ptr(place.Fargate), Value: aws.Ptr(place.FargateOn)})
		out.Strategy = place.DefaultService() // whoever asks: FARGATE spreads over the zones of the subnets
	}
	var err error
	if out.Needs, err = Needs(doc, &s.Overrides); err != nil {
		return out, err
	}
	if s.Fargate() {
		out.Needs.StorageGiB = storage(first(s.Overrides.EphemeralStorage, doc.EphemeralStorage))
	}
	for i, c := range s.Constraints {
		if aws.Val(c.Type) == shape.PlacementConstraintTypeDistinctInstance {
			out.Distinct = true
			continue
		}
		e, err := expression("placementConstraints", i, c.Expression)
		if err != nil {
			return out, err
		}
		out.MemberOf = append(out.MemberOf, e)
	}
	for i, c := range doc.PlacementConstraints {
		e, err := expression("placementConstraints of the task definition", i, c.Expression)
		if err != nil {
			return out, err
		}
		out.MemberOf = append(out.MemberOf, e)
	}
	return out, nil
}

func expression(field string, i int, text *string) (*query.Expr, error) {
	e, err := query.Parse(aws.Val(text))
	if err != nil {
		return nil, fmt.Errorf("%s, item %d: %w", field, i+1, err)
	}
	return e, nil
}
