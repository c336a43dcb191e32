package control

import (
	"context"
	"iter"
	"slices"
	"time"

	"github.com/berth-ecs/berth/loop"
	"github.com/berth-ecs/berth/registry"
	"github.com/berth-ecs/berth/registry/lifecycle"
	"github.com/berth-ecs/berth/registry/tables"
	"github.com/berth-ecs/berth/store"
)

// lifecycles applies lifecycle policies. A key is a repository's.
type lifecycles struct {
	*Loops
	store store.Store
}

// longest is how long a policy is not looked at: the time of a pull may have changed what it says, and changes no image.
const longest = 12 * time.Hour

func (l lifecycles) config() loop.Config {
	return loop.Config{
		Name: "registry-lifecycle", Store: l.store, Dirty: l.dirty, All: l.all, Reconcile: l.reconcile,
		Tables:  []string{tables.Repositories.Name(), tables.Images.Name(), tables.Tags.Name()},
		Workers: 1, Debounce: time.Second, Resync: time.Hour,
	}
}

func (l lifecycles) all(tx store.Tx) iter.Seq[string] {
	return func(yield func(string) bool) {
		for key, r := range tables.Repositories.List(tx, "", "") {
			if r.Lifecycle != "" && !yield(key) {
				return
			}
		}
	}
}

func (l lifecycles) dirty(tx store.Tx, c store.Change) []string {
	if _, now, ok := tables.Repositories.Of(c); ok && now != nil && now.Lifecycle != "" {
		return []string{tables.RepositoryKey(now.Home, now.Name)}
	}
	if _, now, ok := tables.Images.Of(c); ok && now != nil {
		return l.of(tx, now.Home, now.Repository)
	}
	if _, now, ok := tables.Tags.Of(c); ok && now != nil {
		return l.of(tx, now.Home, now.Repository)
	}
	return nil
}

func (l lifecycles) of(tx store.Tx, h registry.Home, id string) []string {
	for key, r := range tables.RepositoriesByID.List(tx, tables.Holds(h, id), "") {
		if r.Lifecycle != "" {
			return []string{key}
		}
	}
	return nil
}

func (l lifecycles) reconcile(ctx context.Context, key string) (loop.Result, error) {
	var r *registry.Repository
	var expired []lifecycle.Expired
	var wait time.Duration
	err := l.store.View(ctx, store.Fresh, func(tx store.Tx) error {
		var ok bool
		if r, ok = tables.Repositories.Peek(tx, key); !ok || r.Lifecycle == "" {
			r = nil
			return nil
		}
		policy, err := lifecycle.Parse(r.Lifecycle)
		if err != nil {
			return err
		}
		images := tables.Aged(tx, r)
		expired, wait = policy.Evaluate(images, tx.Now()), longest
		if next := policy.Next(images, tx.Now()); !next.IsZero() {
			wait = min(wait, next.Sub(tx.Now())+time.Second)
		}
		return nil
	})
	if err != nil || r == nil {
		return loop.Result{}, err
	}
	for _, e := range expired {
		if err := l.expire(ctx, r, e); err != nil {
			return loop.Result{}, err
		}
	}
	return loop.Result{After: wait}, l.store.Update(ctx, func(tx store.Tx) error {
		if now, ok := tables.Repositories.Get(tx, key); ok && now.ID == r.ID {
			tables.Expiries.Put(tx, &registry.Expiry{Home: r.Home, Repository: r.ID, At: tx.Now()})
		}
		return nil
	})
}

// expire deletes an image that still is as it was decided on. What has changed marks the repository again.
func (l lifecycles) expire(ctx context.Context, r *registry.Repository, e lifecycle.Expired) error {
	for done, gone := false, false; !done; {
		err := l.store.Update(ctx, func(tx store.Tx) error {
			done, gone = true, false
			now, ok := tables.Repositories.Get(tx, tables.RepositoryKey(r.Home, r.Name))
			i, there := tables.Images.Get(tx, tables.ContentKey(r.Home, r.ID, e.Digest))
			if !ok || !there || now.ID != r.ID || now.Lifecycle != r.Lifecycle || tables.Parents(tx, i) > 0 ||
				!slices.Equal(tables.TagsOf(tx, i), e.Tags) {
				return nil
			}
			done = tables.DeleteImage(tx, i)
			gone = done
			return nil
		})
		if err != nil {
			return err
		}
		if gone {
			l.removed.WithLabelValues("image").Inc()
			l.Log.Info("a lifecycle policy expired an image", "repository", r.ARN(), "digest", e.Digest, "tags", e.Tags, "rule", e.Priority)
		}
	}
	return nil
}
