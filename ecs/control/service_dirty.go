package control

import (
	"maps"
	"slices"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

func serviceTables() []string {
	return []string{
		tables.Services.Name(), tables.TaskDesireds.Name(), tables.TaskStatuses.Name(),
		tables.Instances.Name(), tables.InstanceStates.Name(), tables.Ledgers.Name(), tables.ServiceDeploymentStops.Name(),
		tables.TaskProtections.Name(),
	}
}

// dirtyServices are the services that a change concerns: its own, and those that wait for what it may have given.
func dirtyServices(tx store.Tx, c store.Change) []string {
	if old, now, ok := tables.Services.Of(c); ok {
		if now != nil || old != nil {
			return []string{c.Key}
		}
	}
	if _, now, ok := tables.ServiceDeploymentStops.Of(c); ok && now != nil {
		return []string{tables.MemberKey(now.Home, now.Cluster, now.Service)}
	}
	if old, now, ok := tables.TaskDesireds.Of(c); ok {
		own := ofTask(pick(old, now), func(d *ecs.TaskDesired) (ecs.Home, string, string) { return d.Home, d.Cluster, d.Service })
		return append(own, ofGroup(tx, old, now)...)
	}
	if old, now, ok := tables.TaskProtections.Of(c); ok {
		return ofTask(pick(old, now), func(p *ecs.TaskProtection) (ecs.Home, string, string) { return p.Home, p.Cluster, p.Service })
	}
	if old, now, ok := tables.TaskStatuses.Of(c); ok && matters(old, now) {
		own := ofTask(pick(old, now), func(s *ecs.TaskStatus) (ecs.Home, string, string) { return s.Home, s.Cluster, s.Service })
		return append(own, leftBehind(tx, now)...)
	}
	if old, now, ok := tables.Instances.Of(c); ok {
		i := pick(old, now)
		return slices.Concat(waiting(tx, i.Home, i.Cluster), daemons(tx, i.Home, i.Cluster), waitingOnFargate(tx, i.Home))
	}
	if old, now, ok := tables.InstanceStates.Of(c); ok {
		return ofInstance(tx, old, now)
	}
	if old, now, ok := tables.Ledgers.Of(c); ok && gives(old, now) {
		return ofNode(tx, now)
	}
	return nil
}

// pick is the record after a change, or what it was.
func pick[T any](old, now *T) *T {
	if now != nil {
		return now
	}
	return old
}

func ofTask[T any](r *T, of func(*T) (ecs.Home, string, string)) []string {
	if r == nil {
		return nil
	}
	h, cluster, service := of(r)
	if service == "" {
		return nil
	}
	return []string{tables.MemberKey(h, cluster, service)}
}

// matters says whether a plan would see the difference.
func matters(old, now *ecs.TaskStatus) bool {
	return old == nil || now == nil || old.LastStatus != now.LastStatus || old.Health != now.Health || !old.StartedAt.Equal(now.StartedAt)
}

// ofInstance are the services with tasks on an instance, whose plans depend on its status, and those that wait for one.
func ofInstance(tx store.Tx, old, now *ecs.InstanceState) []string {
	if old != nil && now != nil && old.Status == now.Status && old.Connected == now.Connected && old.Agent == now.Agent {
		return nil
	}
	s := pick(old, now)
	keys := map[string]bool{}
	for _, d := range tables.DesiredByInstance.List(tx, tables.Is(tables.MemberKey(s.Home, s.Cluster, s.ID), shape.DesiredStatusRunning), "") {
		if d.Service != "" {
			keys[tables.MemberKey(d.Home, d.Cluster, d.Service)] = true
		}
	}
	return slices.Concat(slices.Sorted(maps.Keys(keys)), waiting(tx, s.Home, s.Cluster), daemons(tx, s.Home, s.Cluster), waitingOnFargate(tx, s.Home))
}

// daemons are the DAEMON services of a cluster: what they should be depends on its instances.
func daemons(tx store.Tx, h ecs.Home, cluster string) []string {
	var keys []string
	for key := range tables.DaemonServices.List(tx, tables.ClusterKey(h, cluster), "") {
		keys = append(keys, key)
	}
	return keys
}

// ofGroup are the services whose tasks may run elsewhere now that a task of a group has come or gone: DAEMON services, and those
// without a place.
func ofGroup(tx store.Tx, old, now *ecs.TaskDesired) []string {
	if old != nil && now != nil && old.Status == now.Status {
		return nil
	}
	d := pick(old, now)
	return slices.DeleteFunc(slices.Concat(waiting(tx, d.Home, d.Cluster), daemons(tx, d.Home, d.Cluster)), func(key string) bool {
		s, ok := tables.Services.Peek(tx, key)
		return !ok || !tables.MindsGroups(tx, s)
	})
}

// leftBehind are the DAEMON services that may leave a DRAINING instance now that another task has.
func leftBehind(tx store.Tx, s *ecs.TaskStatus) []string {
	if s == nil || s.LastStatus != ecs.TaskStopped || s.Instance == "" {
		return nil
	}
	state, ok := tables.InstanceStates.Peek(tx, tables.MemberKey(s.Home, s.Cluster, s.Instance))
	if !ok || state.Status != ecs.InstanceDraining {
		return nil
	}
	return daemons(tx, s.Home, s.Cluster)
}

// gives says whether a ledger has more to give than before.
func gives(old, now *ecs.Ledger) bool {
	switch {
	case now == nil:
		return false
	case old == nil:
		return true
	}
	return now.Total.CPU-now.Used.CPU > old.Total.CPU-old.Used.CPU ||
		now.Total.MemoryMiB-now.Used.MemoryMiB > old.Total.MemoryMiB-old.Used.MemoryMiB ||
		now.Total.StorageGiB-now.Used.StorageGiB > old.Total.StorageGiB-old.Used.StorageGiB ||
		now.Used.Tasks < old.Used.Tasks ||
		len(now.Used.TCP)+len(now.Total.TCP) < len(old.Used.TCP)+len(old.Total.TCP) ||
		len(now.Used.UDP)+len(now.Total.UDP) < len(old.Used.UDP)+len(old.Total.UDP)
}

// ofNode are the services that wait in the clusters a node belongs to.
func ofNode(tx store.Tx, l *ecs.Ledger) []string {
	var keys []string
	for _, i := range tables.InstancesByNode.List(tx, tables.LedgerKey(l.Region, l.Node), "") {
		keys = slices.Concat(keys, waiting(tx, i.Home, i.Cluster), waitingOnFargate(tx, i.Home))
	}
	return keys
}

// waitingOnFargate are the services of an account that have tasks without a place on FARGATE, whatever their cluster.
func waitingOnFargate(tx store.Tx, h ecs.Home) []string {
	var keys []string
	for key := range tables.BlockedOnFargate.List(tx, tables.At(h).Prefix(), "") {
		keys = append(keys, key)
	}
	return keys
}

// waiting are the services of a cluster that have tasks without a place.
func waiting(tx store.Tx, h ecs.Home, cluster string) []string {
	var keys []string
	for key := range tables.BlockedServices.List(tx, tables.ClusterKey(h, cluster), "") {
		keys = append(keys, key)
	}
	return keys
}
