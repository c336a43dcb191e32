package control

import (
	"context"
	"iter"
	"maps"
	"slices"
	"time"

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

// registrar mends what service discovery holds of tasks. Whoever changes a task makes it known in the same transaction, so there is something to
// do only where that could not be: a registry came later, a client took a registration away, a machine has another address, or what this program
// forgot. A key is a task's ARN.
type registrar struct {
	store store.Store
	wings tables.Wings
	held  Registrations
}

// refusedAgain is when what a registry refused is tried again although nothing of it changed.
const refusedAgain = 10 * time.Second

func (r registrar) config() loop.Config {
	return loop.Config{
		Name: "registrar", Store: r.store, Dirty: r.dirty, All: r.all, Reconcile: r.reconcile,
		Tables: append([]string{tables.TaskDesireds.Name(), tables.TaskStatuses.Name(), tables.Instances.Name()}, r.held.Tables()...),
	}
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

func (r registrar) dirty(tx store.Tx, c store.Change) []string {
	if old, now, ok := tables.TaskDesireds.Of(c); ok {
		d := pick(old, now)
		return r.ofTask(tx, d.Home, d.Cluster, d.ID)
	}
	if old, now, ok := tables.TaskStatuses.Of(c); ok {
		s := pick(old, now)
		return r.ofTask(tx, s.Home, s.Cluster, s.ID)
	}
	if old, now, ok := tables.Instances.Of(c); ok {
		return r.moved(tx, old, now)
	}
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

// moved are the tasks of a container instance that is reached elsewhere than before.
func (r registrar) moved(tx store.Tx, old, now *ecs.Instance) (keys []string) {
	if old == nil || now == nil || tables.SamePlace(old, now) {
		return nil
	}
	for _, s := range tables.StatusByHost.List(tx, tables.Is(tables.MemberKey(now.Home, now.Cluster, now.ID), tables.Live), "") {
		keys = append(keys, r.ofTask(tx, s.Home, s.Cluster, s.ID)...)
	}
	return keys
}

// ofTask is a task that is found somewhere, or was.
func (r registrar) ofTask(tx store.Tx, h ecs.Home, cluster, id string) []string {
	if t, ok := tables.Tasks.Peek(tx, tables.MemberKey(h, cluster, id)); ok && len(t.Registries) == 0 {
		return nil
	}
	return []string{h.TaskARN(cluster, id)}
}

// reconcile looks first, which costs no transaction.
func (r registrar) reconcile(ctx context.Context, arn string) (loop.Result, error) {
	amiss := false
	look := func(tx store.Tx) error { amiss = tables.Amiss(tx, r.wings.Discovery, r.held, arn); return nil }
	if err := r.store.View(ctx, store.Any, look); err != nil || !amiss {
		return loop.Result{}, err
	}
	var refused error
	mend := func(tx store.Tx) error { refused = tables.Mend(tx, r.wings.Discovery, r.held, arn); return nil }
	if err := r.store.Update(ctx, mend); err != nil || refused == nil {
		return loop.Result{}, err
	}
	return loop.Result{After: refusedAgain}, nil
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
