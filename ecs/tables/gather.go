package tables

import (
	"slices"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/store"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// shownEvents is how many events a service's answer holds: the newest.
const shownEvents = 100

// CountCluster counts what lives in a cluster.
func CountCluster(tx store.Tx, k *ecs.Cluster) ecs.ClusterCounts {
	var n ecs.ClusterCounts
	for _, i := range InstanceStates.List(tx, At(k.Home).Prefix(k.Name), "") {
		if i.Status != ecs.InstanceInactive {
			n.Instances++
		}
	}
	for _, s := range Services.List(tx, At(k.Home).Prefix(k.Name), "") {
		countService(&n, ServiceRecords(tx, s))
	}
	key := ClusterKey(k.Home, k.Name)
	for task, d := range DesiredByCluster.List(tx, Is(key, ecs.TaskRunning), "") {
		t, known := Tasks.Peek(tx, task)
		if s, ok := TaskStatuses.Peek(tx, task); ok && known {
			countTask(&n, ecs.TaskView{Task: t, Desired: d, Status: s})
		}
	}
	return n
}

func countService(n *ecs.ClusterCounts, v ecs.ServiceView) {
	aim := v.Aim()
	active, draining := &n.ActiveEC2, &n.DrainingEC2
	switch {
	case aim.OnFargate():
		active, draining = &n.ActiveFargate, &n.DrainingFargate
	case aim.LaunchType == shape.LaunchTypeExternal:
		active, draining = &n.ActiveExternal, &n.DrainingExternal
	}
	switch v.ShownStatus() {
	case ecs.ServiceActive:
		*active++
	case ecs.ServiceDraining:
		*draining++
	}
}

func countTask(n *ecs.ClusterCounts, v ecs.TaskView) {
	running, pending := &n.RunningEC2, &n.PendingEC2
	switch v.LaunchType {
	case shape.LaunchTypeFargate:
		running, pending = &n.RunningFargate, &n.PendingFargate
	case shape.LaunchTypeExternal:
		running, pending = &n.RunningExternal, &n.PendingExternal
	}
	switch {
	case v.Running():
		*running++
	case v.Pending():
		*pending++
	}
}

// ServiceRecords are a service and its status, without counts and events.
func ServiceRecords(tx store.Tx, s *ecs.Service) ecs.ServiceView {
	v := ecs.ServiceView{Service: s}
	if status, ok := ServiceStatuses.Peek(tx, MemberKey(s.Home, s.Cluster, s.Name)); ok {
		v.Status = status
	}
	return v
}

// ViewService gathers a service with its counts and newest events.
func ViewService(tx store.Tx, n Network, s *ecs.Service) ecs.ServiceView {
	v := ServiceRecords(tx, Counted(tx, n, s))
	v.Counts = deploymentCounts(tx, s)
	v.Events = newestEvents(tx, s)
	for _, d := range History(tx, s, "") {
		v.Current = d.ServiceDeployment
		break
	}
	return v
}

func deploymentCounts(tx store.Tx, s *ecs.Service) map[string]ecs.DeploymentCounts {
	counts := map[string]ecs.DeploymentCounts{}
	key := MemberKey(s.Home, s.Cluster, s.Name)
	for task := range DesiredByService.List(tx, Is(key, ecs.TaskRunning), "") {
		v, ok := PeekTask(tx, task)
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
	for _, e := range ServiceEvents.List(tx, At(s.Home).Prefix(s.Cluster, s.Name), "") {
		if e.Incarnation == s.Incarnation {
			events = append(events, e)
		}
	}
	slices.Reverse(events)
	return events[:min(len(events), shownEvents)]
}

// ViewInstance gathers a container instance with its counts.
func ViewInstance(tx store.Tx, i *ecs.Instance) ecs.InstanceView {
	key := MemberKey(i.Home, i.Cluster, i.ID)
	v := ecs.InstanceView{Instance: i, State: &ecs.InstanceState{Status: ecs.InstanceInactive}}
	if s, ok := InstanceStates.Peek(tx, key); ok {
		v.State = s
	}
	if l, ok := Ledgers.Peek(tx, LedgerKey(i.Region, i.Node)); ok {
		v.Ledger = l
	}
	v.Running = int32(DesiredByInstance.Count(tx, Is(key, ecs.TaskRunning)))
	for t := range TasksOfInstance(tx, key, Live) {
		if t.Pending() {
			v.Pending++
		}
	}
	return v
}
