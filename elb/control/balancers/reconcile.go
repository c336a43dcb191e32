package balancers

import (
	"context"
	"errors"
	"iter"
	"maps"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/elb/tables"
	"github.com/berth-ecs/berth/loop"
	"github.com/berth-ecs/berth/store"
	aws "github.com/berth-ecs/berth/wire/shape"
)

func (r *runner) config() loop.Config {
	return loop.Config{
		Name: "load-balancers", Store: r.store, Dirty: r.dirty, All: r.all, Reconcile: r.reconcile,
		Tables: append([]string{tables.LoadBalancers.Name(), tables.Places.Name(), tables.Statuses.Name()}, r.Tasks.Tables()...),
	}
}

// keyOf is the key of a load balancer in this loop.
func keyOf(h elb.Home, id string) string { return h.Account + " " + h.Region + " " + id }

func parse(key string) (elb.Home, string) {
	w := strings.SplitN(key, " ", 3)
	return elb.Home{Account: w[0], Region: w[1]}, w[2]
}

// all are the load balancers that are there, and those of which something is left.
func (r *runner) all(tx store.Tx) iter.Seq[string] {
	keys := map[string]bool{}
	homes := map[elb.Home]bool{}
	for _, l := range tables.LoadBalancers.List(tx, "", "") {
		keys[keyOf(l.Home, l.ID)], homes[l.Home] = true, true
	}
	for _, s := range tables.Statuses.List(tx, "", "") {
		keys[keyOf(s.Home, s.LoadBalancer)], homes[s.Home] = true, true
	}
	for _, p := range tables.Places.List(tx, "", "") {
		keys[keyOf(p.Home, p.LoadBalancer)], homes[p.Home] = true, true
	}
	for h := range homes {
		for _, t := range r.Tasks.Of(tx, h, "") {
			keys[keyOf(h, t.Owner)] = true
		}
	}
	return maps.Keys(keys)
}

func (r *runner) dirty(tx store.Tx, c store.Change) (keys []string) {
	if old, now, ok := tables.LoadBalancers.Of(c); ok {
		return append(keys, keyOf(either(old, now).Home, either(old, now).ID))
	}
	if old, now, ok := tables.Places.Of(c); ok {
		return append(keys, keyOf(either(old, now).Home, either(old, now).LoadBalancer))
	}
	if old, now, ok := tables.Statuses.Of(c); ok {
		return append(keys, keyOf(either(old, now).Home, either(old, now).LoadBalancer))
	}
	h, ids := r.Tasks.Touched(tx, c)
	for _, id := range ids {
		keys = append(keys, keyOf(h, id))
	}
	return keys
}

func either[T any](old, now *T) *T {
	if now != nil {
		return now
	}
	return old
}

// see looks at a load balancer, guarding its record and status (2 keys).
func (r *runner) see(tx store.Tx, key string, m *memory) *scene {
	h, id := parse(key)
	s := &scene{Config: r.Config, memory: m, now: tx.Now(), places: map[string]*elb.Place{}}
	if l, ok := tables.LoadBalancers.Get(tx, tables.Key(h, id)); ok {
		s.lb, s.silent, s.manned = l, true, r.Machines.Machines(tx, h)
		for range tables.ListenersIn(tx, l) {
			s.silent = false
			break
		}
	}
	if b, ok := tables.Statuses.Get(tx, tables.Key(h, id)); ok {
		s.before = b
		for _, n := range b.Nodes {
			if n.Public.IsValid() {
				m.public[n.Zone] = n.Public
			}
		}
	}
	s.tasks = r.Tasks.Of(tx, h, id)
	slices.SortFunc(s.tasks, func(a, b Task) int { return strings.Compare(a.ARN, b.ARN) })
	if slices.ContainsFunc(s.tasks, func(t Task) bool { return !t.Connected }) {
		away, all := r.Machines.Away(tx, h)
		s.crowd = away > 1 && 3*away > all
	}
	for _, p := range tables.Places.List(tx, tables.PlacesOf(h, id), "") {
		s.places[p.Interface] = p
	}
	return s
}

