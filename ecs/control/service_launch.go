package control

import (
	"fmt"
	"slices"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/launch"
	"github.com/berth-ecs/berth/ecs/rollout"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// launch starts what has a place; the rest waits for capacity.
func (s *step) launch(spec launch.Spec) error {
	r, err := tables.TryLaunch(s.tx, s.network, spec)
	if err != nil {
		return s.refused(err)
	}
	if len(r.Tasks) > 0 {
		s.acted = true
		ids := make([]string, len(r.Tasks))
		for i, t := range r.Tasks {
			ids[i] = t.ID
		}
		s.tell(rollout.Started(s.svc.Name, ids))
	}
	s.tell(rollout.Placed(s.status, r.Refusal, s.tx.Now()))
	return nil
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
		LaunchType: d.LaunchType, Network: d.Network, Constraints: svc.Constraints, Strategy: svc.Strategy,
		Tags: tagsOf(svc, definition), EnableExecuteCommand: svc.ExecuteCommand,
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
		out = append(out,
			shape.Tag{Key: aws.Ptr("aws:ecs:clusterName"), Value: aws.Ptr(svc.Cluster)},
			shape.Tag{Key: aws.Ptr("aws:ecs:serviceName"), Value: aws.Ptr(svc.Name)})
	}
	switch svc.PropagateTags {
	case shape.PropagateTagsService:
		out = append(out, svc.Tags...)
	case shape.PropagateTagsTaskDefinition:
		out = append(out, definition.Tags...)
	}
	return out
}
