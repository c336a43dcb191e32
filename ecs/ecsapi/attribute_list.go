package ecsapi

import (
	"context"
	"iter"
	"slices"
	"strings"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/request"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// ListAttributes lists the attributes of a cluster's container instances, ECS's own included: all, those of a name, or
// those of a name and a value.
func (a *API) ListAttributes(ctx context.Context, c wire.Call, in *shape.ListAttributesRequest) (*shape.ListAttributesResponse, error) {
	if kind := aws.Val(in.TargetType); kind != shape.TargetTypeContainerInstance {
		return nil, request.Invalid("Invalid targetType: '%s'. Valid values: container-instance", kind)
	}
	if in.AttributeValue != nil && aws.Val(in.AttributeName) == "" {
		return nil, request.Invalid("You must also specify an attribute name to filter by value.")
	}
	out := &shape.ListAttributesResponse{}
	err := a.view(ctx, func(tx store.Tx) error {
		k, err := cluster(tx, home(c), in.Cluster)
		if err != nil {
			return err
		}
		p := page(c, slice{in.NextToken, in.MaxResults, 100}, k.Name, dereferenced(in.AttributeName), in.AttributeValue)
		out.Attributes, out.NextToken, err = wire.Page(p, attributes(tx, k, in))
		return err
	})
	return out, err
}

// attributes yields the matches by instance and name.
func attributes(tx store.Tx, k *ecs.Cluster, in *shape.ListAttributesRequest) iter.Seq2[string, shape.Attribute] {
	return func(yield func(string, shape.Attribute) bool) {
		for key, i := range tables.Instances.List(tx, tables.At(k.Home).Prefix(k.Name), "") {
			if !tables.Listened(tx, key) {
				continue
			}
			for _, a := range sortedAttributes(i) {
				if attributeMatches(a, in) && !yield(key+"/"+aws.Val(a.Name), renderAttribute(i, a)) {
					return
				}
			}
		}
	}
}

func sortedAttributes(i *ecs.Instance) []shape.Attribute {
	return slices.SortedFunc(slices.Values(i.Attributes), func(a, b shape.Attribute) int {
		return strings.Compare(aws.Val(a.Name), aws.Val(b.Name))
	})
}

func attributeMatches(a shape.Attribute, in *shape.ListAttributesRequest) bool {
	name := aws.Val(in.AttributeName)
	return (name == "" || name == aws.Val(a.Name)) && (in.AttributeValue == nil || *in.AttributeValue == aws.Val(a.Value))
}
