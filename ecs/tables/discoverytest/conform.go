package discoverytest

import (
	"context"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
)

// World is an implementation to be held to the port, on a store that loses races.
type World struct {
	Store     store.Store
	Discovery interface {
		tables.Discovery
		tables.Held
	}
	Home     ecs.Home
	Registry string // ARN of one with A records whose owners say how its instances are, without instances
	Stranger string // id of an instance of it that is nobody's of this wing
	// Take makes a registration a client's, who registered something else by its id.
	Take func(tx store.Tx, r ecs.Registration)
	// Answers are the ids of the instances of the registry that clients get, with their health.
	Answers func(tx store.Tx) map[string]string
}

// Check holds an implementation of tables.Discovery and tables.Held to what their methods promise.
func Check(t *testing.T, w World) {
	t.Helper()
	t.Run("what is not there", w.unknown)
	t.Run("an instance comes, changes and goes", w.life)
	t.Run("what stands is kept, and not made", w.standing)
	t.Run("what is another's is not held", w.stranger)
	t.Run("many fit into one transaction", w.many)
}

func (w World) update(t *testing.T, fn func(store.Tx)) {
	t.Helper()
	if err := w.Store.Update(context.Background(), func(tx store.Tx) error { fn(tx); return nil }); err != nil {
		t.Fatal(err)
	}
}

func (w World) registration(id string) ecs.Registration {
	return ecs.Registration{Home: w.Home, Registry: w.Registry, ID: id, Task: w.Home.TaskARN("c", id), Attributes: map[string]string{
		"AWS_INSTANCE_IPV4": "10.0.0.5", "AWS_INIT_HEALTH_STATUS": "HEALTHY", "ECS_CLUSTER_NAME": "c",
	}}
}

func (w World) answers(t *testing.T, want map[string]string) {
	t.Helper()
	w.update(t, func(tx store.Tx) {
		if got := w.Answers(tx); !maps.Equal(got, want) {
			t.Errorf("clients get %v, want %v", got, want)
		}
	})
}

func (w World) unknown(t *testing.T) {
	w.update(t, func(tx store.Tx) {
		none := w.registration("a")
		none.Registry = w.Registry + "0"
		if _, ok := w.Discovery.Registry(tx, w.Home, none.Registry); ok {
			t.Error("a registry that is not there is found")
		}
		other := ecs.Home{Account: w.Home.Account + "0", Region: w.Home.Region}
		if _, ok := w.Discovery.Registry(tx, other, w.Registry); ok {
			t.Error("another account's registry is found")
		}
		if w.Discovery.Keep(tx, none) == nil || w.Discovery.Refusal(tx, none) == nil {
			t.Error("registered in nothing")
		}
		w.Discovery.Drop(tx, none)
		w.Discovery.Drop(tx, w.registration("a"))
	})
}

func (w World) life(t *testing.T) {
	r := w.registration("a")
	w.update(t, func(tx store.Tx) {
		if as, ok := w.Discovery.Registry(tx, w.Home, w.Registry); !ok || as.ARN != w.Registry || !as.Custom || !slices.Equal(as.Records, []string{"A"}) {
			t.Errorf("%+v %v", as, ok)
		}
		if err := w.Discovery.Refusal(tx, r); err != nil {
			t.Errorf("refused beforehand: %v", err)
		}
		if err := w.Discovery.Keep(tx, r); err != nil {
			t.Error(err)
		}
	})
	w.answers(t, map[string]string{"a": "HEALTHY"})
	w.update(t, func(tx store.Tx) {
		got := slices.Collect(w.Discovery.Held(tx, r.Task))
		for i := range got {
			got[i].Health = ""
		}
		if d := cmp.Diff([]ecs.Registration{r}, got); d != "" {
			t.Error(d)
		}
	})
	r.Health = "UNHEALTHY"
	w.update(t, func(tx store.Tx) { _ = w.Discovery.Keep(tx, r) })
	w.answers(t, map[string]string{"a": "UNHEALTHY"})
	r.Health = "" // nothing new
	w.update(t, func(tx store.Tx) { _ = w.Discovery.Keep(tx, r) })
	w.answers(t, map[string]string{"a": "UNHEALTHY"})
	w.update(t, func(tx store.Tx) { w.Take(tx, r) })
	w.update(t, func(tx store.Tx) {
		for is := range w.Discovery.Held(tx, r.Task) {
			t.Errorf("held although a client has it: %+v", is)
		}
		_ = w.Discovery.Keep(tx, r)
		if got := slices.Collect(w.Discovery.Held(tx, r.Task)); len(got) != 1 || !maps.Equal(got[0].Attributes, r.Attributes) {
			t.Errorf("taken back: %+v", got)
		}
		w.Take(tx, r)
	})
	w.update(t, func(tx store.Tx) {
		bad := r
		bad.Attributes = map[string]string{"AWS_INSTANCE_IPV4": "nowhere"}
		if w.Discovery.Refusal(tx, bad) == nil {
			t.Error("an instance without an address is not refused")
		}
		w.Discovery.Drop(tx, r)
	})
	w.answers(t, map[string]string{})
}

func (w World) standing(t *testing.T) {
	r := w.registration("a")
	r.Standing, r.Health = true, "UNHEALTHY"
	w.update(t, func(tx store.Tx) { _ = w.Discovery.Keep(tx, r) })
	w.answers(t, map[string]string{})
	r.Standing, r.Health = false, "HEALTHY"
	w.update(t, func(tx store.Tx) { _ = w.Discovery.Keep(tx, r) })
	r.Standing, r.Health = true, "UNHEALTHY"
	w.update(t, func(tx store.Tx) { _ = w.Discovery.Keep(tx, r) })
	w.answers(t, map[string]string{"a": "UNHEALTHY"})
	w.update(t, func(tx store.Tx) { w.Discovery.Drop(tx, r) })
	w.answers(t, map[string]string{})
}

func (w World) stranger(t *testing.T) {
	w.update(t, func(tx store.Tx) {
		for r := range w.Discovery.Held(tx, "") {
			t.Errorf("held: %+v", r)
		}
	})
}

// tasksAtOnce is how many tasks end in one transaction at most.
const tasksAtOnce = 10

func (w World) many(t *testing.T) {
	ids := []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}[:tasksAtOnce]
	want := map[string]string{}
	w.update(t, func(tx store.Tx) {
		for _, id := range ids {
			want[id] = "HEALTHY"
			if err := w.Discovery.Keep(tx, w.registration(id)); err != nil {
				t.Error(err)
			}
		}
	})
	w.answers(t, want)
	w.update(t, func(tx store.Tx) {
		for _, id := range ids {
			w.Discovery.Drop(tx, w.registration(id))
		}
	})
	w.answers(t, map[string]string{})
}
