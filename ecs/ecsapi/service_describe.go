package ecsapi

import (
	"context"
	"slices"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// shownEvents is how many events an answer holds: the newest.
const shownEvents = 100

// DescribeServices answers services, also INACTIVE ones while they are kept.
func (a *API) DescribeServices(ctx context.Context, c wire.Call, in *shape.DescribeServicesRequest) (*shape.DescribeServicesResponse, error) {
	if n := len(in.Services); n == 0 || n > 10 {
		return nil, invalid("Services must have between 1 and 10 elements.")
	}
	out := &shape.DescribeServicesResponse{Services: []shape.Service{}, Failures: []shape.Failure{}}
	err := a.view(ctx, func(tx store.Tx) error {
		k, err := cluster(tx, home(c), in.Cluster)
		if err != nil {
			return err
		}
		for _, ref := range in.Services {
			name, err := memberID(k.Home, k.Name, "service", ref)
			if err != nil {
				return err
			}
			s, ok := tables.Services.Peek(tx, tables.MemberKey(k.Home, k.Name, name))
			if !ok {
				out.Failures = append(out.Failures, missing(k.ServiceARN(k.Name, name)))
				continue
			}
			out.Services = append(out.Services, describeService(tx, s, slices.Contains(in.Include, shape.ServiceFieldTags)))
		}
		return nil
	})
	return out, err
}

// service finds a service to change, and guards it.
func service(tx store.Tx, h ecs.Home, clusterRef, ref *string) (*ecs.Service, error) {
	k, err := cluster(tx, h, clusterRef)
	if err != nil {
		return nil, err
	}
	name, err := memberID(h, k.Name, "service", aws.Val(ref))
	if err != nil {
		return nil, err
	}
	s, ok := tables.Services.Get(tx, tables.MemberKey(h, k.Name, name))
	if !ok {
		return nil, errServiceNotFound
	}
	return s, nil
}

// serviceRecords are a service and its status, without counts and events.
func serviceRecords(tx store.Tx, s *ecs.Service) ecs.ServiceView {
	v := ecs.ServiceView{Service: s}
	if status, ok := tables.ServiceStatuses.Peek(tx, tables.MemberKey(s.Home, s.Cluster, s.Name)); ok {
		v.Status = status
	}
	return v
}

// describeService gathers and renders a service.
func describeService(tx store.Tx, s *ecs.Service, tags bool) shape.Service {
	v := serviceRecords(tx, s)
	v.Counts = deploymentCounts(tx, s)
	v.Events = newestEvents(tx, s)
	out := ecs.RenderService(v)
	if tags {
		out.Tags = orEmpty(s.Tags)
	}
	return out
}

func deploymentCounts(tx store.Tx, s *ecs.Service) map[string]ecs.DeploymentCounts {
	counts := map[string]ecs.DeploymentCounts{}
	key := tables.MemberKey(s.Home, s.Cluster, s.Name)
	for task := range tables.DesiredByService.List(tx, tables.Is(key, ecs.TaskRunning), "") {
		v, ok := tables.PeekTask(tx, task)
		if !ok {
			continue
		}
		n := counts[v.Deployment]
		n.Desired++
		switch {
		case v.Running():
			n.Running++
		case v.Pending():
			n.Pending++
		}
		counts[v.Deployment] = n
	}
	return counts
}

func newestEvents(tx store.Tx, s *ecs.Service) []*ecs.ServiceEvent {
	var events []*ecs.ServiceEvent
	for _, e := range tables.ServiceEvents.List(tx, tables.At(s.Home).Prefix(s.Cluster, s.Name), "") {
		if e.Incarnation == s.Incarnation {
			events = append(events, e)
		}
	}
	slices.Reverse(events)
	return events[:min(len(events), shownEvents)]
}
