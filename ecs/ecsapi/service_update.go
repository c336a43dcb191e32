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

// UpdateService changes an ACTIVE service: what is absent stays, what is empty is
// cleared. AWS says parameter by parameter which start a new deployment; of those
// that are not refused it is a different task definition, or being told to.
func (a *API) UpdateService(ctx context.Context, c wire.Call, in *shape.UpdateServiceRequest) (*shape.UpdateServiceResponse, error) {
	if err := request.CheckServiceUpdate(in); err != nil {
		return nil, err
	}
	var out shape.Service
	err := a.store.Update(ctx, func(tx store.Tx) error {
		old, err := service(tx, home(c), in.Cluster, in.Service)
		if err != nil {
			return err
		}
		if tables.ServiceRecords(tx, old).ShownStatus() != ecs.ServiceActive {
			return errServiceNotActive
		}
		next := *old
		adjust(tx, &next, in)
		if err := request.CheckConfiguration(next.Configuration); err != nil {
			return err
		}
		if err := retarget(tx, &next, in); err != nil {
			return err
		}
		tables.Services.Put(tx, &next)
		out = describeService(tx, &next, true)
		return nil
	})
	return &shape.UpdateServiceResponse{Service: &out}, err
}

// adjust applies what changes nothing that runs.
func adjust(tx store.Tx, s *ecs.Service, in *shape.UpdateServiceRequest) {
	if in.DesiredCount != nil && *in.DesiredCount != s.DesiredCount {
		s.DesiredCount, s.DesiredAt = *in.DesiredCount, tx.Now()
	}
	if in.DeploymentConfiguration != nil {
		s.Configuration = request.Reconfigured(s.Configuration, *in.DeploymentConfiguration)
	}
	if in.DeploymentController != nil {
		s.Controller = in.DeploymentController
	}
	if in.PlacementConstraints != nil {
		s.Constraints = in.PlacementConstraints
	}
	if in.PlacementStrategy != nil {
		s.Strategy = in.PlacementStrategy
	}
	if in.EnableECSManagedTags != nil {
		s.ManagedTags = *in.EnableECSManagedTags
	}
	if in.PropagateTags != nil {
		s.PropagateTags = *in.PropagateTags
	}
	if in.HealthCheckGracePeriodSeconds != nil {
		s.GracePeriod = in.HealthCheckGracePeriodSeconds
	}
}

// retarget makes a new deployment when the change asks for one.
func retarget(tx store.Tx, s *ecs.Service, in *shape.UpdateServiceRequest) error {
	target := s.Target
	if ref := aws.Val(in.TaskDefinition); ref != "" {
		r, err := request.ParseRevision(s.Home, ref)
		if err != nil {
			return err
		}
		d, err := launchable(tx, s.Home, r, target.LaunchType)
		if err != nil {
			return err
		}
		target.TaskDefinition = d.ARN()
	}
	forced := aws.Val(in.ForceNewDeployment)
	if target.TaskDefinition == s.Target.TaskDefinition && !forced {
		return nil
	}
	target.ID, target.CreatedAt, target.Forced = ecs.DeploymentID(tx.NewID()), tx.Now(), forced
	s.Target = target
	return nil
}
