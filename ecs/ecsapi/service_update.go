package ecsapi

import (
	"context"
	"reflect"

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
// that are not refused it is a different task definition or network, or being told to.
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
		if old.Daemon() {
			if err := request.CheckDaemonUpdate(in); err != nil {
				return err
			}
		}
		next := *old
		adjust(tx, &next, in)
		if err := request.CheckConfiguration(next.Configuration); err != nil {
			return err
		}
		if err := a.retarget(tx, &next, in); err != nil {
			return err
		}
		tables.Services.Put(tx, &next)
		out = a.describeService(tx, &next, true)
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

// retarget makes a new deployment when the change asks for one. What it does not change it takes from the deployment that the service should
// become so far, which is another than was asked for after the service went back to it.
func (a *API) retarget(tx store.Tx, s *ecs.Service, in *shape.UpdateServiceRequest) error {
	key := tables.MemberKey(s.Home, s.Cluster, s.Name)
	status, _ := tables.ServiceStatuses.Peek(tx, key)
	aim := ecs.TargetOf(s, status)
	next, d, err := a.changed(tx, s, aim, in)
	if err != nil {
		return err
	}
	next.Forced = aws.Val(in.ForceNewDeployment)
	if unforced := next; !next.Forced {
		if unforced.Forced = aim.Forced; reflect.DeepEqual(unforced, aim) {
			return nil
		}
	}
	tables.ServiceStatuses.Get(tx, key) // guarded: the service must not go back from here at the same time
	next.ID, next.CreatedAt = ecs.DeploymentID(tx.NewID()), tx.Now()
	if in.LoadBalancers != nil { // from then on its role is the service-linked one
		if s.RoleARN, err = request.ServiceRole(s.Home, nil, next.LoadBalancers, &d.Document); err != nil {
			return err
		}
	}
	s.Target = next
	tables.Deploy(tx, s, d, sourcesOf(s, aim, status))
	return nil
}

// changed is a service's aim with what a change says of it, and the task definition it then has.
func (a *API) changed(tx store.Tx, s *ecs.Service, aim ecs.Deployment, in *shape.UpdateServiceRequest) (ecs.Deployment, *ecs.TaskDefinition, error) {
	where, err := relocated(tx, s, aim, in.CapacityProviderStrategy)
	if err != nil {
		return aim, nil, err
	}
	if err := request.CheckFargateService(where.launchType, &s.Scheduling, s.Constraints, s.Strategy); err != nil {
		return aim, nil, err
	}
	d, err := redefined(tx, s.Home, where.launchType, aim.TaskDefinition, in.TaskDefinition)
	if err != nil {
		return aim, nil, err
	}
	if err := request.CheckPlatform(where.launchType, in.PlatformVersion); err != nil {
		return aim, nil, err
	}
	next := aim
	next.LaunchType, next.CapacityStrategy, next.TaskDefinition = where.shown(), where.strategy, d.ARN()
	platform(&next, in.PlatformVersion)
	if next.Network, err = a.rewired(tx, d, aim, in.NetworkConfiguration, where.launchType); err != nil {
		return aim, nil, err
	}
	if next.Registries, err = a.registered(tx, d, aim, in); err != nil {
		return aim, nil, err
	}
	next.LoadBalancers, err = a.balanced(tx, d, aim, in)
	return next, d, err
}

// relocated is where a service's tasks are to run: by the strategy of a change, or as they do.
func relocated(tx store.Tx, s *ecs.Service, aim ecs.Deployment, strategy []shape.CapacityProviderStrategyItem) (capacity, error) {
	if len(strategy) == 0 {
		was := capacity{launchType: aim.LaunchType, strategy: aim.CapacityStrategy}
		if aim.OnFargate() {
			was.launchType = shape.LaunchTypeFargate
		}
		return was, nil
	}
	k, err := cluster(tx, s.Home, &s.Cluster)
	if err != nil {
		return capacity{}, err
	}
	return capacityOf(k, nil, strategy)
}

// rewired is the network configuration of a change: the one it names, or the one there is where the task definition still has a use for it.
func (a *API) rewired(tx store.Tx, d *ecs.TaskDefinition, aim ecs.Deployment, in *shape.NetworkConfiguration, launchType string) (*shape.NetworkConfiguration, error) {
	if in == nil && aim.Network != nil && ecs.HasInterface(&d.Document) {
		return aim.Network, nil
	}
	return a.networkOf(tx, d, in, launchType)
}

// registered are the service registries of a change: those it names, none where it names an empty list, or those there are. These must still suit
// the task definition, where that is another.
func (a *API) registered(tx store.Tx, d *ecs.TaskDefinition, aim ecs.Deployment, in *shape.UpdateServiceRequest) ([]shape.ServiceRegistry, error) {
	rs := aim.Registries
	switch {
	case in.ServiceRegistries == nil && d.ARN() == aim.TaskDefinition, len(in.ServiceRegistries) == 0 && len(rs) == 0: // also none as before, however that is written
		return rs, nil
	case in.ServiceRegistries != nil && len(in.ServiceRegistries) == 0:
		return nil, nil
	case in.ServiceRegistries != nil:
		rs = in.ServiceRegistries
	}
	return rs, tables.Registries(tx, a.wings.Discovery, d, rs)
}

// balanced are the load balancers of a change, as registered.
func (a *API) balanced(tx store.Tx, d *ecs.TaskDefinition, aim ecs.Deployment, in *shape.UpdateServiceRequest) ([]shape.LoadBalancer, error) {
	lbs := aim.LoadBalancers
	switch {
	case in.LoadBalancers == nil && d.ARN() == aim.TaskDefinition, len(in.LoadBalancers) == 0 && len(lbs) == 0:
		return lbs, nil
	case in.LoadBalancers != nil && len(in.LoadBalancers) == 0:
		return nil, nil
	case in.LoadBalancers != nil:
		lbs = in.LoadBalancers
	}
	return lbs, balancers(tx, a.wings.Balancing, d, lbs)
}

// redefined finds the task definition of a change: the one it names, which new tasks may start from, or the one there is.
func redefined(tx store.Tx, h ecs.Home, launchType, was string, ref *string) (*ecs.TaskDefinition, error) {
	if aws.Val(ref) != "" {
		r, err := request.ParseRevision(h, *ref)
		if err != nil {
			return nil, err
		}
		return launchable(tx, h, r, launchType)
	}
	r, err := request.ParseRevision(h, was)
	if err != nil {
		return nil, err
	}
	d, ok := taskDefinition(tx, h, r)
	switch {
	case !ok:
		return nil, errTaskDefNotFound
	case !fit(d, launchType): // a strategy may have brought it another
		return nil, unfit(launchType)
	}
	return d, nil
}

// sourcesOf are the deployments that a new one replaces.
func sourcesOf(s *ecs.Service, aim ecs.Deployment, status *ecs.ServiceStatus) []string {
	if status == nil || status.Incarnation != s.Incarnation || len(status.Deployments) == 0 {
		return []string{aim.ID}
	}
	var out []string
	for _, d := range status.Deployments {
		out = append(out, d.ID)
	}
	return out
}
