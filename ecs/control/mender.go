package control

import (
	"context"
	"iter"
	"time"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/loop"
	"github.com/berth-ecs/berth/store"
)

// mender mends what another wing holds of tasks. Whoever changes a task makes that agree in the same transaction, so there is something to do only
// where that could not be. A key is a task's ARN.
type mender struct {
	store  store.Store
	tables []string                                   // of the other wing
	all    func(tx store.Tx) iter.Seq[string]         // the tasks of which something should be held, and those of which something is
	has    func(*ecs.Task) bool                       // whether something may be held of a task
	beyond func(tx store.Tx, c store.Change) []string // the tasks that a change of the other wing's tables is about
	amiss  func(tx store.Tx, task string) bool        // whether there is something to mend
	mend   func(tx store.Tx, task string) (refused error)
}

// refusedAgain is when what was refused is tried again although nothing of it changed.
const refusedAgain = 10 * time.Second

func (m mender) config(name string) loop.Config {
	return loop.Config{
		Name: name, Store: m.store, Dirty: m.dirty, All: m.all, Reconcile: m.reconcile,
		Tables: append([]string{tables.TaskDesireds.Name(), tables.TaskStatuses.Name(), tables.Instances.Name()}, m.tables...),
	}
}

func (m mender) dirty(tx store.Tx, c store.Change) []string {
	if old, now, ok := tables.TaskDesireds.Of(c); ok {
		d := pick(old, now)
		return m.ofTask(tx, d.Home, d.Cluster, d.ID)
	}
	if old, now, ok := tables.TaskStatuses.Of(c); ok {
		s := pick(old, now)
		return m.ofTask(tx, s.Home, s.Cluster, s.ID)
	}
	if old, now, ok := tables.Instances.Of(c); ok {
		return m.moved(tx, old, now)
	}
	return m.beyond(tx, c)
}

// moved are the tasks of a container instance that is reached elsewhere than before, or is another EC2 instance.
func (m mender) moved(tx store.Tx, old, now *ecs.Instance) (keys []string) {
	if old == nil || now == nil || tables.SamePlace(old, now) {
		return nil
	}
	for _, s := range tables.StatusByHost.List(tx, tables.Is(tables.MemberKey(now.Home, now.Cluster, now.ID), tables.Live), "") {
		keys = append(keys, m.ofTask(tx, s.Home, s.Cluster, s.ID)...)
	}
	return keys
}

// ofTask is a task of which something is held, or was.
func (m mender) ofTask(tx store.Tx, h ecs.Home, cluster, id string) []string {
	if t, ok := tables.Tasks.Peek(tx, tables.MemberKey(h, cluster, id)); ok && !m.has(t) {
		return nil
	}
	return []string{h.TaskARN(cluster, id)}
}

// reconcile looks first, which costs no transaction.
func (m mender) reconcile(ctx context.Context, arn string) (loop.Result, error) {
	amiss := false
	look := func(tx store.Tx) error { amiss = m.amiss(tx, arn); return nil }
	if err := m.store.View(ctx, store.Any, look); err != nil || !amiss {
		return loop.Result{}, err
	}
	var refused error
	mend := func(tx store.Tx) error { refused = m.mend(tx, arn); return nil }
	if err := m.store.Update(ctx, mend); err != nil || refused == nil {
		return loop.Result{}, err
	}
	return loop.Result{After: refusedAgain}, nil
}
