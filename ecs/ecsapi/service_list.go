package ecsapi

import (
	"context"
	"iter"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// ListServices lists the ARNs of a cluster's ACTIVE services, 10 at a time unless
// told.
func (a *API) ListServices(ctx context.Context, c wire.Call, in *shape.ListServicesRequest) (*shape.ListServicesResponse, error) {
	most := in.MaxResults
	if most == nil {
		most = aws.Ptr(int32(10))
	}
	out := &shape.ListServicesResponse{}
	err := a.view(ctx, func(tx store.Tx) error {
		k, err := cluster(tx, home(c), in.Cluster)
		if err != nil {
			return err
		}
		p := page(c, slice{in.NextToken, most, 100}, k.Name, dereferenced(in.LaunchType, in.SchedulingStrategy, in.ResourceManagementType))
		out.ServiceArns, out.NextToken, err = paged(p, func(after string) iter.Seq2[string, string] {
			return arns(tables.Services.List(tx, tables.At(k.Home).Prefix(k.Name), after), func(_ string, s *ecs.Service) bool {
				return listable(tx, s, in)
			})
		})
		return err
	})
	return out, err
}

func listable(tx store.Tx, s *ecs.Service, in *shape.ListServicesRequest) bool {
	is := func(want *string, have string) bool { return aws.Val(want) == "" || *want == have }
	return tables.ServiceRecords(tx, s).ShownStatus() == ecs.ServiceActive &&
		is(in.LaunchType, s.Target.LaunchType) && is(in.SchedulingStrategy, s.Scheduling) &&
		is(in.ResourceManagementType, shape.ResourceManagementTypeCustomer)
}
