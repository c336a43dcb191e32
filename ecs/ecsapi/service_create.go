package ecsapi

import (
	"cmp"
	"context"
	"encoding/json"
	"time"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/request"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// CreateService makes a service; the service loop starts its tasks. A name that an
// ACTIVE service has answers that service when it is just as asked for.
func (a *API) CreateService(ctx context.Context, c wire.Call, in *shape.CreateServiceRequest) (*shape.CreateServiceResponse, error) {
	h := home(c)
	if err := request.CheckNewService(in); err != nil {
		return nil, err
	}
	r, err := request.ParseRevision(h, aws.Val(in.TaskDefinition))
	if err != nil {
		return nil, err
	}
	o, err := once(c, in.ClientToken, 36, in)
	if err != nil {
		return nil, err
	}
	var out shape.Service
	err = a.store.Update(ctx, func(tx store.Tx) error {
		made, same, done := o.Before(tx)
		if done && !same {
			return errNotIdempotent
		}
		if done {
			out, err = a.serviceAgain(tx, made)
			return err
		}
		k, err := activeCluster(tx, h, in.Cluster)
		if err != nil {
			return err
		}
		where, err := capacityOf(k, in.LaunchType, in.CapacityProviderStrategy)
		if err != nil {
			return err
		}
		if err := request.CheckFargateService(where.launchType, in.SchedulingStrategy, in.PlacementConstraints, in.PlacementStrategy); err != nil {
			return err
		}
		d, err := launchable(tx, h, r, where.launchType)
		if err != nil {
			return err
		}
		if err := request.CheckPlatform(where.launchType, in.PlatformVersion); err != nil {
			return err
		}
		network, err := a.networkOf(tx, d, in.NetworkConfiguration, where.launchType)
		if err != nil {
			return err
		}
		if err := tables.Registries(tx, a.wings.Discovery, d, in.ServiceRegistries); err != nil {
			return err
		}
		if err := balancers(tx, a.wings.Balancing, d, in.LoadBalancers); err != nil {
			return err
		}
		s := newService(tx, k, d, in)
		if s.RoleARN, err = request.ServiceRole(h, in.Role, in.LoadBalancers, &d.Document); err != nil {
			return err
		}
		s.CreatedBy = c.Principal
		s.Target.Network, s.Target.LaunchType, s.Target.CapacityStrategy = network, where.shown(), where.strategy
		platform(&s.Target, in.PlatformVersion)
		s, err = createOrFind(tx, s, d)
		if err != nil {
			return err
		}
		o.Remember(tx, s.ARN())
		out = a.describeService(tx, s, true)
		return nil
	})
	return &shape.CreateServiceResponse{Service: &out}, err
}

// platform gives a deployment on FARGATE its platform: the one that is asked for, else the one it had, else the latest.
func platform(d *ecs.Deployment, version *string) {
	if !d.OnFargate() {
		d.PlatformVersion, d.PlatformFamily = "", ""
		return
	}
	d.PlatformVersion = cmp.Or(aws.Val(version), d.PlatformVersion, ecs.PlatformLatest)
	d.PlatformFamily = ecs.PlatformFamily
}

// networkOf is the network configuration of a service, of which everything must exist.
func (a *API) networkOf(tx store.Tx, d *ecs.TaskDefinition, in *shape.NetworkConfiguration, launchType string) (*shape.NetworkConfiguration, error) {
	c, err := request.Network(&d.Document, in, launchType)
	if err != nil {
		return nil, err
	}
	_, err = tables.Subnets(tx, a.wings, d.Home, c)
	return c, err
}

// serviceAgain renders the service an earlier request made, as it is now.
func (a *API) serviceAgain(tx store.Tx, made []string) (shape.Service, error) {
	for _, arn := range made {
		if k, ok := ecs.ParseARN(arn); ok {
			if s, ok := tables.Services.Peek(tx, tables.MemberKey(k.Home, k.Parts[0], k.Parts[1])); ok {
				return a.describeService(tx, s, true), nil
			}
		}
	}
	return shape.Service{}, errServiceNotFound
}

// createOrFind writes a new service, or answers the one of its name when that is
// just the same.
func createOrFind(tx store.Tx, s *ecs.Service, d *ecs.TaskDefinition) (*ecs.Service, error) {
	old, ok := tables.Services.Get(tx, tables.MemberKey(s.Home, s.Cluster, s.Name))
	if ok {
		switch tables.ServiceRecords(tx, old).ShownStatus() {
		case ecs.ServiceDraining:
			return nil, errStillDraining
		case ecs.ServiceActive:
			if !sameWish(old, s) {
				return nil, errNotIdempotent
			}
			return old, nil
		}
	}
	tables.Services.Put(tx, s)
	tables.Deploy(tx, s, d, nil)
	return s, nil
}

// newService is the record of a request.
func newService(tx store.Tx, k *ecs.Cluster, d *ecs.TaskDefinition, in *shape.CreateServiceRequest) *ecs.Service {
	s := &ecs.Service{
		Home: k.Home, Cluster: k.Name, Name: aws.Val(in.ServiceName), Incarnation: tx.NewID(), CreatedAt: tx.Now(),
		DesiredCount:    aws.Val(in.DesiredCount),
		DesiredAt:       tx.Now(),
		Scheduling:      request.SchedulingOf(in.SchedulingStrategy),
		Controller:      in.DeploymentController,
		Configuration:   request.ConfigurationOf(in),
		Constraints:     in.PlacementConstraints,
		Strategy:        in.PlacementStrategy,
		GracePeriod:     in.HealthCheckGracePeriodSeconds,
		PropagateTags:   shape.PropagateTagsNone,
		ManagedTags:     aws.Val(in.EnableECSManagedTags),
		ZoneRebalancing: shape.AvailabilityZoneRebalancingDisabled,
		Tags:            in.Tags,
		Target: ecs.Deployment{ID: ecs.DeploymentID(tx.NewID()), CreatedAt: tx.Now(), TaskDefinition: d.ARN(),
			ServiceConnect: in.ServiceConnectConfiguration, Registries: in.ServiceRegistries, LoadBalancers: in.LoadBalancers},
	}
	if len(in.LoadBalancers) == 0 {
		s.Target.LoadBalancers = nil
	}
	if in.PropagateTags != nil {
		s.PropagateTags = *in.PropagateTags
	}
	return s
}

// sameWish says whether two services differ in nothing a client can ask for.
func sameWish(a, b *ecs.Service) bool { return wishOf(a) == wishOf(b) }

func wishOf(s *ecs.Service) string {
	w := *s
	w.Incarnation, w.CreatedAt, w.CreatedBy, w.DesiredAt = "", time.Time{}, "", time.Time{}
	w.Target.ID, w.Target.CreatedAt, w.Target.Forced = "", time.Time{}, false
	b, err := json.Marshal(w)
	if err != nil {
		return "" // records are plain data: never
	}
	return string(b)
}
