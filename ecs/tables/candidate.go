package tables

import (
	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/launch"
	"github.com/berth-ecs/berth/ecs/place"
	"github.com/berth-ecs/berth/ecs/rollout"
	"github.com/berth-ecs/berth/store"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// DesiredByGroup: Is(ClusterKey + "/" + task group, desired status).
var DesiredByGroup = store.NewIndex(TaskDesireds, "group", func(t *ecs.TaskDesired) []string {
	return []string{Is(ClusterKey(t.Home, t.Cluster)+"/"+t.Group, t.Status)}
})

// BlockedServices: ClusterKey; only services that have tasks without a place.
var BlockedServices = store.NewIndex(ServiceStatuses, "blocked", func(s *ecs.ServiceStatus) []string {
	if !rollout.Blocked(s) {
		return nil
	}
	return []string{ClusterKey(s.Home, s.Cluster)}
})

// Candidates are the container instances of a cluster as placement sees them, without peers. Nothing is compared.
func Candidates(tx store.Tx, h ecs.Home, cluster string) []place.Instance {
	var out []place.Instance
	for _, i := range Instances.List(tx, At(h).Prefix(cluster), "") {
		out = append(out, Candidate(tx, i))
	}
	return out
}

func candidatesFor(tx store.Tx, s launch.Spec) []place.Instance {
	peers := map[string]int{}
	for _, d := range DesiredByGroup.List(tx, Is(ClusterKey(s.Home, s.Cluster)+"/"+s.GroupName(), shape.DesiredStatusRunning), "") {
		peers[d.Instance]++
	}
	out := Candidates(tx, s.Home, s.Cluster)
	for i := range out {
		out[i].Peers = peers[out[i].ID]
	}
	return out
}

// Candidate is one container instance as placement sees it. Without a state or a ledger it is not connected.
func Candidate(tx store.Tx, i *ecs.Instance) place.Instance {
	key := MemberKey(i.Home, i.Cluster, i.ID)
	c := place.Instance{
		ID: i.ID, Node: i.Node, LaunchType: i.LaunchType, EC2InstanceID: i.EC2InstanceID,
		RegisteredAt: i.RegisteredAt, Attributes: i.Attributes,
		Running: DesiredByInstance.Count(tx, Is(key, shape.DesiredStatusRunning)),
	}
	if s, ok := InstanceStates.Peek(tx, key); ok {
		c.Status, c.Connected, c.AgentVersion = s.Status, s.Connected, s.Agent
	}
	l, ok := Ledgers.Peek(tx, LedgerKey(i.Region, i.Node))
	if !ok {
		c.Connected = false
		return c
	}
	c.Total, c.Used = l.Total, l.Used
	return c
}
