package targets

import (
	"context"
	"iter"
	"slices"

	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/elb/tables"
	"github.com/berth-ecs/berth/loop"
	"github.com/berth-ecs/berth/store"
)

// draining deletes targets. Keys are theirs.
type draining struct {
	*Loops
	store store.Store
}

func (d draining) config() loop.Config {
	return loop.Config{
		Name: "elb-targets", Store: d.store, Dirty: d.dirty, Reconcile: d.reconcile,
		Tables: append([]string{
			tables.Targets.Name(), tables.TargetHealths.Name(), tables.TargetGroups.Name(), tables.Attributes.Name(),
			tables.Statuses.Name(), tables.Listeners.Name(), tables.Rules.Name(), tables.LoadBalancers.Name(),
		}, d.Owners.Tables()...),
		All: func(tx store.Tx) iter.Seq[string] {
			return func(yield func(string) bool) {
				for key := range tables.Targets.List(tx, "", "") {
					if !yield(key) {
						return
					}
				}
			}
		},
	}
}

// dirty are the targets that a change concerns.
func (d draining) dirty(tx store.Tx, c store.Change) []string {
	if owner, ended := d.Owners.Ended(c); ended {
		var keys []string
		for key := range tables.TargetsByOwner.List(tx, owner, "") {
			keys = append(keys, key)
		}
		return keys
	}
	if _, now, ok := tables.Targets.Of(c); ok {
		if now != nil && (now.Owner != "" || !now.DrainingSince.IsZero()) {
			return []string{c.Key}
		}
		return nil
	}
	if was, now, ok := tables.TargetHealths.Of(c); ok {
		h := either(now, was)
		key := tables.TargetKey(h.Home, h.Group, h.TargetKey)
		if t, there := tables.Targets.Peek(tx, key); there && !t.DrainingSince.IsZero() {
			return []string{key}
		}
		return nil
	}
	var keys []string
	for group, all := range d.groups(tx, c) {
		keys = append(keys, keysOf(tx, group, all)...)
	}
	return keys
}

// groups are the groups (by Key) that a change of something else concerns, and whether it concerns also the targets that do not drain.
func (d draining) groups(tx store.Tx, c store.Change) map[string]bool {
	out := map[string]bool{}
	led := func(h elb.Home, actions []elb.Action) {
		for _, a := range actions {
			for _, g := range a.Groups {
				out[tables.Key(h, g.Group)] = false
			}
		}
	}
	if was, _, ok := tables.Listeners.Of(c); ok && was != nil {
		led(was.Home, was.Default)
	}
	if was, _, ok := tables.Rules.Of(c); ok && was != nil {
		led(was.Home, was.Actions)
	}
	if was, now, ok := tables.TargetGroups.Of(c); ok && now == nil {
		out[tables.Key(was.Home, was.ID)] = true
	}
	if was, now, ok := tables.Attributes.Of(c); ok {
		if h, kind, parts, ok := elb.ParseARN(either(now, was).Of); ok && kind == "targetgroup" && len(parts) == 2 {
			out[tables.Key(h, parts[1])] = false
		}
	}
	if was, now, ok := tables.Statuses.Of(c); ok {
		s := either(now, was)
		for key := range d.led(tx, s.Home, s.LoadBalancer) {
			out[key] = false
		}
	}
	if was, now, ok := tables.LoadBalancers.Of(c); ok && was != nil && now != nil {
		for key := range d.led(tx, now.Home, now.ID) {
			out[key] = false
		}
	}
	return out
}

// led are the groups with draining targets (by Key) that a load balancer forwards to.
func (draining) led(tx store.Tx, h elb.Home, loadBalancer string) iter.Seq[string] {
	groups := map[string]bool{}
	for _, t := range tables.TargetsDraining.List(tx, "", "") {
		if t.Home == h {
			groups[t.Group] = true
		}
	}
	return func(yield func(string) bool) {
		for g := range groups {
			if slices.Contains(tables.UsersOf(tx, h, g), loadBalancer) && !yield(tables.Key(h, g)) {
				return
			}
		}
	}
}

func either[T any](now, was *T) *T {
	if now == nil {
		return was
	}
	return now
}

// reconcile deletes a target when it is time, or says when it will be.
func (d draining) reconcile(ctx context.Context, key string) (r loop.Result, err error) {
	err = d.store.Update(ctx, func(tx store.Tx) error {
		r = loop.Result{}
		t, ok := tables.Targets.Get(tx, key)
		if !ok {
			return nil
		}
		g, ok := tables.TargetGroups.Peek(tx, tables.Key(t.Home, t.Group))
		switch {
		case !ok, t.Owner != "" && !d.Owners.Alive(tx, t.Owner):
			tables.Targets.Delete(tx, key)
			return nil
		case t.DrainingSince.IsZero():
			return nil
		}
		left := t.DrainingSince.Add(g.Delay(tables.AttributesOf(tx, g.Home, g.ARN()))).Sub(tx.Now())
		if left <= 0 || elb.Gone(tables.Watchers(tx, t)) {
			tables.Targets.Delete(tx, key)
			return nil
		}
		r.After = left
		return nil
	})
	return r, err
}
