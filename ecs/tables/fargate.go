package tables

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/launch"
	"github.com/berth-ecs/berth/ecs/place"
	"github.com/berth-ecs/berth/ecs/rollout"
	"github.com/berth-ecs/berth/store"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// FargateHosts: At(home).Prefix(). The container instances whose nodes offer their capacity to FARGATE.
var FargateHosts = store.NewIndex(Instances, "fargate", func(i *ecs.Instance) []string {
	if v, _ := place.AttributeOf(i.Attributes, place.Fargate); v != place.FargateOn {
		return nil
	}
	return []string{At(i.Home).Prefix()}
})

// BlockedOnFargate: At(home).Prefix(). The services that have tasks without a place on FARGATE: any node may have it.
var BlockedOnFargate = store.NewIndex(ServiceStatuses, "blocked.fargate", func(s *ecs.ServiceStatus) []string {
	on := func(d ecs.DeploymentStatus) bool { return d.OnFargate() }
	if !rollout.Blocked(s) || !slices.ContainsFunc(s.Deployments, on) {
		return nil
	}
	return []string{At(s.Home).Prefix()}
})

// interruptedByHost: HostKey; only tasks that were interrupted.
var interruptedByHost = store.NewIndex(TaskDesireds, "interrupted", func(t *ecs.TaskDesired) []string {
	if t.StopCode != shape.TaskStopCodeSpotInterruption {
		return nil
	}
	return []string{HostKey(t.Home, t.RunsOn())}
})

// SpotRest is how long a node takes no Spot tasks after it interrupted one: what it was interrupted for comes first.
const SpotRest = 2 * time.Minute

// rests says whether the node of an instance (by MemberKey) takes no Spot tasks just now.
func rests(tx store.Tx, instance string) bool {
	for task := range interruptedByHost.List(tx, instance, "") {
		if s, ok := TaskStatuses.Peek(tx, task); ok && (s.LastStatus != ecs.TaskStopped || tx.Now().Sub(s.StoppedAt).Abs() < SpotRest) {
			return true
		}
	}
	return false
}

