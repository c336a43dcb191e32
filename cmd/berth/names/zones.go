package names

import (
	"iter"

	"github.com/berth-ecs/berth/cloudmap/tables"
	"github.com/berth-ecs/berth/cloudmap/zone"
	"github.com/berth-ecs/berth/nodeconf"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc/feed"
)

// Zones are those of Cloud Map, as who tells nodes and resolvers of them asks for them. Each needs one of its own; the zero value is ready.
type Zones struct{ index *zone.Index }

var _ feed.Names = (*Zones)(nil)

// Tables implements feed.Names.
func (*Zones) Tables() []string {
	return []string{tables.Namespaces.Name(), tables.Services.Name(), tables.Instances.Name(), tables.Healths.Name()}
}

// Load implements feed.Names.
func (z *Zones) Load(tx store.Tx) nodeconf.Resources {
	z.index = zone.New()
	return z.index.Load(records(tx))
}

// Follow implements feed.Names.
func (z *Zones) Follow(changes []store.Change) nodeconf.Delta {
	out := make([]zone.Change, len(changes))
	for i, c := range changes {
		out[i] = zone.Change{Old: c.Old, New: c.New}
	}
	return z.index.Apply(out...)
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
