package region

import (
	"iter"

	"github.com/berth-ecs/berth/cloudmap/tables"
	"github.com/berth-ecs/berth/cloudmap/zone"
	"github.com/berth-ecs/berth/nodeconf"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc/feed"
)

// names are the zones of Cloud Map, as those who tell nodes and resolvers of them ask for them. Each needs one of its own.
type names struct{ index *zone.Index }

var _ feed.Names = (*names)(nil)

// Tables implements feed.Names.
func (*names) Tables() []string {
	return []string{tables.Namespaces.Name(), tables.Services.Name(), tables.Instances.Name(), tables.Healths.Name()}
}

// Load implements feed.Names.
func (n *names) Load(tx store.Tx) nodeconf.Resources {
	n.index = zone.New()
	return n.index.Load(nameRecords(tx))
}

// Follow implements feed.Names.
func (n *names) Follow(changes []store.Change) nodeconf.Delta {
	out := make([]zone.Change, len(changes))
	for i, c := range changes {
		out[i] = zone.Change{Old: c.Old, New: c.New}
	}
	return n.index.Apply(out...)
}

func nameRecords(tx store.Tx) iter.Seq[any] {
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