// hostsFor are the nodes that offer FARGATE as placement sees them, each once, by the container instance that their agent is. Nothing is
// compared.
func hostsFor(tx store.Tx, s launch.Spec) []place.Instance {
	byNode := map[string]place.Instance{}
	for key, i := range FargateHosts.List(tx, At(s.Home).Prefix(), "") {
		if !takesRoom(s) && rests(tx, key) {
			continue
		}
		c := Candidate(tx, i)
		c.LaunchType, c.BesideMiB = shape.LaunchTypeFargate, besideMiB(s, i)
		c.Peers = DesiredByPeers.Count(tx, peers(key, hosted(s.Cluster, s.GroupName()), shape.DesiredStatusRunning))
		if old, ok := byNode[c.Node]; !ok || better(c, old) {
			byNode[c.Node] = c
		}
	}
	var out []place.Instance
	for _, c := range byNode {
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b place.Instance) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// besideMiB is the memory that a task on FARGATE takes on a node beside its own: that of its sandbox.
func besideMiB(s launch.Spec, i *ecs.Instance) int64 {
	if v, _ := place.AttributeOf(i.Attributes, place.FargateRuntime); !s.Fargate() || s.Guise != nil || v != place.FargateBoxed {
		return 0
	}
	return ecs.SandboxMiB(len(s.Definition.Document.ContainerDefinitions))
}

// better says which of two container instances of one node its agent is: the one that is connected, or was last.
func better(a, b place.Instance) bool {
	if a.Connected != b.Connected {
		return a.Connected
	}
	return cmp.Or(a.RegisteredAt.Compare(b.RegisteredAt), strings.Compare(a.ID, b.ID)) > 0
}

// keyOf is the key of a chosen container instance: of the cluster, or of whichever the host of FARGATE is in.
func (b *booking) keyOf(instance string) string {
	if !b.spec.Fargate() {
		return MemberKey(b.spec.Home, b.spec.Cluster, instance)
	}
	for key, i := range FargateHosts.List(b.tx, At(b.spec.Home).Prefix(), "") {
		if i.ID == instance {
			return key
		}
	}
	return ""
}

// shortage is what a task without a place on FARGATE is answered: no instance is named. The detail is for people.
func shortage(r *place.Refusal) launch.Failure {
	switch {
	case r.NoInstance():
		return launch.Failure{Reason: ecs.NoCapacity, Detail: "No node offers its capacity to FARGATE."}
	case r.Reason == place.Attribute && !strings.HasPrefix(r.Detail, place.Fargate) && !strings.HasPrefix(r.Detail, place.Architecture):
		return launch.Failure{Reason: string(r.Reason), Detail: r.Detail}
	}
	return launch.Failure{Reason: ecs.NoCapacity, Detail: r.Detail}
}

// Shortage is the sentence of a service whose tasks have no place on FARGATE, without who says it.
func Shortage(r *place.Refusal) string {
	f := shortage(r)
	if f.Reason == ecs.NoCapacity {
		return f.Reason + "."
	}
	return f.Reason + ": " + f.Detail + "."
}

// takesRoom says whether tasks interrupt Spot tasks for the room they need.
func takesRoom(s launch.Spec) bool {
	return s.Fargate() && s.CapacityProvider != shape.CapacityProviderTypeFargateSpot
}

// Interrupting a task writes its desired state, its tags, an event of its service, and what makes it found.
const (
	interruptWrites = 3 + DropWrites
	interruptsMost  = 10
)

// interrupt asks as many Spot tasks to end as it takes until the missing tasks have room, on the nodes that must give up fewest, and answers
// them. What ends anyway counts as room that comes, so that one that waits does not interrupt more each time it looks. Where even all of
// them would not make room, none is interrupted.
func (b *booking) interrupt(req place.Request, candidates []place.Instance, missing, placed int) []string {
	req.Zones = ecs.Zones(b.subnets) // without the addresses that were taken
	_, each := Bounds(b.spec.Definition)
	left := min(interruptsMost*interruptWrites, store.MaxWrites/2+store.MaxWrites/4-placed*each)
	var out []string
	rooms := roomsOf(b.tx, b.spec.Home, req, candidates)
	for range missing {
		i := slices.IndexFunc(rooms, func(r *room) bool { return r.fits(req) })
		if i < 0 {
			i = fewest(rooms, req)
		}
		if i < 0 {
			return out
		}
		for _, key := range rooms[i].makeRoom(req) {
			if left -= b.interruptCost(key); left < 0 {
				return out
			}
			b.interruptTask(key)
			out = append(out, key)
		}
		rooms[i].take(req)
	}
	return out
}

// interruptCost is how many keys interrupting a task (by MemberKey) writes at most.
func (b *booking) interruptCost(key string) int {
	t, ok := Tasks.Peek(b.tx, key)
	if !ok {
		return interruptWrites
	}
	return interruptWrites + BalanceWrites(len(t.Balancers))
}

// interruptTask asks a Spot task to end, and says so where its service is described.
func (b *booking) interruptTask(key string) {
	v, _ := StopTask(b.tx, b.wings, key, shape.TaskStopCodeSpotInterruption, ecs.ReasonSpot)
	said := teller{tx: b.tx, v: v, n: time.Millisecond / 2} // after what is said of its targets
	said.write(rollout.Interrupted(v.Service, v.ID))
}

// amount is room of a node.
type amount struct{ cpu, memory, storage int64 }

func (a amount) less(n ecs.Amounts) amount {
	return amount{a.cpu - n.CPU, a.memory - n.MemoryMiB, a.storage - n.StorageGiB}
}

func (a amount) plus(n ecs.Amounts) amount {
	return amount{a.cpu + n.CPU, a.memory + n.MemoryMiB, a.storage + n.StorageGiB}
}

// room is what a node has left once what ends has ended, and the Spot tasks that could end, in the order in which they would.
type room struct {
	free   amount
	beside int64 // MiB that each such task takes beside its own
	spot   []*ecs.Task
}

func (r *room) fits(q place.Request) bool {
	return r.free.cpu >= q.Needs.CPU && r.free.memory >= q.Needs.MemoryMiB+r.beside && r.free.storage >= q.Needs.StorageGiB
}

func (r *room) take(q place.Request) {
	r.free = r.free.less(q.Needs)
	r.free.memory -= r.beside
}

// victims are how many of its Spot tasks must end for one task more; -1 when all are too few.
func (r *room) victims(q place.Request) int {
	would := *r
	for n := 0; ; n++ {
		if would.fits(q) {
			return n
		}
		if n == len(r.spot) {
			return -1
		}
		would.free = would.free.plus(r.spot[n].Holds)
	}
}

// makeRoom takes the tasks out that must end, and answers their keys.
func (r *room) makeRoom(q place.Request) []string {
	var out []string
	for range max(0, r.victims(q)) {
		t := r.spot[0]
		out = append(out, MemberKey(t.Home, t.Cluster, t.ID))
		r.free, r.spot = r.free.plus(t.Holds), r.spot[1:]
	}
	return out
}

// fewest is the index of the room with the fewest victims; -1 when no room has enough.
func fewest(rooms []*room, q place.Request) int {
	best, least := -1, 0
	for i, r := range rooms {
		if n := r.victims(q); n >= 0 && (best < 0 || n < least) {
			best, least = i, n
		}
	}
	return best
}

// roomsOf are the rooms of the nodes that lack nothing for the tasks but room.
func roomsOf(tx store.Tx, h ecs.Home, q place.Request, candidates []place.Instance) []*room {
	var out []*room
	for _, c := range candidates {
		zone, _ := place.AttributeOf(c.Attributes, place.Zone)
		if !place.Eligible(q, c, true) || !c.Connected || q.Zones[zone] <= 0 {
			continue
		}
		l, ok := Ledgers.Peek(tx, LedgerKey(h.Region, c.Node)) // as this transaction has left it
		if !ok {
			continue
		}
		r := &room{beside: c.BesideMiB, free: amount{l.Total.CPU, l.Total.MemoryMiB, l.Total.StorageGiB}.less(l.Used)}
		for key, i := range InstancesByNode.List(tx, LedgerKey(h.Region, c.Node), "") {
			if i.Home == h {
				r.gather(tx, key)
			}
		}
		slices.SortFunc(r.spot, func(a, b *ecs.Task) int { // the youngest has least to lose
			return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), strings.Compare(a.ID, b.ID))
		})
		out = append(out, r)
	}
	return out
}

// gather adds what the tasks of an agent give or could give.
func (r *room) gather(tx store.Tx, instance string) {
	for v := range TasksOfHost(tx, instance, Live) {
		switch {
		case v.Desired.Status == shape.DesiredStatusStopped:
			r.free = r.free.plus(v.Holds)
		case v.CapacityProvider == shape.CapacityProviderTypeFargateSpot:
			r.spot = append(r.spot, v.Task)
		}
	}
}
