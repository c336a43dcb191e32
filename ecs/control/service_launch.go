package control

import (
	"fmt"
	"slices"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/launch"
	"github.com/berth-ecs/berth/ecs/request"
	"github.com/berth-ecs/berth/ecs/rollout"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// launch starts what has a place; the rest waits for capacity.
func (s *step) launch(specs []launch.Spec) error {
	var refused *launch.Result
	for _, spec := range specs {
		r, err := s.try(spec)
		if err != nil {
			return s.refused(err)
		}
		if r.Refusal == nil {
			continue
		}
		if refused == nil {
			refused = &r
		}
		if spec.CapacityProvider == shape.CapacityProviderTypeFargateSpot {
			s.again = tables.SpotRest
		}
	}
	switch {
	case refused == nil:
		s.tell(rollout.Placed(s.status, nil, s.tx.Now()))
	case specs[0].Fargate():
		s.tell(rollout.Failed(s.status, string(refused.Refusal.Reason), tables.Shortage(refused.Refusal), s.tx.Now()))
	default:
		s.tell(rollout.Placed(s.status, refused.Refusal, s.tx.Now()))
	}
	return nil
}

// try starts tasks of one capacity provider, or of the launch type.
func (s *step) try(spec launch.Spec) (launch.Result, error) {
	r, err := tables.TryLaunch(s.tx, s.wings, spec)
	if err != nil {
		return r, err
	}
	if len(r.Tasks) > 0 {
		s.acted = true
		ids := make([]string, len(r.Tasks))
		for i, t := range r.Tasks {
			ids[i] = t.ID
		}
		s.tell(rollout.Started(s.svc.Name, ids))
	}
	s.acted = s.acted || len(r.Interrupted) > 0
	return r, nil
}

// portions divides a wish among the capacity providers of the deployment's strategy: what is not Spot first, which may interrupt it.
func portions(tx store.Tx, svc *ecs.Service, d ecs.Deployment, whole launch.Spec) []launch.Spec {
	if len(d.CapacityStrategy) == 0 {
		return []launch.Spec{whole}
	}
	have := map[string]int{}
	for v := range tables.TasksOfService(tx, tables.MemberKey(svc.Home, svc.Cluster, svc.Name), tables.Live) {
		if v.Deployment == d.ID && v.Desired.Status == shape.DesiredStatusRunning {
			have[v.CapacityProvider]++
		}
	}
	return launch.Split(whole, d.CapacityStrategy, have)
}

// specOf is the wish for tasks of one deployment of a service.
func specOf(tx store.Tx, svc *ecs.Service, start rollout.Start) (launch.Spec, error) {
	d := start.Deployment
	definition, err := definitionOf(tx, d.TaskDefinition)
	if err != nil {
		return launch.Spec{}, err
	}
	spec := launch.Spec{
		Home: svc.Home, Cluster: svc.Cluster, Definition: definition, Count: start.Count,
		Group: "service:" + svc.Name, StartedBy: d.ID, Service: svc.Name, Deployment: d.ID,
		LaunchType: d.LaunchType, PlatformVersion: d.PlatformVersion, Network: d.Network, Registries: d.Registries, Balancers: d.LoadBalancers, Constraints: svc.Constraints, Strategy: svc.Strategy,
		Tags: tagsOf(svc, definition), EnableExecuteCommand: svc.ExecuteCommand,
	}
	if d.OnFargate() {
		spec.LaunchType = shape.LaunchTypeFargate
	}
	if svc.Daemon() {
		spec.Among, spec.Constraints = start.Hosts, daemonConstraints(svc)
	}
	return spec, nil
}

// daemonConstraints are a DAEMON service's: its own, and one task on an instance.
func daemonConstraints(svc *ecs.Service) []shape.PlacementConstraint {
	one := shape.PlacementConstraint{Type: aws.Ptr(shape.PlacementConstraintTypeDistinctInstance)}
	return append(slices.Clone(svc.Constraints), one)
}

// definitionOf finds a task definition by its ARN.
func definitionOf(tx store.Tx, arn string) (*ecs.TaskDefinition, error) {
	if h, family, revision, ok := ecs.RevisionOf(arn); ok {
		if d, ok := tables.TaskDefinitions.Peek(tx, tables.RevisionKey(h, family, revision)); ok {
			return d, nil
		}
	}
	return nil, &aws.Error{Code: shape.CodeClientException, Message: fmt.Sprintf("The task definition %s does not exist.", arn)}
}

// tagsOf are the tags of a service's new task: ECS's own, then those that propagate.
func tagsOf(svc *ecs.Service, definition *ecs.TaskDefinition) []shape.Tag {
	var out []shape.Tag
	if svc.ManagedTags {
		out = request.ManagedTags(svc.Cluster, svc.Name)
	}
	switch svc.PropagateTags {
	case shape.PropagateTagsService:
		out = append(out, svc.Tags...)
	case shape.PropagateTagsTaskDefinition:
		out = append(out, definition.Tags...)
	}
	return out
}
