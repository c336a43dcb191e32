package ecsapi

import (
	"context"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/request"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// PutAttributes sets attributes of container instances: all of them, or none.
func (a *API) PutAttributes(ctx context.Context, c wire.Call, in *shape.PutAttributesRequest) (*shape.PutAttributesResponse, error) {
	if err := request.CheckAttributes(in.Attributes, false); err != nil {
		return nil, err
	}
	all, err := a.changeAttributes(ctx, home(c), attributeChange{in.Cluster, in.Attributes, func(set shape.Attribute) *shape.Attribute {
		return &shape.Attribute{Name: set.Name, Value: set.Value}
	}})
	return &shape.PutAttributesResponse{Attributes: all}, err
}

// DeleteAttributes removes attributes of container instances; one that is not there is no error.
func (a *API) DeleteAttributes(ctx context.Context, c wire.Call, in *shape.DeleteAttributesRequest) (*shape.DeleteAttributesResponse, error) {
	if err := request.CheckAttributes(in.Attributes, true); err != nil {
		return nil, err
	}
	all, err := a.changeAttributes(ctx, home(c), attributeChange{in.Cluster, in.Attributes, func(shape.Attribute) *shape.Attribute { return nil }})
	return &shape.DeleteAttributesResponse{Attributes: all}, err
}

// attributeChange is what becomes of each of some attributes.
type attributeChange struct {
	cluster *string
	all     []shape.Attribute
	becomes func(shape.Attribute) *shape.Attribute
}

func (a *API) changeAttributes(ctx context.Context, h ecs.Home, change attributeChange) ([]shape.Attribute, error) {
	var out []shape.Attribute
	err := a.store.Update(ctx, func(tx store.Tx) error {
		out = nil
		k, err := cluster(tx, h, change.cluster)
		if err != nil {
			return err
		}
		for _, named := range change.all {
			i, err := attributed(tx, k, named)
			if err != nil {
				return err
			}
			next := *i
			next.Attributes = request.WithAttribute(i.Attributes, aws.Val(named.Name), change.becomes(named))
			if n := request.CountCustom(next.Attributes); n > request.MaxAttributes && n > request.CountCustom(i.Attributes) {
				return errAttributeLimit
			}
			tables.Instances.Put(tx, &next)
			out = append(out, renderAttribute(i, named))
		}
		return nil
	})
	return out, err
}

// attributed finds and guards the container instance that an attribute is of.
func attributed(tx store.Tx, k *ecs.Cluster, named shape.Attribute) (*ecs.Instance, error) {
	id, err := request.AttributeTarget(k.Home, k.Name, named)
	if err != nil {
		return nil, err
	}
	key := tables.MemberKey(k.Home, k.Name, id)
	i, ok := tables.Instances.Get(tx, key)
	if !ok || !tables.Listened(tx, key) {
		return nil, newError(shape.CodeTargetNotFoundException, "The specified target was not found: "+k.InstanceARN(k.Name, id)+".")
	}
	return i, nil
}

func renderAttribute(i *ecs.Instance, named shape.Attribute) shape.Attribute {
	return shape.Attribute{Name: named.Name, Value: named.Value,
		TargetType: aws.Ptr(shape.TargetTypeContainerInstance), TargetId: aws.Ptr(i.ARN())}
}
