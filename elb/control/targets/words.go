package targets

import (
	"context"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/elb/tables"
	"github.com/berth-ecs/berth/loop"
	"github.com/berth-ecs/berth/store"
)

// patience is how long a node that serves has to say itself that a target is gone: what it says of one that comes back meanwhile stays, since it may not
// have seen it go, and says only what changed.
const patience = 4 * time.Second

// words forgets what nodes said of targets. Keys are those of TargetHealth.
type words struct {
	store store.Store

	mu    sync.Mutex
	alone map[string]time.Time // since when there is no target for it, as this leader knows
}

func newWords(s store.Store) *words { return &words{store: s, alone: map[string]time.Time{}} }

func (w *words) config() loop.Config {
	return loop.Config{
		Name: "elb-words", Store: w.store, Dirty: w.dirty, Reconcile: w.reconcile,
		Tables: []string{tables.Targets.Name(), tables.TargetHealths.Name(), tables.Statuses.Name()},
		All: func(tx store.Tx) iter.Seq[string] {
			return func(yield func(string) bool) {
				for key := range tables.TargetHealths.List(tx, "", "") {
					if !yield(key) {
						return
					}
				}
			}
		},
	}
}

func (w *words) dirty(tx store.Tx, c store.Change) (keys []string) {
	if was, now, ok := tables.TargetHealths.Of(c); ok {
		if was == nil && now != nil {
			return []string{c.Key}
		}
		return nil
	}
	if was, now, ok := tables.Targets.Of(c); ok && now == nil {
		for key := range tables.TargetHealths.List(tx, tables.HealthsOf(was.Home, was.Group, was.TargetKey), "") {
			keys = append(keys, key)
		}
		return keys
	}
	if was, now, ok := tables.Statuses.Of(c); ok && was != nil {
		for key, h := range tables.HealthsByLoadBalancer.List(tx, tables.Key(was.Home, was.LoadBalancer), "") {
			if !has(now, h.Interface) {
				keys = append(keys, key)
			}
		}
	}
	return keys
}

// has says whether a load balancer has a node with an interface.
func has(s *elb.LoadBalancerStatus, iface string) bool {
	return s != nil && slices.ContainsFunc(s.Nodes, func(n elb.Node) bool { return n.Interface == iface })
}

// reconcile forgets what a node said when the node is gone, or the target has been for a while.
func (w *words) reconcile(ctx context.Context, key string) (r loop.Result, err error) {
	alone := false
	err = w.store.Update(ctx, func(tx store.Tx) error {
		r, alone = loop.Result{}, false
		h, ok := tables.TargetHealths.Get(tx, key)
		if !ok {
			return nil
		}
		if s, _ := tables.Statuses.Get(tx, tables.Key(h.Home, h.LoadBalancer)); !has(s, h.Interface) {
			tables.TargetHealths.Delete(tx, key)
			return nil
		}
		if _, there := tables.Targets.Get(tx, tables.TargetKey(h.Home, h.Group, h.TargetKey)); there {
			return nil
		}
		if r.After = w.waits(key, tx.Now()); r.After <= 0 {
			tables.TargetHealths.Delete(tx, key)
			return nil
		}
		alone = true
		return nil
	})
	if err == nil && !alone {
		w.mu.Lock()
		delete(w.alone, key)
		w.mu.Unlock()
	}
	return r, err
}

// waits is how long what has no target is still kept.
func (w *words) waits(key string, now time.Time) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	since, ok := w.alone[key]
	if !ok {
		since = now
		w.alone[key] = since
	}
	return patience - now.Sub(since)
}
