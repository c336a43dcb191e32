package tables

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
	aws "github.com/berth-ecs/berth/wire/shape"
)

var home = elb.Home{Account: "000000000000", Region: "us-east-1"}

const (
	groupID    = "00000000000000aa"
	balancerID = "00000000000000bb"
	listenerID = "00000000000000cc"
)

type world struct {
	testing.TB
	store store.Store
	now   time.Time
}

// newWorld has a target group that nothing uses.
func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{TB: t, now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	w.store = mem.Open(Schema(), mem.Options{Now: func() time.Time { return w.now }})
	t.Cleanup(func() { _ = w.store.Close() })
	w.update(func(tx store.Tx) error {
		TargetGroups.Put(tx, &elb.TargetGroup{Home: home, ID: groupID, Name: "web", Type: "ip", Protocol: "HTTP", Port: 80})
		return nil
	})
	return w
}

func (w *world) update(fn func(tx store.Tx) error) {
	w.Helper()
	if err := w.store.Update(w.Context(), fn); err != nil {
		w.Fatal(err)
	}
}

// balanced makes a load balancer forward to the group, with a node in each of some zones: in large letters when it serves.
func (w *world) balanced(zones ...string) {
	w.Helper()
	w.update(func(tx store.Tx) error {
		l := &elb.LoadBalancer{Home: home, ID: balancerID, Name: "front", Type: elb.TypeApplication, VPC: "vpc-1", Zones: []elb.Zone{{Name: "a"}, {Name: "b"}}}
		s := &elb.LoadBalancerStatus{Home: home, LoadBalancer: l.ID, State: elb.StateActive}
		for _, z := range zones {
			lower := string(z[0] | 0x20)
			s.Nodes = append(s.Nodes, elb.Node{Zone: lower, Interface: "eni-" + lower, Machine: "m-" + lower, Serving: lower != z})
		}
		LoadBalancers.Put(tx, l)
		Statuses.Put(tx, s)
		Listeners.Put(tx, &elb.Listener{Home: home, LoadBalancer: l.ID, ID: listenerID, Port: 80, Protocol: "HTTP",
			Default: []elb.Action{{Type: "forward", Groups: []elb.Weighted{{Group: groupID, Weight: 1}}}}})
		return nil
	})
}

// says is what the node of a zone says of a target.
func (w *world) says(zone, id, state string) {
	w.Helper()
	w.update(func(tx store.Tx) error {
		TargetHealths.Put(tx, &elb.TargetHealth{Home: home, Group: groupID, TargetKey: key(id), Addr: netip.MustParseAddr(id), LoadBalancer: balancerID,
			Zone: zone, Interface: "eni-" + zone, State: state, At: tx.Now()})
		return nil
	})
}

func key(id string) elb.TargetKey { return elb.TargetKey{ID: id, Port: 80} }

func registration(id, owner string) Registration {
	return Registration{Home: home, Group: groupID, TargetKey: key(id), Place: "a", Owner: owner}
}

func (w *world) register(r Registration) (changed bool) {
	w.Helper()
	w.update(func(tx store.Tx) (err error) { changed, err = Register(tx, r); return err })
	return changed
}

func (w *world) deregister(r Registration) {
	w.Helper()
	w.update(func(tx store.Tx) error { Deregister(tx, r); return nil })
}

func (w *world) health(id string) (h elb.Health) {
	w.update(func(tx store.Tx) error { h = HealthOf(tx, home, groupID, key(id)); return nil })
	return h
}

func (w *world) target(id string) (t *elb.Target) {
	w.update(func(tx store.Tx) error { t, _ = Targets.Get(tx, TargetKey(home, groupID, key(id))); return nil })
	return t
}

func (w *world) withdrawn(owner string) (yes bool) {
	w.update(func(tx store.Tx) error { yes = Withdrawn(tx, owner); return nil })
	return yes
}

func code(err error) string {
	if e, ok := errors.AsType[*aws.Error](err); ok {
		return e.Code
	}
	return fmt.Sprint(err)
}

