package balancing

import (
	"strings"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/launch"
	"github.com/berth-ecs/berth/ecs/place"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/ecs/tables/hidden"
	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/elb/control/balancers"
	elbtables "github.com/berth-ecs/berth/elb/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
	vpctables "github.com/berth-ecs/berth/vpc/tables"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// Nodes are hidden tasks of the ECS wing as load balancers need them.
type Nodes struct{ Wings tables.Wings }

var (
	_ balancers.Tasks      = Nodes{}
	_ balancers.Interfaces = Nodes{}
	_ balancers.Machines   = Nodes{}
)

func ecsHome(h elb.Home) ecs.Home { return ecs.Home{Account: h.Account, Region: h.Region} }

// ownerPrefix begins who a load balancer's tasks work for; its ID follows.
const ownerPrefix = "elb/"

// Tables implements balancers.Tasks.
func (Nodes) Tables() []string {
	return []string{tables.TaskStatuses.Name(), tables.TaskDesireds.Name(), tables.InstanceStates.Name()}
}

// Touched implements balancers.Tasks.
func (Nodes) Touched(tx store.Tx, c store.Change) (h elb.Home, ids []string) {
	if old, now, ok := tables.TaskStatuses.Of(c); ok {
		if s := cmpOr(old, now); s.Cluster == launch.HiddenBalancers {
			return ownerOf(tx, s.Home, s.ID)
		}
	}
	if old, now, ok := tables.TaskDesireds.Of(c); ok {
		if d := cmpOr(old, now); d.Cluster == launch.HiddenBalancers {
			return ownerOf(tx, d.Home, d.ID)
		}
	}
	old, now, ok := tables.InstanceStates.Of(c)
	if !ok || old != nil && now != nil && old.Connected == now.Connected && old.Status == now.Status {
		return h, nil
	}
	i := cmpOr(old, now)
	if old == nil || now == nil { // the first or the last machine of a zone, perhaps
		h = elbHome(i.Home)
		for _, l := range elbtables.LoadBalancers.List(tx, elbtables.All(h), "") {
			ids = append(ids, l.ID)
		}
		return h, ids
	}
	for _, s := range tables.StatusByHost.List(tx, tables.Is(tables.MemberKey(i.Home, i.Cluster, i.ID), tables.Live), "") {
		if s.Cluster == launch.HiddenBalancers {
			_, more := ownerOf(tx, s.Home, s.ID)
			h, ids = elbHome(s.Home), append(ids, more...)
		}
	}
	return h, ids
}

// Machines implements balancers.Machines.
func (Nodes) Machines(tx store.Tx, h elb.Home) map[string]bool {
	zones := map[string]bool{}
	for _, i := range tables.FargateHosts.List(tx, tables.At(ecsHome(h)).Prefix(), "") {
		if zone, ok := place.AttributeOf(i.Attributes, place.Zone); ok {
			zones[zone] = true
		}
	}
	return zones
}

// Away implements balancers.Machines. A machine may be a container instance of several clusters: it is there while one of its agents is.
func (Nodes) Away(tx store.Tx, h elb.Home) (away, all int) {
	connected := map[string]bool{}
	for key, i := range tables.FargateHosts.List(tx, tables.At(ecsHome(h)).Prefix(), "") {
		if tables.Listened(tx, key) {
			connected[i.Node] = connected[i.Node] || tables.Connected(tx, key)
		}
	}
	for _, is := range connected {
		if !is {
			away++
		}
	}
	return away, len(connected)
}

// ownerOf is the load balancer of a task; a task that is forgotten has none.
func ownerOf(tx store.Tx, h ecs.Home, task string) (elb.Home, []string) {
	t, ok := tables.Tasks.Peek(tx, tables.MemberKey(h, launch.HiddenBalancers, task))
	if !ok {
		return elb.Home{}, nil
	}
	return elbHome(h), []string{strings.TrimPrefix(t.StartedBy, ownerPrefix)}
}

// Of implements balancers.Tasks.
func (Nodes) Of(tx store.Tx, at elb.Home, id string) (out []balancers.Task) {
	h := ecsHome(at)
	if id != "" {
		for _, v := range hidden.Tasks(tx, h, ownerPrefix+id) {
			out = append(out, nodesOf(tx, v)...)
		}
		return out
	}
	for key := range tables.StatusByCluster.List(tx, tables.Is(tables.ClusterKey(h, launch.HiddenBalancers), tables.Live), "") {
		if v, ok := tables.PeekTask(tx, key); ok {
			out = append(out, nodesOf(tx, v)...)
		}
	}
	return out
}

// nodesOf is a task as a node, if it is one.
func nodesOf(tx store.Tx, v ecs.TaskView) []balancers.Task {
	if v.Status.LastStatus == ecs.TaskStopped || v.Interface == nil {
		return nil
	}
	t := balancers.Task{
		ARN: v.ARN(), Owner: strings.TrimPrefix(v.StartedBy, ownerPrefix), Zone: v.Zone, Subnet: v.Interface.Subnet, Machine: v.Node,
		Interface: v.Interface.ID, Private: v.Interface.Private,
		Running: v.Status.LastStatus == ecs.TaskRunning, Stopping: v.Desired.Status == ecs.TaskStopped,
		Connected: tables.Connected(tx, tables.HostKey(v.Home, v.RunsOn())),
	}
	if i, ok := tables.InstanceStates.Peek(tx, tables.HostKey(v.Home, v.RunsOn())); ok {
		t.Draining = i.Status == ecs.InstanceDraining
	}
	if i, ok := vpctables.Interfaces.Peek(tx, vpctables.Key(vpc.Home{Account: v.Account, Region: v.Region}, v.Interface.ID)); ok {
		t.Public, t.Allocation, t.Groups = i.Private[0].Public, i.Private[0].Elastic, i.Groups
	}
	return []balancers.Task{t}
}

// Launch implements balancers.Tasks.
func (b Nodes) Launch(tx store.Tx, w balancers.Wish) (string, error) {
	l := w.LoadBalancer
	g := ecs.Guise{
		Requester: vpc.Balancers, Description: "ELB " + l.Path(), Type: "interface", Private: w.Zone.Private, Allocation: w.Zone.Allocation,
		Prefer: w.Prefer, Open: l.Type == elb.TypeNetwork && len(l.SecurityGroups) == 0,
	}
	if l.Type == elb.TypeNetwork {
		g.Type = vpc.NetworkBalancer
	}
	_, why, err := hidden.Launch(tx, b.Wings, hidden.Wish{
		Home: ecsHome(l.Home), Owner: ownerPrefix + l.ID, Group: ownerPrefix + l.ID + "/" + w.Zone.Name, Subnet: w.Zone.Subnet,
		SecurityGroups: l.SecurityGroups, Public: l.Scheme == "internet-facing", Guise: g,
	})
	if why == nil {
		return "", err
	}
	return strings.TrimSpace(strings.TrimSuffix(why.Reason, ".") + ". " + why.Detail), err
}

// End implements balancers.Tasks.
func (b Nodes) End(tx store.Tx, _ elb.Home, task string, gone bool, reason string) {
	a, ok := ecs.ParseARN(task)
	if !ok || len(a.Parts) != 2 {
		return
	}
	key := tables.MemberKey(a.Home, a.Parts[0], a.Parts[1])
	if gone {
		tables.AbandonTask(tx, b.Wings, key, shape.TaskStopCodeTerminationNotice, reason)
		return
	}
	tables.StopTask(tx, b.Wings, key, shape.TaskStopCodeServiceSchedulerInitiated, reason)
}

// SetGroups implements balancers.Interfaces.
func (Nodes) SetGroups(tx store.Tx, h elb.Home, id string, groups []string) error {
	i, err := vpctables.Interface(tx, vpc.Home{Account: h.Account, Region: h.Region}, id)
	if err != nil {
		return err
	}
	return vpctables.SetGroups(tx, i, groups)
}
