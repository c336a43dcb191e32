package tables

import (
	"slices"
	"strings"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/launch"
	"github.com/berth-ecs/berth/ecs/place"
	"github.com/berth-ecs/berth/ecs/place/query"
	"github.com/berth-ecs/berth/store"
	aws "github.com/berth-ecs/berth/wire/shape"
)

// DaemonServices: ClusterKey; only DAEMON services that are not being deleted.
var DaemonServices = store.NewIndex(Services, "daemon", func(s *ecs.Service) []string {
	if !s.Daemon() || !s.DeletedAt.IsZero() {
		return nil
	}
	return []string{ClusterKey(s.Home, s.Cluster)}
})

// DaemonHosts are the IDs of the container instances that a DAEMON service has a task on, or should have, in order: the ACTIVE ones that meet its
// constraints, have the attributes that its target requires and are in a zone of its subnets. Where none does, all count that meet the
// constraints, so that the service says what is missing.
func DaemonHosts(tx store.Tx, n Network, s *ecs.Service, target ecs.Deployment) []string {
	h, family, revision, ok := ecs.RevisionOf(target.TaskDefinition)
	if !ok {
		return nil
	}
	d, ok := TaskDefinitions.Peek(tx, RevisionKey(h, family, revision))
	if !ok {
		return nil
	}
	req, err := launch.Request(launch.Spec{
		Home: s.Home, Cluster: s.Cluster, Definition: d, Count: 1, Group: "service:" + s.Name, Service: s.Name, LaunchType: target.LaunchType, Constraints: s.Constraints,
	}, 0)
	if err != nil {
		return nil
	}
	req.Distinct = false
	if subnets, err := Subnets(tx, n, s.Home, target.Network); err == nil && len(subnets) > 0 { // else the launch says what is missing
		req.Zones = ecs.Zones(subnets)
	}
	candidates := Candidates(tx, s.Home, s.Cluster)
	if askGroups(req.MemberOf) {
		// Its own tasks say nothing about where it belongs: what keeps groups apart would take away what it brought.
		own := func(group string) bool { return group == req.Group }
		for i := range candidates {
			candidates[i].Groups = slices.DeleteFunc(taskGroups(tx, MemberKey(s.Home, s.Cluster, candidates[i].ID)), own)
		}
	}
	for _, strict := range []bool{true, false} {
		var out []string
		for _, c := range candidates {
			if place.Eligible(req, c, strict) {
				out = append(out, c.ID)
			}
		}
		if len(out) > 0 {
			return out
		}
	}
	return nil
}

// MindsGroups says whether it depends on task groups where a service's tasks may run.
func MindsGroups(tx store.Tx, s *ecs.Service) bool {
	for _, c := range s.Constraints {
		if strings.Contains(aws.Val(c.Expression), query.TaskGroup) {
			return true
		}
	}
	h, family, revision, ok := ecs.RevisionOf(ServiceRecords(tx, s).Aim().TaskDefinition)
	if !ok {
		return false
	}
	if d, ok := TaskDefinitions.Peek(tx, RevisionKey(h, family, revision)); ok {
		for _, c := range d.Document.PlacementConstraints {
			if strings.Contains(aws.Val(c.Expression), query.TaskGroup) {
				return true
			}
		}
	}
	return false
}

// Counted is a service with the desired count that is answered: that of a DAEMON service is derived.
func Counted(tx store.Tx, n Network, s *ecs.Service) *ecs.Service {
	if !s.Daemon() || !s.DeletedAt.IsZero() {
		return s
	}
	counted := *s
	counted.DesiredCount = int32(len(DaemonHosts(tx, n, s, ServiceRecords(tx, s).Aim())))
	return &counted
}

// OnlyDaemons says whether no task but those of DAEMON services is left on a container instance (by MemberKey).
func OnlyDaemons(tx store.Tx, instance string) bool {
	for v := range TasksOfInstance(tx, instance, Live) {
		if v.Service == "" {
			return false
		}
		if s, ok := Services.Peek(tx, MemberKey(v.Home, v.Cluster, v.Service)); !ok || !s.Daemon() {
			return false
		}
	}
	return true
}
