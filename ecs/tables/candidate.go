package tables

import (
	"maps"
	"slices"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/launch"
	"github.com/berth-ecs/berth/ecs/place"
	"github.com/berth-ecs/berth/ecs/place/query"
	"github.com/berth-ecs/berth/ecs/rollout"
	"github.com/berth-ecs/berth/store"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// DesiredByPeers: Is(MemberKey of the instance + "/" + task group, desired status). Placement counts the tasks of a
// group on every instance; how many there are in the cluster must not matter.
var DesiredByPeers = store.NewIndex(TaskDesireds, "peers", func(t *ecs.TaskDesired) []string {
	group := t.Group
	if t.Instance == "" {
		group = hosted(t.Cluster, t.Group)
	}
	if key := HostKey(t.Home, t.RunsOn()); key != "" {
		return []string{peers(key, group, t.Status)}
	}
	return nil
})

// hosted is a task group of a cluster on FARGATE, where hosts have tasks of all clusters. No name of a group has a zero byte.
func hosted(cluster, group string) string { return "\x00" + cluster + "\x00" + group }

func peers(instance, group, status string) string { return Is(instance+"/"+group, status) }

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

// candidatesFor are the candidates with peers and, when one of the expressions asks for them, with task groups.
func candidatesFor(tx store.Tx, s launch.Spec, asked ...*query.Expr) []place.Instance {
	if s.Fargate() {
		return hostsFor(tx, s)
	}
	out := Candidates(tx, s.Home, s.Cluster)
	if len(s.Among) > 0 {
		out = slices.DeleteFunc(out, func(c place.Instance) bool { return !slices.Contains(s.Among, c.ID) })
	}
	grouped := askGroups(asked)
	for i := range out {
		instance := MemberKey(s.Home, s.Cluster, out[i].ID)
		if grouped {
			out[i].Groups = taskGroups(tx, instance)
		}
		out[i].Peers = DesiredByPeers.Count(tx, peers(instance, s.GroupName(), shape.DesiredStatusRunning))
	}
	return out
}

// askGroups says whether one of the expressions asks for task groups.
func askGroups(expressions []*query.Expr) bool {
	return slices.ContainsFunc(expressions, func(e *query.Expr) bool { return e.Asks(query.TaskGroup) })
}

// taskGroups are the groups of the tasks that should run on an instance (by MemberKey).
func taskGroups(tx store.Tx, instance string) []string {
	set := map[string]bool{}
	for _, d := range DesiredByInstance.List(tx, Is(instance, shape.DesiredStatusRunning), "") {
		set[d.Group] = true
	}
	return slices.Sorted(maps.Keys(set))
}

// Satisfies says whether a container instance is one that an expression describes.
func Satisfies(tx store.Tx, i *ecs.Instance, e *query.Expr) bool {
	c := Candidate(tx, i)
	if e.Asks(query.TaskGroup) {
		c.Groups = taskGroups(tx, MemberKey(i.Home, i.Cluster, i.ID))
	}
	return e.Match(&c)
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
