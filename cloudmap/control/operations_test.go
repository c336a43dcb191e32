package control

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/berth-ecs/berth/cloudmap"
	"github.com/berth-ecs/berth/cloudmap/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
)

// What a leader wrote before it died: each step of a registration, and nothing of it.
var cutOff = map[string]func(tx store.Tx, o *cloudmap.Operation){
	"asked for": func(store.Tx, *cloudmap.Operation) {},
	"begun":     func(tx store.Tx, o *cloudmap.Operation) { begun(tx, o) },
	"done": func(tx store.Tx, o *cloudmap.Operation) {
		_, _ = tables.RegisterInstance(tx, tables.Registration{Home: o.Home, Service: o.Service, Instance: o.Instance, Attributes: o.Wish.Register})
		end(tx, o, cloudmap.OperationStatus{Status: "SUCCESS"})
	},
}

func TestTheNextLeaderFinishesOnce(t *testing.T) {
	for name, step := range cutOff {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := mem.Open(tables.Schema(), mem.Options{})
				o := &cloudmap.Operation{Home: home, ID: "0-1", Type: "REGISTER_INSTANCE", Service: "srv-1", Instance: "a", CreatedAt: time.Now(), Wish: cloudmap.Wish{Register: map[string]string{"k": "v"}}}
				var revision int64
				if err := s.Update(t.Context(), func(tx store.Tx) error {
					tables.Namespaces.Put(tx, &cloudmap.Namespace{Home: home, ID: "ns-1", Name: "n", HTTPName: "n", Type: "HTTP"})
					tables.Services.Put(tx, &cloudmap.Service{Home: home, ID: "srv-1", Namespace: "ns-1", Name: "s"})
					tables.Operations.Put(tx, o)
					tables.Busies.Put(tx, &cloudmap.Busy{Home: home, Target: o.Target(), Operation: o.ID})
					step(tx, o)
					return nil
				}); err != nil {
					t.Fatal(err)
				}
				look(t, s, func(tx store.Tx, svc *cloudmap.Service) { revision = tables.Revision(tx, svc) })
				for range 2 { // two leaders, one after the other
					led(t, s)
				}
				look(t, s, func(tx store.Tx, svc *cloudmap.Service) {
					i, ok := tables.Instances.Peek(tx, tables.InstanceKey(home, "srv-1", "a"))
					if status := tables.Status(tx, o); !ok || i.Attributes["k"] != "v" || status.Status != "SUCCESS" {
						t.Errorf("%+v, operation %+v", i, status)
					}
					if _, busy := tables.Busies.Peek(tx, tables.Key(home, o.Target())); busy {
						t.Error("it goes on")
					}
					if again := tables.Revision(tx, svc) != revision; again == (name == "done") {
						t.Errorf("registered again: %v", again)
					}
				})
				_ = s.Close()
			})
		})
	}
}

func look(t *testing.T, s store.Store, f func(store.Tx, *cloudmap.Service)) {
	t.Helper()
	if err := s.View(t.Context(), store.Any, func(tx store.Tx) error {
		svc, err := tables.Service(tx, home, "srv-1")
		if err == nil {
			f(tx, svc)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// led runs the loops until they have nothing to do.
func led(t *testing.T, s store.Store) {
	t.Helper()
	l, err := New(Config{VPCs: &endpoint{}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var run sync.WaitGroup
	run.Go(func() { _ = s.Lead(ctx, l.Run) })
	time.Sleep(time.Minute)
	synctest.Wait()
	cancel()
	run.Wait()
}
