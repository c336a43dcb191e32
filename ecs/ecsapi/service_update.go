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

// UpdateService changes an ACTIVE service: what is absent stays, what is empty is
// cleared. AWS says parameter by parameter which start a new deployment; of those
// that are not refused it is a different task definition, or being told to.
func (a *API) UpdateService(ctx context.Context, c wire.Call, in *shape.UpdateServiceRequest) (*shape.UpdateServiceResponse, error) {
	if err := checkServiceUpdate(in); err != nil {
		return nil, err
	}
	var out shape.Service
	err := a.store.Update(ctx, func(tx store.Tx) error {
		old, err := service(tx, home(c), in.Cluster, in.Service)
		if err != nil {
			return err
		}
		if serviceRecords(tx, old).ShownStatus() != ecs.ServiceActive {
			return errServiceNotActive
		}
		next := *old
		adjust(tx, &next, in)
		if err := checkConfiguration(next.Configuration); err != nil {
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

func checkServiceUpdate(in *shape.UpdateServiceRequest) error {
	if err := checkCount(in.DesiredCount); err != nil {
		return err
	}
	if err := checkPropagation(in.PropagateTags); err != nil {
		return err
	}
	return checkPlacement(in.PlacementConstraints, in.PlacementStrategy)
}

// adjust applies what changes nothing that runs.
func adjust(tx store.Tx, s *ecs.Service, in *shape.UpdateServiceRequest) {
	if in.DesiredCount != nil && *in.DesiredCount != s.DesiredCount {
		s.DesiredCount, s.DesiredAt = *in.DesiredCount, tx.Now()
	}
	if in.DeploymentConfiguration != nil {
		s.Configuration = reconfigured(s.Configuration, *in.DeploymentConfiguration)
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

// reconfigured is a configuration with a change over it: an absent member stays, an
// empty object goes back to the default.
func reconfigured(old, change shape.DeploymentConfiguration) shape.DeploymentConfiguration {
	if change.MaximumPercent != nil {
		old.MaximumPercent = change.MaximumPercent
	}
	if change.MinimumHealthyPercent != nil {
		old.MinimumHealthyPercent = change.MinimumHealthyPercent
	}
	if change.Strategy != nil {
		old.Strategy = change.Strategy
	}
	if change.BakeTimeInMinutes != nil {
		old.BakeTimeInMinutes = change.BakeTimeInMinutes
	}
	if change.DeploymentCircuitBreaker != nil {
		old.DeploymentCircuitBreaker = change.DeploymentCircuitBreaker
	}
	if change.Alarms != nil {
		old.Alarms = change.Alarms
	}
	return withDefaults(&old)
}

// retarget makes a new deployment when the change asks for one.
func retarget(tx store.Tx, s *ecs.Service, in *shape.UpdateServiceRequest) error {
	target := s.Target
	if ref := aws.Val(in.TaskDefinition); ref != "" {
		r, err := parseRevision(s.Home, ref)
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
