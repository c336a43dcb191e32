package targets

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/elb/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
)

// soon is longer than a loop takes to look.
const soon = time.Second

func TestDrainedTargetsGo(t *testing.T) {
	led(t, func(w *world) {
		w.register("10.0.0.1", "")
		w.says("eni-a", "10.0.0.1", elb.Healthy)
		w.want("10.0.0.1", elb.Initial) // the other node has said nothing
		w.says("eni-b", "10.0.0.1", elb.Healthy)
		w.want("10.0.0.1", elb.Healthy)
		w.deregister("10.0.0.1")
		time.Sleep(soon)
		w.want("10.0.0.1", elb.Draining)
		w.says("eni-a", "10.0.0.1", elb.Drained)
		time.Sleep(time.Minute)
		w.want("10.0.0.1", elb.Draining)
		w.says("eni-b", "10.0.0.1", elb.Drained)
		time.Sleep(soon)
		w.want("10.0.0.1", "gone")
		w.says("eni-a", "10.0.0.1", "")
		time.Sleep(5 * time.Second)
		if n := w.said(); n != 0 {
			t.Errorf("%d words are left of what is gone", n)
		}
	})
}

// The delay counts from the deregistration, through all changes of leaders, and as it is set now.
func TestTheDelayEndsDraining(t *testing.T) {
	led(t, func(w *world) {
		w.register("10.0.0.1", "")
		w.says("eni-a", "10.0.0.1", elb.Healthy)
		w.deregister("10.0.0.1")
		time.Sleep(200 * time.Second)
		w.want("10.0.0.1", elb.Draining)
		w.stop()
		w.start()
		time.Sleep(99 * time.Second)
		w.want("10.0.0.1", elb.Draining)
		time.Sleep(2 * time.Second)
		w.want("10.0.0.1", "gone")

		w.register("10.0.0.1", "")
		w.deregister("10.0.0.1")
		time.Sleep(20 * time.Second)
		w.want("10.0.0.1", elb.Draining)
		w.update(func(tx store.Tx) {
			tables.PutAttributes(tx, &elb.Attributes{Home: home, Of: group().ARN(), Values: map[string]string{elb.AttrDelay: "30"}})
		})
		time.Sleep(9 * time.Second)
		w.want("10.0.0.1", elb.Draining)
		time.Sleep(2 * time.Second)
		w.want("10.0.0.1", "gone")
	})
}

// What nobody can have anything in flight to any more goes at once.
func TestWhatEndsDraining(t *testing.T) {
	for name, end := range map[string]func(w *world){
		"the group is in use no more": func(w *world) {
			w.update(func(tx store.Tx) {
				tables.Listeners.Delete(tx, tables.ListenerKey(home, balancerID, "00000000000000cc"))
			})
		},
		"the load balancer's nodes are gone": func(w *world) { w.balanced() },
		"the node that had not drained is gone": func(w *world) {
			w.says("eni-a", "10.0.0.1", elb.Drained)
			w.balanced("eni-a")
		},
		"the group is gone": func(w *world) {
			w.update(func(tx store.Tx) { tables.TargetGroups.Delete(tx, tables.Key(home, groupID)) })
		},
		"the owner is gone": func(w *world) { w.update(func(tx store.Tx) { jobs.Delete(tx, store.Installation().Key("job")) }) },
		"the owner is over": func(w *world) { w.update(func(tx store.Tx) { jobs.Put(tx, &job{"job", "over"}) }) },
		"another leader":    func(w *world) { w.stop(); w.update(func(tx store.Tx) { jobs.Put(tx, &job{"job", "over"}) }); w.start() },
	} {
		t.Run(name, func(t *testing.T) {
			led(t, func(w *world) {
				w.update(func(tx store.Tx) { jobs.Put(tx, &job{"job", "runs"}) })
				w.register("10.0.0.1", "job")
				w.deregister("10.0.0.1")
				time.Sleep(soon)
				w.want("10.0.0.1", elb.Draining)
				end(w)
				time.Sleep(soon)
				w.want("10.0.0.1", "gone")
			})
		})
	}
}

// Targets that do not drain go with their group and their owner, and with nothing else.
func TestRegisteredTargetsGoWithWhatTheyAreOf(t *testing.T) {
	led(t, func(w *world) {
		w.update(func(tx store.Tx) { jobs.Put(tx, &job{"job", "runs"}) })
		w.register("10.0.0.1", "job")
		w.register("10.0.0.2", "")
		w.update(func(tx store.Tx) { jobs.Put(tx, &job{"job", "stops"}) })
		w.balanced()
		time.Sleep(time.Hour)
		w.want("10.0.0.1", elb.Initial)
		w.update(func(tx store.Tx) { jobs.Put(tx, &job{"job", "over"}) })
		time.Sleep(soon)
		w.want("10.0.0.1", "gone")
		w.want("10.0.0.2", elb.Initial)
		w.update(func(tx store.Tx) { tables.TargetGroups.Delete(tx, tables.Key(home, groupID)) })
		time.Sleep(soon)
		w.want("10.0.0.2", "gone")
	})
}

