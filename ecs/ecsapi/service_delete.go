package ecsapi

import (
	"context"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// DeleteService lets a service drain; the service loop makes it INACTIVE when its
// tasks have stopped. Without force the desired count of a REPLICA
// service must be 0.
func (a *API) DeleteService(ctx context.Context, c wire.Call, in *shape.DeleteServiceRequest) (*shape.DeleteServiceResponse, error) {
	var out shape.Service
	err := a.store.Update(ctx, func(tx store.Tx) error {
		s, err := service(tx, home(c), in.Cluster, in.Service)
		if err != nil {
			return err
		}
		switch tables.ServiceRecords(tx, s).ShownStatus() {
		case ecs.ServiceInactive:
			return errServiceNotFound
		case ecs.ServiceDraining:
			out = a.describeService(tx, s, true)
			return nil
		}
		if s.DesiredCount > 0 && !aws.Val(in.Force) {
			return errScaled
		}
		next := *s
		next.DeletedAt = tx.Now()
		if next.DesiredCount != 0 {
			next.DesiredCount, next.DesiredAt = 0, tx.Now()
		}
		tables.Services.Put(tx, &next)
		out = a.describeService(tx, &next, true)
		return nil
	})
	return &shape.DeleteServiceResponse{Service: &out}, err
}
