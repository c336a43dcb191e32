package ecsapi

import (
	"context"
	"slices"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/request"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// DescribeServices answers services, also INACTIVE ones while they are kept.
func (a *API) DescribeServices(ctx context.Context, c wire.Call, in *shape.DescribeServicesRequest) (*shape.DescribeServicesResponse, error) {
	if n := len(in.Services); n == 0 || n > 10 {
		return nil, request.Invalid("Services must have between 1 and 10 elements.")
	}
	out := &shape.DescribeServicesResponse{Services: []shape.Service{}, Failures: []shape.Failure{}}
	err := a.view(ctx, func(tx store.Tx) error {
		k, err := cluster(tx, home(c), in.Cluster)
		if err != nil {
			return err
		}
		for _, ref := range in.Services {
			name, err := request.MemberID(k.Home, k.Name, "service", ref)
			if err != nil {
				return err
			}
			s, ok := tables.Services.Peek(tx, tables.MemberKey(k.Home, k.Name, name))
			if !ok {
				out.Failures = append(out.Failures, missing(k.ServiceARN(k.Name, name)))
				continue
			}
			out.Services = append(out.Services, a.describeService(tx, s, slices.Contains(in.Include, shape.ServiceFieldTags)))
		}
		return nil
	})
	return out, err
}

// service finds a service to change, and guards it.
func service(tx store.Tx, h ecs.Home, clusterRef, ref *string) (*ecs.Service, error) {
	k, err := cluster(tx, h, clusterRef)
	if err != nil {
		return nil, err
	}
	if k.Status == ecs.ClusterInactive {
		return nil, errClusterInactive
	}
	name, err := request.MemberID(h, k.Name, "service", aws.Val(ref))
	if err != nil {
		return nil, err
	}
	s, ok := tables.Services.Get(tx, tables.MemberKey(h, k.Name, name))
	if !ok {
		return nil, errServiceNotFound
	}
	return s, nil
}

// describeService gathers and renders a service.
func (a *API) describeService(tx store.Tx, s *ecs.Service, tags bool) shape.Service {
	out := ecs.RenderService(tables.ViewService(tx, a.wings, s))
	if tags {
		out.Tags = orEmpty(s.Tags)
	}
	return out
}