// reconcile launches what is missing, each in a transaction of its own, then does the rest in one.
func (r *runner) reconcile(ctx context.Context, key string) (loop.Result, error) {
	m := r.of(key)
	p, over, err := r.plan(ctx, key, m)
	if err != nil {
		return loop.Result{}, err
	}
	if over {
		r.forget(key)
		return loop.Result{}, nil
	}
	for _, z := range p.launch {
		if err := r.launch(ctx, key, m, z); err != nil {
			return loop.Result{}, err
		}
	}
	more := false
	err = r.store.Update(ctx, func(tx store.Tx) error {
		s := r.see(tx, key, m)
		p = s.decide()
		more = r.apply(tx, key, s, p)
		return nil
	})
	if more {
		p.after = time.Millisecond
	}
	return loop.Result{After: p.after}, err
}

// plan looks without a transaction that writes; over: nothing is left of the load balancer.
func (r *runner) plan(ctx context.Context, key string, m *memory) (p plan, over bool, err error) {
	err = r.store.View(ctx, store.Any, func(tx store.Tx) error {
		s := r.see(tx, key, m)
		p = s.decide()
		over = s.lb == nil && s.before == nil && len(s.tasks) == 0 && len(s.places) == 0
		return nil
	})
	return p, over, err
}

// errNoRoom takes back what a transaction gave up for a node that has no place.
var errNoRoom = errors.New("no room")

// launch makes the node of a zone, unless it is there by now. Where one of a lost machine is in its place, that is given up in the same transaction,
// so that what it had (an address that was asked for, a public one) is the new one's.
func (r *runner) launch(ctx context.Context, key string, m *memory, z elb.Zone) error {
	refusal := ""
	err := r.store.Update(ctx, func(tx store.Tx) (err error) {
		refusal = ""
		s := r.see(tx, key, m)
		if !slices.Contains(s.decide().launch, z) {
			return nil
		}
		prefer := s.publicOf(z)
		for _, t := range s.tasks {
			if s.lost(t) && t.Zone == z.Name {
				r.Tasks.End(tx, s.lb.Home, t.ARN, Abandon, "The node that it ran on is gone.")
			}
		}
		refusal, err = r.Tasks.Launch(tx, Wish{LoadBalancer: s.lb, Zone: z, Prefer: prefer})
		if e, ok := errors.AsType[*aws.Error](err); ok {
			refusal, err = e.Message, nil
		}
		if refusal != "" {
			return errNoRoom
		}
		return err
	})
	if errors.Is(err, errNoRoom) {
		err = nil
	}
	if err != nil {
		return err
	}
	if delete(m.refused, z.Name); refusal != "" {
		m.refused[z.Name] = refusal
	}
	return nil
}

// publicOf is the public address that a zone had.
func (s *scene) publicOf(z elb.Zone) netip.Addr {
	if z.Allocation != "" {
		return netip.Addr{}
	}
	return s.public[z.Name]
}

// endsAtOnce is how many tasks one transaction ends: each writes up to 11 keys.
const endsAtOnce = 4

// apply does a plan but for launches, and says whether something is left to do.
func (r *runner) apply(tx store.Tx, key string, s *scene, p plan) (more bool) {
	h, id := parse(key)
	for n, e := range p.end {
		if more = n == endsAtOnce; more {
			break
		}
		r.Tasks.End(tx, h, e.task.ARN, e.gone, e.reason)
		r.Log.Info("a node of a load balancer ends", "load_balancer", id, "zone", e.task.Zone, "task", e.task.ARN, "reason", e.reason)
	}
	for _, t := range p.groups {
		if err := r.Interfaces.SetGroups(tx, h, t.Interface, s.lb.SecurityGroups); err != nil { // a group that went since: the API will not have it either
			r.Log.Warn("the security groups of a load balancer's interface", "interface", t.Interface, "error", err)
		}
	}
	for _, place := range p.places {
		tables.Places.Delete(tx, tables.PlaceKey(h, id, place.Interface))
	}
	switch {
	case p.status == nil && s.before != nil:
		tables.Statuses.Delete(tx, tables.Key(h, id))
	case p.status != nil && (s.before == nil || !reflect.DeepEqual(normal(p.status), normal(s.before))):
		tables.Statuses.Put(tx, p.status)
		if s.before == nil || s.before.State != p.status.State {
			r.Log.Info("load balancer", "id", id, "state", p.status.State, "reason", p.status.Reason)
		}
	}
	return more
}

// normal has no difference between no nodes and none.
func normal(s *elb.LoadBalancerStatus) elb.LoadBalancerStatus {
	out := *s
	if len(out.Nodes) == 0 {
		out.Nodes = nil
	}
	return out
}
