package names

import (
	"iter"
	"maps"

	"github.com/berth-ecs/berth/cloudmap/tables"
	"github.com/berth-ecs/berth/cloudmap/zone"
	elbtables "github.com/berth-ecs/berth/elb/tables"
	elbzone "github.com/berth-ecs/berth/elb/zone"
	"github.com/berth-ecs/berth/nodeconf"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc/feed"
)

// Zones are those of Cloud Map and of load balancers, as who tells nodes and resolvers of them asks for them. Each needs one of its own; the zero value
// is ready.
type Zones struct {
	index     *zone.Index
	balancers *elbzone.Index
}

var _ feed.Names = (*Zones)(nil)

// Tables implements feed.Names.
func (*Zones) Tables() []string {
	return []string{tables.Namespaces.Name(), tables.Services.Name(), tables.Instances.Name(), tables.Healths.Name(),
		elbtables.LoadBalancers.Name(), elbtables.Statuses.Name()}
}

// Load implements feed.Names.
func (z *Zones) Load(tx store.Tx) nodeconf.Resources {
	z.index, z.balancers = zone.New(), elbzone.New()
	out, more := z.index.Load(records(tx)), z.balancers.Load(balancers(tx))
	maps.Copy(out.Zones, more.Zones)
	maps.Copy(out.Values, more.Values)
	return out
}

// Follow implements feed.Names.
func (z *Zones) Follow(changes []store.Change) nodeconf.Delta {
	var found []zone.Change
	var balanced []elbzone.Change
	for _, c := range changes {
		if c.Table == elbtables.LoadBalancers.Name() || c.Table == elbtables.Statuses.Name() {
			balanced = append(balanced, elbzone.Change{Old: c.Old, New: c.New})
			continue
		}
		found = append(found, zone.Change{Old: c.Old, New: c.New})
	}
	out := z.index.Apply(found...)
	if len(balanced) == 0 {
		return out
	}
	more := z.balancers.Apply(balanced...)
	maps.Copy(out.Set.Zones, more.Set.Zones)
	maps.Copy(out.Set.Values, more.Set.Values)
	out.Gone = append(out.Gone, more.Gone...)
	return out
}

func balancers(tx store.Tx) iter.Seq[any] {
	return func(yield func(any) bool) {
		_ = each(tx, elbtables.LoadBalancers, yield) && each(tx, elbtables.Statuses, yield)
	}
}

func records(tx store.Tx) iter.Seq[any] {
	return func(yield func(any) bool) {
		_ = each(tx, tables.Namespaces, yield) && each(tx, tables.Services, yield) && each(tx, tables.Instances, yield) && each(tx, tables.Healths, yield)
	}
}

func each[T any](tx store.Tx, t *store.Table[T], yield func(any) bool) bool {
	for _, rec := range t.List(tx, "", "") {
		if !yield(rec) {
			return false
		}
	}
	return true
}
