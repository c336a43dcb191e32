package tables

import (
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"

	"github.com/berth-ecs/berth/cloudmap"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
	aws "github.com/berth-ecs/berth/wire/shape"
)

var home = cloudmap.Home{Account: "000000000000", Region: "us-east-1"}

type world struct {
	*testing.T
	store store.Store
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t, mem.Open(Schema(), mem.Options{})}
	t.Cleanup(func() { _ = w.store.Close() })
	w.furnish()
	return w
}

// furnish makes a service without instances.
func (w *world) furnish() {
	w.Helper()
	w.must(func(tx store.Tx) error {
		Namespaces.Put(tx, &cloudmap.Namespace{Home: home, ID: "ns-1", Name: "n", HTTPName: "n", Type: "DNS_PRIVATE", VPC: "vpc-1"})
		Services.Put(tx, &cloudmap.Service{Home: home, ID: "srv-1", Namespace: "ns-1", Name: "s", Custom: &cloudmap.Custom{},
			Records: []cloudmap.Record{{Type: "A"}}})
		return nil
	})
}

func (w *world) must(fn func(tx store.Tx) error) {
	w.Helper()
	if err := w.store.Update(w.Context(), fn); err != nil {
		w.Fatal(err)
	}
}

func (w *world) revision() (r int64) {
	w.must(func(tx store.Tx) error {
		s, err := Service(tx, home, "srv-1")
		r = Revision(tx, s)
		return err
	})
	return r
}

func registration(id, ip string) Registration {
	return Registration{Home: home, Service: "srv-1", Instance: id, Attributes: map[string]string{cloudmap.AttrIPv4: ip}, Owner: "task/" + id}
}

func (w *world) register(id, ip string) (changed bool) {
	w.must(func(tx store.Tx) (err error) {
		changed, err = RegisterInstance(tx, registration(id, ip))
		return err
	})
	return changed
}

func code(err error) string {
	if e, ok := errors.AsType[*aws.Error](err); ok {
		return e.Code
	}
	return fmt.Sprint(err)
}

func TestRegisteringAndDeregistering(t *testing.T) {
	w := newWorld(t)
	ref := Ref{Home: home, Service: "srv-1", Instance: "a/b"}
	if !w.register("a/b", "10.0.0.1") || w.register("a/b", "10.0.0.1") {
		t.Error("registering the same again is a change")
	}
	first := w.revision()
	w.must(func(tx store.Tx) error { _, err := SetHealth(tx, ref, "UNHEALTHY"); return err })
	if w.revision() != first {
		t.Error("health changes the revision of the instances")
	}
	w.must(func(tx store.Tx) error {
		s, _ := Service(tx, home, home.ARN("service", "srv-1"))
		i, err := Instance(tx, s, "a/b")
		if err != nil || Health(tx, s, i) != "UNHEALTHY" || InstancesByOwner.Count(tx, "task/a/b") != 1 {
			t.Errorf("%+v %v", i, err)
		}
		return nil
	})
	if !w.register("a/b", "10.0.0.2") || w.revision() <= first {
		t.Error("another address is no change")
	}
	w.must(func(tx store.Tx) error {
		if _, judged := Healths.Get(tx, InstanceKey(home, "srv-1", "a/b")); judged {
			t.Error("what was known of the health outlives the address")
		}
		return DeregisterInstance(tx, ref)
	})
	last := w.revision()
	if err := w.store.Update(t.Context(), func(tx store.Tx) error { return DeregisterInstance(tx, ref) }); code(err) != "InstanceNotFound" || last != w.revision() {
		t.Errorf("again: %v", err)
	}
}

func TestRefusedRegistrations(t *testing.T) {
	w := newWorld(t)
	none, bad := registration("a", "10.0.0.1"), registration("a", "10.0.0")
	none.Service = "srv-2"
	for want, r := range map[string]Registration{"ServiceNotFound": none, "InvalidInput": bad} {
		if err := w.store.Update(t.Context(), func(tx store.Tx) error { _, err := RegisterInstance(tx, r); return err }); code(err) != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// Instances of one service come and go at once, and nobody has to run again.
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
				_, err := RegisterInstance(tx, registration(strconv.Itoa(i), "10.0.0.1"))
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

// What must never happen: an instance that was acknowledged is of a service that was deleted because it had none.
func TestDeletingBesideRegistering(t *testing.T) {
	w := newWorld(t)
	raced := false
	err := w.store.Update(t.Context(), func(tx store.Tx) error {
		if Contains(tx, home, "srv-1", InstancesByService.Count(tx, Key(home, "srv-1"))) {
			return cloudmap.InUse("in use")
		}
		Services.Delete(tx, Key(home, "srv-1"))
		if !raced {
			raced = true
			w.register("a", "10.0.0.1")
		}
		return nil
	})
	if code(err) != "ResourceInUse" {
		t.Errorf("the service is deleted beside its first instance: %v", err)
	}
}

// A client that says the same again under another CreatorRequestId has told nothing new of the instance.
func TestHealthOutlivesTheSameRegistration(t *testing.T) {
	w := newWorld(t)
	w.register("a", "10.0.0.1")
	again := registration("a", "10.0.0.1")
	again.CreatorRequestID = "second"
	for _, c := range []struct {
		with Registration
		want bool // health is still known
	}{{again, true}, {registration("a", "10.0.0.2"), false}} {
		w.must(func(tx store.Tx) error {
			_, err := SetHealth(tx, Ref{Home: home, Service: "srv-1", Instance: "a"}, "UNHEALTHY")
			return err
		})
		w.must(func(tx store.Tx) error {
			_, err := RegisterInstance(tx, c.with)
			return err
		})
		w.must(func(tx store.Tx) error {
			if _, got := Healths.Peek(tx, InstanceKey(home, "srv-1", "a")); got != c.want {
				t.Errorf("after registering %+v: health known %v", c.with, got)
			}
			return nil
		})
	}
}