// What no load balancer sends anything to is deleted at once; what a node can have sent something to drains.
func TestDeregister(t *testing.T) {
	w := newWorld(t)
	r := registration("10.0.0.1", "task/1")
	if !w.register(r) || w.register(r) || w.withdrawn("task/1") {
		t.Error("registering the same again is a change, or it has no owner")
	}
	if h := w.health("10.0.0.1"); h.Reason != "Target.NotInUse" {
		t.Error(h)
	}
	w.deregister(r)
	if !w.withdrawn("task/1") || w.health("10.0.0.1") != elb.NotRegistered() {
		t.Error("unused, and not deleted")
	}
	w.deregister(r) // again

	w.balanced()
	w.register(r)
	if h := w.health("10.0.0.1"); h.Reason != "Elb.RegistrationInProgress" {
		t.Error(h)
	}
	w.deregister(r)
	if !w.withdrawn("task/1") {
		t.Error("no node is there, and it drains")
	}

	w.balanced("A")
	w.register(r)
	w.says("a", "10.0.0.1", elb.Healthy)
	if h := w.health("10.0.0.1"); h.State != elb.Healthy {
		t.Error(h)
	}
	w.now = w.now.Add(time.Minute)
	w.deregister(r)
	first := w.target("10.0.0.1").DrainingSince
	if h := w.health("10.0.0.1"); h.State != elb.Draining || !h.Since.Equal(w.now) || !first.Equal(w.now) || w.withdrawn("task/1") {
		t.Errorf("%+v, since %v", h, first)
	}
	w.now = w.now.Add(time.Minute)
	w.deregister(r)
	if !w.target("10.0.0.1").DrainingSince.Equal(first) {
		t.Error("deregistering again drains again")
	}
	if !w.register(r) || w.health("10.0.0.1").State != elb.Healthy || !w.target("10.0.0.1").RegisteredAt.Equal(w.now) {
		t.Error("it is not taken back")
	}
}

// A task's target is left alone by another task, and a client may take it away; a task makes a client's its own.
func TestOwners(t *testing.T) {
	w := newWorld(t)
	w.balanced("A")
	w.register(registration("10.0.0.1", ""))
	if w.register(registration("10.0.0.1", "")) || !w.register(registration("10.0.0.1", "task/1")) || w.register(registration("10.0.0.1", "")) {
		t.Error("a client's becomes a task's, and stays it")
	}
	w.deregister(registration("10.0.0.1", "task/2"))
	if w.health("10.0.0.1").State == elb.Draining {
		t.Error("another task took it away")
	}
	if !w.register(registration("10.0.0.1", "task/2")) || !w.withdrawn("task/1") || w.withdrawn("task/2") {
		t.Error("the address is the new task's")
	}
	w.deregister(registration("10.0.0.1", ""))
	if w.health("10.0.0.1").State != elb.Draining {
		t.Error("a client could not take it away")
	}
}

func TestWhoCountsForHealth(t *testing.T) {
	w := newWorld(t)
	w.balanced("A", "b")
	w.register(registration("10.0.0.1", ""))
	w.says("b", "10.0.0.1", elb.Healthy)
	if h := w.health("10.0.0.1"); h.Reason != "Elb.RegistrationInProgress" {
		t.Error("what a node says that does not serve counts:", h)
	}
	w.says("a", "10.0.0.1", elb.Unhealthy)
	if h := w.health("10.0.0.1"); h.State != elb.Unhealthy {
		t.Error(h)
	}
	w.balanced("A", "B")
	if h := w.health("10.0.0.1"); h.State != elb.Healthy {
		t.Error("what a node says that serves now does not count:", h)
	}
	w.update(func(tx store.Tx) error {
		PutAttributes(tx, &elb.Attributes{Home: home, Of: (&elb.TargetGroup{Home: home, ID: groupID, Name: "web"}).ARN(), Values: map[string]string{elb.AttrCrossZone: "false"}})
		return nil
	})
	if h := w.health("10.0.0.1"); h.State != elb.Unhealthy {
		t.Error("what a node of another zone says counts, without crossing:", h)
	}
}

