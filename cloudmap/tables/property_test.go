package tables

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/berth-ecs/berth/cloudmap"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
)

// Whatever comes and goes: a service has the instances that were registered last, with the health that was said since; its revision grows
// exactly when instances come, go or change, and nothing is left of any when all are gone.
func TestWhateverComesAndGoes(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := &world{t, mem.Open(Schema(), mem.Options{})}
		defer func() { _ = w.store.Close() }()
		w.furnish()
		ids, addresses := rapid.SampledFrom([]string{"a", "b/c", "b", "c:1"}), rapid.SampledFrom([]string{"10.0.0.1", "10.0.0.2"})
		want := map[string]string{} // address and health, by id
		revision := w.revision()
		rt.Repeat(map[string]func(*rapid.T){
			"register": func(rt *rapid.T) {
				id, address := ids.Draw(rt, "id"), addresses.Draw(rt, "address")
				had, there := want[id]
				changed := w.register(id, address)
				if same := there && had[:len(address)] == address; changed == same {
					rt.Fatalf("registered %s at %s over %q: changed %v", id, address, had, changed)
				}
				if changed {
					want[id] = address + " HEALTHY"
				}
				revision = w.grows(rt, revision, changed)
			},
			"deregister": func(rt *rapid.T) {
				id := ids.Draw(rt, "id")
				err := w.store.Update(t.Context(), func(tx store.Tx) error { return DeregisterInstance(tx, Ref{home, "srv-1", id}) })
				if _, there := want[id]; there != (err == nil) {
					rt.Fatalf("deregister %s: %v", id, err)
				}
				delete(want, id)
				revision = w.grows(rt, revision, err == nil)
			},
			"judge": func(rt *rapid.T) {
				id, status := ids.Draw(rt, "id"), rapid.SampledFrom([]string{"HEALTHY", "UNHEALTHY"}).Draw(rt, "status")
				err := w.store.Update(t.Context(), func(tx store.Tx) error { _, err := SetHealth(tx, Ref{home, "srv-1", id}, status); return err })
				had, there := want[id]
				if there != (err == nil) {
					rt.Fatalf("judge %s: %v", id, err)
				}
				if there {
					want[id] = had[:len("10.0.0.1")] + " " + status
				}
				revision = w.grows(rt, revision, false)
			},
			"": func(rt *rapid.T) { w.holds(rt, want) },
		})
	})
}

// grows wants a greater revision, or the same.
func (w *world) grows(rt *rapid.T, before int64, grown bool) int64 {
	now := w.revision()
	if now < before || now > before != grown {
		rt.Fatalf("revision %d after %d, want growth: %v", now, before, grown)
	}
	return now
}

func (w *world) holds(rt *rapid.T, want map[string]string) {
	w.must(func(tx store.Tx) error {
		s, err := Service(tx, home, "srv-1")
		if err != nil {
			return err
		}
		got := map[string]string{}
		for _, i := range InstancesIn(tx, s) {
			got[i.ID] = i.Attributes[cloudmap.AttrIPv4] + " " + Health(tx, s, i)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) || InstancesByService.Count(tx, Key(home, "srv-1")) != len(want) {
			rt.Fatalf("holds %v, want %v", got, want)
		}
		judged := 0
		for range Healths.List(tx, "", "") {
			judged++
		}
		if judged > len(want) {
			rt.Fatalf("%d healths of %d instances", judged, len(want))
		}
		return nil
	})
}
