package cloudmapapi

import (
	"context"
	"maps"
	"strings"

	"github.com/berth-ecs/berth/cloudmap"
	"github.com/berth-ecs/berth/cloudmap/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/servicediscovery"
)

// maxAttributes is how many attributes a service has at most.
const maxAttributes = 30

// GetServiceAttributes answers what a service says of itself.
func (a *API) GetServiceAttributes(ctx context.Context, c wire.Call, in *shape.GetServiceAttributesRequest) (*shape.GetServiceAttributesResponse, error) {
	out := &shape.GetServiceAttributesResponse{}
	err := a.store.View(ctx, store.Fresh, func(tx store.Tx) error {
		s, err := tables.Service(tx, home(c), aws.Val(in.ServiceId))
		if err != nil {
			return err
		}
		out.ServiceAttributes = &shape.ServiceAttributes{ServiceArn: aws.Ptr(s.ARN()), ResourceOwner: &s.Account, Attributes: map[string]string{}}
		if t, ok := tables.Attributes.Peek(tx, tables.Key(s.Home, s.ID)); ok {
			out.ServiceAttributes.Attributes = t.Values
		}
		return nil
	})
	return out, err
}

// describe changes what a service says of itself.
func (a *API) describe(ctx context.Context, c wire.Call, id *string, change func(values map[string]string) error) error {
	return a.store.Update(ctx, func(tx store.Tx) error {
		s, err := tables.Service(tx, home(c), aws.Val(id))
		if err != nil {
			return err
		}
		next := cloudmap.Attributes{Home: s.Home, Service: s.ID, Values: map[string]string{}}
		if was, ok := tables.Attributes.Get(tx, tables.Key(s.Home, s.ID)); ok {
			maps.Copy(next.Values, was.Values)
		}
		if err := change(next.Values); err != nil {
			return err
		}
		tables.Attributes.Put(tx, &next)
		return nil
	})
}

// UpdateServiceAttributes adds attributes, or changes them.
func (a *API) UpdateServiceAttributes(ctx context.Context, c wire.Call, in *shape.UpdateServiceAttributesRequest) (*shape.UpdateServiceAttributesResponse, error) {
	for k := range in.Attributes {
		if k == "" || strings.HasPrefix(strings.ToLower(k), "aws:") {
			return nil, cloudmap.Invalid("The key of a service attribute must not be empty or begin with aws: %q", k)
		}
	}
	return nil, a.describe(ctx, c, in.ServiceId, func(values map[string]string) error {
		maps.Copy(values, in.Attributes)
		if len(values) > maxAttributes {
			return cloudmap.Errorf(shape.CodeServiceAttributesLimitExceededException, "A service can have at most %d attributes", maxAttributes)
		}
		return nil
	})
}

// DeleteServiceAttributes takes attributes away; those that are not there are none to take.
func (a *API) DeleteServiceAttributes(ctx context.Context, c wire.Call, in *shape.DeleteServiceAttributesRequest) (*shape.DeleteServiceAttributesResponse, error) {
	return nil, a.describe(ctx, c, in.ServiceId, func(values map[string]string) error {
		for _, k := range in.Attributes {
			delete(values, k)
		}
		return nil
	})
}
