package control_test

import (
	"strings"
	"testing"
	"time"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/control"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// offer makes the nodes of instances offer FARGATE, and the instances those of another cluster.
func (r *region) offer(ids ...string) {
	for _, id := range ids {
		r.update(func(tx store.Tx) {
			key := tables.MemberKey(home, "c", id)
			i, _ := tables.Instances.Get(tx, key)
			s, _ := tables.InstanceStates.Get(tx, key)
			host, state := *i, *s
			host.Cluster, state.Cluster = "nodes", "nodes"
			host.Attributes = append(host.Attributes, shape.Attribute{Name: aws.Ptr("berth.fargate"), Value: aws.Ptr("enabled")})
			tables.Instances.Delete(tx, key)
			tables.InstanceStates.Delete(tx, key)
			tables.Instances.Put(tx, &host)
			l, _ := tables.Ledgers.Get(tx, tables.LedgerKey(host.Region, host.Node))
			storage := *l
			storage.Total.StorageGiB = 1000
			tables.Ledgers.Put(tx, &storage)
			tables.InstanceStates.Put(tx, &state)
		})
	}
}

func fargate(s *ecs.Service) {
	awsvpc(s)
	s.Target.LaunchType = shape.LaunchTypeFargate
}

func spot(s *ecs.Service) {
	awsvpc(s)
	s.Target.CapacityStrategy = []shape.CapacityProviderStrategyItem{{CapacityProvider: aws.Ptr("FARGATE_SPOT"), Weight: aws.Ptr(int32(1)), Base: aws.Ptr(int32(0))}}
}

// A service on FARGATE spreads over the zones of its subnets in a cluster without instances, says in AWS's words that there is no room, and
// goes on trying.
func TestServiceOnFargate(t *testing.T) {
	run(t, control.Options{}, func(r *region) {
		r.offer("a1", "b1")
		r.create(4, fargate)
		r.want("1  RUNNING, 1  RUNNING, 1  RUNNING, 1  RUNNING")
		zones := map[string]int{}
		for _, v := range r.tasks(tables.Live) {
			zones[v.Zone]++
		}
		if zones["us-east-1a"] != 2 || zones["us-east-1b"] != 2 {
			t.Errorf("zones %v", zones)
		}
		r.change(func(s *ecs.Service) { s.DesiredCount = 21 })
		r.settle()
		if n := len(r.tasks(tables.Live)); n != 20 {
			t.Errorf("%d tasks on room for 20", n)
		}
		r.said("(service web) was unable to place a task. Reason: " + ecs.NoCapacity + ".")
		r.join("a2")
		r.offer("a2")
		r.settle()
		if n := len(r.tasks(tables.Live)); n != 21 {
			t.Errorf("%d tasks after a node came", n)
		}
		r.checkLedgers()
		r.checkInterfaces()
		r.change(func(s *ecs.Service) { s.DesiredCount = 2 })
		r.settle()
		r.said("(service web) has reached a steady state.")
		r.checkLedgers()
	}, "a1", "b1")
}

// Spot tasks of a service end for what is not Spot, which gets the room; the service says so and comes back when there is room again.
func TestSpotServiceGivesWay(t *testing.T) {
	run(t, control.Options{}, func(r *region) {
		r.offer("a1")
		r.create(10, spot)
		r.settle()
		if n := len(r.tasks(tables.Live)); n != 10 {
			t.Fatalf("%d Spot tasks", n)
		}
		r.update(func(tx store.Tx) {
			s, _ := tables.Services.Get(tx, serviceKey())
			first := *s
			first.Name, first.Incarnation, first.DesiredCount = "first", tx.NewID(), 2
			first.Target.ID, first.Target.CapacityStrategy, first.Target.LaunchType = "ecs-svc/9", nil, shape.LaunchTypeFargate
			tables.Services.Put(tx, &first)
		})
		r.pass(10 * time.Second)
		running := func(service string) (n int) {
			r.view(func(tx store.Tx) {
				for v := range tables.TasksOfService(tx, tables.MemberKey(home, "c", service), tables.Live) {
					if v.Running() {
						n++
					}
				}
			})
			return n
		}
		if first, web := running("first"), running("web"); first != 2 || web != 8 {
			t.Errorf("%d tasks that are not Spot run, %d that are", first, web)
		}
		n := 0
		for _, v := range r.tasks(tables.Stopped) {
			if code, _ := v.Shown(); code == shape.TaskStopCodeSpotInterruption {
				n++
			}
		}
		if events := strings.Join(r.events(), "\n"); n != 2 || strings.Count(events, "your Spot Task was interrupted.") != 2 || !strings.Contains(events, ecs.NoCapacity) {
			t.Errorf("%d interrupted; events\n%s", n, events)
		}
		r.checkLedgers()
		r.update(func(tx store.Tx) {
			key := tables.MemberKey(home, "c", "first")
			s, _ := tables.Services.Get(tx, key)
			none := *s
			none.DesiredCount = 0
			tables.Services.Put(tx, &none)
		})
		r.pass(tables.SpotRest + time.Minute)
		if web := running("web"); web != 10 {
			t.Errorf("%d Spot tasks when there is room again", web)
		}
		r.checkLedgers()
		r.checkInterfaces()
	}, "a1")
}
