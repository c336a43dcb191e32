package control

import (
	"iter"
	"maps"
	"slices"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/loop"
	"github.com/berth-ecs/berth/store"
)

// Registrations is what the loops must know of service discovery beside tables.Discovery: what it holds for this wing.
type Registrations interface {
	tables.Held
	// Tables are the names of the tables by which it is seen that a registration or a registry changed.
	Tables() []string
	// Touched answers of a change of those tables whose registration it may have changed (ARN of a task, "" for nobody's), and which registry
	// (ARN) came, changed or went ("" for none).
	Touched(c store.Change) (task, registry string)
}

// registrar mends what service discovery holds of tasks: a registry came later, a client took a registration away, a machine has another address,
// or what this program forgot.
type registrar struct {
	store store.Store
	wings tables.Wings
	held  Registrations
}

func (r registrar) config() loop.Config {
	return mender{
		store: r.store, tables: r.held.Tables(), all: r.all, beyond: r.beyond,
		has:   func(t *ecs.Task) bool { return len(t.Registries) > 0 },
		amiss: func(tx store.Tx, arn string) bool { return tables.Amiss(tx, r.wings.Discovery, r.held, arn) },
		mend:  func(tx store.Tx, arn string) error { return tables.Mend(tx, r.wings.Discovery, r.held, arn) },
	}.config("registrar")
}

// all are the tasks that should be found, and those that are.
func (r registrar) all(tx store.Tx) iter.Seq[string] {
	keys := map[string]bool{}
	for _, t := range tables.RegisteringTasks.List(tx, "", "") {
		keys[t.ARN()] = true
	}
	for held := range r.held.Held(tx, "") {
		keys[held.Task] = true
	}
	return maps.Keys(keys)
}

// beyond are the tasks that a change in service discovery is about.
func (r registrar) beyond(tx store.Tx, c store.Change) []string {
	task, registry := r.held.Touched(c)
	var keys []string
	if _, ok := ecs.ParseARN(task); ok {
		keys = append(keys, task)
	}
	if registry != "" {
		for _, t := range tables.TasksByRegistry.List(tx, registry, "") {
			keys = append(keys, t.ARN())
		}
	}
	return keys
}

// tables are those whose changes services follow.
func (s services) tables() []string {
	out := serviceTables()
	if s.held != nil {
		out = append(out, s.held.Tables()...)
	}
	if s.wings.Balancing != nil {
		out = append(out, s.wings.Watched()...)
	}
	return out
}

func (s services) dirty(tx store.Tx, c store.Change) []string {
	return slices.Concat(dirtyServices(tx, c), s.ofRegistry(tx, c), s.ofTargets(tx, c))
}

// ofRegistry are the services that have tasks in a registry that changed: they say whether these can be found.
func (s services) ofRegistry(tx store.Tx, c store.Change) []string {
	if s.held == nil {
		return nil
	}
	_, registry := s.held.Touched(c)
	if registry == "" {
		return nil
	}
	keys := map[string]bool{}
	for _, t := range tables.TasksByRegistry.List(tx, registry, "") {
		keys[tables.MemberKey(t.Home, t.Cluster, t.Service)] = true
	}
	return slices.Sorted(maps.Keys(keys))
}