// A node that has not heard yet that a target came back still has said of it what is so.
func TestWordsOutliveAShortAbsence(t *testing.T) {
	led(t, func(w *world) {
		w.update(func(tx store.Tx) {
			tables.PutAttributes(tx, &elb.Attributes{Home: home, Of: group().ARN(), Values: map[string]string{elb.AttrDelay: "0"}})
		})
		w.register("10.0.0.1", "")
		w.says("eni-a", "10.0.0.1", elb.Healthy)
		w.says("eni-b", "10.0.0.1", elb.Healthy)
		w.deregister("10.0.0.1")
		time.Sleep(soon)
		w.want("10.0.0.1", "gone")
		w.register("10.0.0.1", "")
		time.Sleep(time.Minute)
		w.want("10.0.0.1", elb.Healthy)
		w.deregister("10.0.0.1")
		time.Sleep(5 * time.Second)
		if n := w.said(); n != 0 {
			t.Errorf("%d words are left of what is gone", n)
		}
		w.says("eni-a", "10.0.0.1", elb.Healthy) // of what is gone
		time.Sleep(5 * time.Second)
		if n := w.said(); n != 0 {
			t.Errorf("%d words are left of what was gone before", n)
		}
		w.register("10.0.0.1", "")
		w.says("eni-a", "10.0.0.1", elb.Unhealthy)
		w.balanced("eni-b")
		time.Sleep(soon)
		if n := w.said(); n != 0 {
			t.Errorf("%d words are left of a node that is gone", n)
		}
	})
}

// Whatever is registered, deregistered and said, and whoever leads: a target never goes before its delay while a node that serves has not said that nothing
// is in flight, and when everybody has said so or the delay is over nothing is left.
func TestWhateverIsSaid(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		w := &world{T: t, store: mem.Open(schema(), mem.Options{Now: func() time.Time { return now }})}
		defer func() { _ = w.store.Close() }()
		w.furnish()
		ids, interfaces := []string{"10.0.0.1", "10.0.0.2"}, []string{"eni-a", "eni-b"}
		id, iface := rapid.SampledFrom(ids), rapid.SampledFrom(interfaces)
		state := rapid.SampledFrom([]string{"", elb.Initial, elb.Healthy, elb.Unhealthy, elb.Drained})
		since, last := map[string]time.Time{}, map[string]string{} // of draining ones; what was said, by id and interface
		l := &Loops{Config{Owners: jobOwners{}}}
		look := func() {
			var keys []string
			w.update(func(tx store.Tx) {
				keys = slices.Collect(draining{l, w.store}.config().All(tx))
			})
			for _, k := range keys {
				if _, err := (draining{l, w.store}).reconcile(t.Context(), k); err != nil {
					rt.Fatal(err)
				}
			}
		}
		there := map[string]bool{}
		rt.Repeat(map[string]func(*rapid.T){
			"register": func(rt *rapid.T) {
				id := id.Draw(rt, "id")
				w.register(id, "")
				there[id] = true
				delete(since, id)
			},
			"deregister": func(rt *rapid.T) {
				id := id.Draw(rt, "id")
				w.deregister(id)
				if _, drains := since[id]; there[id] && !drains {
					since[id] = now
				}
			},
			"say": func(rt *rapid.T) {
				id, iface, state := id.Draw(rt, "id"), iface.Draw(rt, "interface"), state.Draw(rt, "state")
				w.says(iface, id, state)
				last[id+iface] = state
			},
			"wait": func(rt *rapid.T) {
				now = now.Add(time.Duration(rapid.IntRange(1, 200).Draw(rt, "seconds")) * time.Second)
			},
			"look": func(rt *rapid.T) {
				look()
				for _, id := range ids {
					at, drains := since[id]
					quiet := last[id+"eni-a"] == elb.Drained && last[id+"eni-b"] == elb.Drained
					if drains && (quiet || now.Sub(at) >= 300*time.Second) {
						delete(there, id)
						delete(since, id)
					}
				}
			},
			"": func(rt *rapid.T) {
				for _, id := range ids {
					if got := w.is(id) != "gone"; got != there[id] {
						rt.Fatalf("%s: there %v, want %v; drains since %v, said %v", id, got, there[id], since[id], last)
					}
				}
			},
		})
		now = now.Add(time.Hour)
		for _, id := range ids {
			w.deregister(id)
		}
		now = now.Add(301 * time.Second)
		look()
		for _, id := range ids {
			if w.is(id) != "gone" {
				rt.Fatalf("%s is left", id)
			}
		}
	})
}

// As many targets as a group can have are registered, heard of and gone.
func TestManyTargets(t *testing.T) {
	led(t, func(w *world) {
		for n := 0; n < elb.MaxTargets; n += 20 {
			w.update(func(tx store.Tx) {
				for i := n; i < n+20; i++ {
					if _, err := tables.Register(tx, registration(address(i), "")); err != nil {
						t.Fatal(err)
					}
				}
			})
		}
		w.hears(everything(elb.Healthy))
		synctest.Wait()
		if n := w.said(); n != 2*elb.MaxTargets {
			t.Errorf("%d words", n)
		}
		w.update(func(tx store.Tx) { tables.TargetGroups.Delete(tx, tables.Key(home, groupID)) })
		time.Sleep(5 * time.Second)
		synctest.Wait()
		left := w.said()
		w.update(func(tx store.Tx) { left += tables.TargetsByGroup.Count(tx, tables.Key(home, groupID)) })
		if left != 0 {
			t.Errorf("%d are left of a group that is gone", left)
		}
	})
}

func address(i int) string { return fmt.Sprintf("10.1.%d.%d", i/250, i%250) }