func TestRefusedRegistrations(t *testing.T) {
	w := newWorld(t)
	r := registration("10.0.0.1", "")
	r.Group = "00000000000000ff"
	refused := func(r Registration) string {
		return code(w.store.Update(t.Context(), func(tx store.Tx) error { _, err := Register(tx, r); return err }))
	}
	if got := refused(r); got != "TargetGroupNotFound" {
		t.Error(got)
	}
	for n := 0; n < elb.MaxTargets; n += 50 {
		w.update(func(tx store.Tx) error {
			for i := range 50 {
				Targets.Put(tx, &elb.Target{Home: home, Group: groupID, TargetKey: key(fmt.Sprintf("10.1.%d.%d", (n+i)/250, (n+i)%250))})
			}
			return nil
		})
	}
	if got := refused(registration("10.0.0.1", "")); got != "TooManyTargets" {
		t.Error(got)
	}
	if w.register(registration("10.1.0.1", "")) {
		t.Error("one that is there is a change")
	}
}

// Targets of one group come and go at once, and nobody has to run again.
func TestRegistrationsDoNotConflict(t *testing.T) {
	w := newWorld(t)
	const n = 20
	runs := make([]int, n)
	var all, begun sync.WaitGroup
	begun.Add(n)
	for i := range n {
		all.Go(func() {
			err := w.store.Update(t.Context(), func(tx store.Tx) error {
				if runs[i]++; runs[i] == 1 {
					begun.Done()
					begun.Wait() // every transaction has begun before any commits
				}
				_, err := Register(tx, registration("10.0.0."+strconv.Itoa(i), "task/"+strconv.Itoa(i)))
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for i, r := range runs {
		if r != 1 {
			t.Errorf("registration %d ran %d times", i, r)
		}
	}
}

// Whatever comes and goes: who was registered last and not deregistered since is a target of its owner and does not drain; who was deregistered drains while
// a load balancer has nodes, and is gone without; and an owner is withdrawn exactly when it has none.
func TestWhateverComesAndGoes(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t)
		ids, owners := rapid.SampledFrom([]string{"10.0.0.1", "10.0.0.2", "10.0.0.3"}), rapid.SampledFrom([]string{"", "task/1", "task/2"})
		owner, drains, placed := map[string]string{}, map[string]bool{}, false
		rt.Repeat(map[string]func(*rapid.T){
			"register": func(rt *rapid.T) {
				id, o := ids.Draw(rt, "id"), owners.Draw(rt, "owner")
				w.register(registration(id, o))
				if has, there := owner[id]; !there || drains[id] || o != "" {
					owner[id] = o
				} else {
					owner[id] = has
				}
				delete(drains, id)
			},
			"deregister": func(rt *rapid.T) {
				id, o := ids.Draw(rt, "id"), owners.Draw(rt, "owner")
				w.deregister(registration(id, o))
				has, there := owner[id]
				switch {
				case !there || drains[id] || o != "" && o != has:
				case placed:
					drains[id] = true
				default:
					delete(owner, id)
				}
			},
			"place": func(rt *rapid.T) {
				if placed = rapid.Bool().Draw(rt, "placed"); placed {
					w.balanced("A")
				} else {
					w.balanced()
				}
			},
			"": func(rt *rapid.T) {
				got, draining := map[string]string{}, map[string]bool{}
				w.update(func(tx store.Tx) error {
					for _, t := range Targets.List(tx, TargetsOf(home, groupID), "") {
						if got[t.ID] = t.Owner; !t.DrainingSince.IsZero() {
							draining[t.ID] = true
						}
					}
					return nil
				})
				if !maps.Equal(got, owner) || !maps.Equal(draining, drains) {
					rt.Fatalf("targets %v, of which %v drain; want %v, %v", got, draining, owner, drains)
				}
				for _, o := range []string{"task/1", "task/2"} {
					if slices.Contains(slices.Collect(maps.Values(owner)), o) == w.withdrawn(o) {
						rt.Fatalf("%s: withdrawn %v, and it owns of %v", o, w.withdrawn(o), owner)
					}
				}
			},
		})
	})
}
