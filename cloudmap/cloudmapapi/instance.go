package cloudmapapi

import (
	"cmp"
	"context"
	"iter"
	"maps"

	"github.com/berth-ecs/berth/cloudmap"
	"github.com/berth-ecs/berth/cloudmap/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/servicediscovery"
)

// RegisterInstance begins to register an instance, or to replace its attributes.
func (a *API) RegisterInstance(ctx context.Context, c wire.Call, in *shape.RegisterInstanceRequest) (*shape.RegisterInstanceResponse, error) {
	without := *in
	without.CreatorRequestId = nil
	id, err := a.submit(ctx, ask(c, in.CreatorRequestId, without), func(tx store.Tx, o *cloudmap.Operation) error {
		s, err := tables.Service(tx, home(c), aws.Val(in.ServiceId))
		if err != nil {
			return err
		}
		o.Type, o.Service, o.Instance = shape.OperationTypeRegisterInstance, s.ID, aws.Val(in.InstanceId)
		o.Wish.Register, err = a.attributes(tx, s, o.Instance, in.Attributes)
		if err == nil {
			err = tables.Room(tx, s, o.Instance)
		}
		return err
	})
	return &shape.RegisterInstanceResponse{OperationId: id}, err
}

// attributes are those of a new instance: AWS's address of an EC2 instance is among them. They are checked, and its id.
func (a *API) attributes(tx store.Tx, s *cloudmap.Service, id string, asked map[string]string) (map[string]string, error) {
	n, err := tables.Namespace(tx, s.Home, s.Namespace)
	if err != nil {
		return nil, err
	}
	if err := cmp.Or(s.CheckID(n, id), s.CheckAttributes(n, asked)); err != nil {
		return nil, err
	}
	out := maps.Clone(asked)
	if out == nil {
		out = map[string]string{}
	}
	if i := asked[cloudmap.AttrEC2]; i != "" {
		if _, set := asked[cloudmap.AttrIPv4]; set {
			return nil, cloudmap.Invalid("Attribute %s must not be set together with %s", cloudmap.AttrIPv4, cloudmap.AttrEC2)
		}
		addr, ok := "", false
		if a.Machines != nil {
			addr, ok = a.Machines.PrivateAddress(tx, s.Home, i)
		}
		if !ok {
			return nil, cloudmap.Invalid("The instance ID '%s' does not exist", i)
		}
		out[cloudmap.AttrIPv4] = addr
	}
	if addr := cmp.Or(out[cloudmap.AttrIPv4], out[cloudmap.AttrIPv6]); s.Check != nil && addr != "" && !a.Reaches(addr) {
		return nil, cloudmap.Invalid("Health checks reach public addresses only, not %s", addr)
	}
	return out, nil
}

// DeregisterInstance begins to forget an instance.
func (a *API) DeregisterInstance(ctx context.Context, c wire.Call, in *shape.DeregisterInstanceRequest) (*shape.DeregisterInstanceResponse, error) {
	id, err := a.submit(ctx, ask(c, nil, in), func(tx store.Tx, o *cloudmap.Operation) error {
		s, i, err := instance(tx, c, in.ServiceId, in.InstanceId)
		if err != nil {
			return err
		}
		o.Type, o.Service, o.Instance = shape.OperationTypeDeregisterInstance, s.ID, i.ID
		return nil
	})
	return &shape.DeregisterInstanceResponse{OperationId: id}, err
}

func instance(tx store.Tx, c wire.Call, service, id *string) (*cloudmap.Service, *cloudmap.Instance, error) {
	s, err := tables.Service(tx, home(c), aws.Val(service))
	if err != nil {
		return nil, nil, err
	}
	i, err := tables.Instance(tx, s, aws.Val(id))
	return s, i, err
}

// GetInstance answers one.
func (a *API) GetInstance(ctx context.Context, c wire.Call, in *shape.GetInstanceRequest) (*shape.GetInstanceResponse, error) {
	out := &shape.GetInstanceResponse{ResourceOwner: &c.Account}
	err := a.store.View(ctx, store.Fresh, func(tx store.Tx) error {
		_, i, err := instance(tx, c, in.ServiceId, in.InstanceId)
		if err == nil {
			out.Instance = i.Render()
		}
		return err
	})
	return out, err
}

// ListInstances answers a page of a service's.
func (a *API) ListInstances(ctx context.Context, c wire.Call, in *shape.ListInstancesRequest) (*shape.ListInstancesResponse, error) {
	out := &shape.ListInstancesResponse{ResourceOwner: &c.Account}
	err := a.store.View(ctx, store.Fresh, func(tx store.Tx) error {
		s, err := tables.Service(tx, home(c), aws.Val(in.ServiceId))
		if err != nil {
			return err
		}
		p := page(in.NextToken, in.MaxResults, "ListInstances", s.ID)
		after, err := p.After()
		if err != nil {
			return err
		}
		rows, next, err := wire.Page(p, mapped(tables.Instances.List(tx, tables.InstancesOf(s.Home, s.ID), after), (*cloudmap.Instance).Summary))
		out.Instances, out.NextToken = rows, next
		return err
	})
	return out, err
}

func mapped[In, Out any](in iter.Seq2[string, In], f func(In) Out) iter.Seq2[string, Out] {
	return func(yield func(string, Out) bool) {
		for k, v := range in {
			if !yield(k, f(v)) {
				return
			}
		}
	}
}
