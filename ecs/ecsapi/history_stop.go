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

// StopServiceDeployment asks a service deployment that is not finished to go back (ROLLBACK, the default) or to stay where it is (ABORT).
// The service loop does it. One that is asked already goes on as it is.
func (a *API) StopServiceDeployment(ctx context.Context, c wire.Call, in *shape.StopServiceDeploymentRequest) (*shape.StopServiceDeploymentResponse, error) {
	key, err := historyKey(home(c), aws.Val(in.ServiceDeploymentArn), "service-deployment")
	if err != nil {
		return nil, err
	}
	how := aws.Val(in.StopType)
	switch how {
	case "":
		how = shape.StopServiceDeploymentStopTypeRollback
	case shape.StopServiceDeploymentStopTypeRollback, shape.StopServiceDeploymentStopTypeAbort:
	default:
		return nil, request.Invalid("Invalid stopType: '%s'. Valid values: ROLLBACK, ABORT", how)
	}
	err = a.store.Update(ctx, func(tx store.Tx) error {
		d, ok := tables.ServiceDeployments.Get(tx, key)
		if !ok {
			return errNoServiceDeployment
		}
		// Guarded, so that it does not finish at the same time.
		tables.ServiceDeploymentStatuses.Get(tx, key)
		v := tables.PeekServiceDeployment(tx, d)
		switch v.Shown() {
		case shape.ServiceDeploymentStatusPending, shape.ServiceDeploymentStatusInProgress:
		case shape.ServiceDeploymentStatusStopRequested, shape.ServiceDeploymentStatusRollbackRequested, shape.ServiceDeploymentStatusRollbackInProgress:
			return nil
		default:
			return newError(shape.CodeConflictException, "The service deployment cannot be stopped: its status is "+v.Shown()+".")
		}
		if how == shape.StopServiceDeploymentStopTypeRollback && !hasWayBack(tx, d) {
			return newError(shape.CodeConflictException,
				"The service deployment cannot be rolled back: no earlier deployment of the service was completed. Stop it with stopType ABORT.")
		}
		tables.ServiceDeploymentStops.Put(tx, &ecs.ServiceDeploymentStop{
			Home: d.Home, Cluster: d.Cluster, Service: d.Service, ID: d.ID, Type: how, At: tx.Now(),
		})
		return nil
	})
	return &shape.StopServiceDeploymentResponse{ServiceDeploymentArn: in.ServiceDeploymentArn}, err
}

// hasWayBack says whether an earlier deployment of the service was completed.
func hasWayBack(tx store.Tx, d *ecs.ServiceDeployment) bool {
	status, ok := tables.ServiceStatuses.Peek(tx, tables.MemberKey(d.Home, d.Cluster, d.Service))
	return ok && status.Incarnation == d.Incarnation && status.WayBack(d.Target) != nil
}
