package control_test

import (
	"context"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/control"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/ecs/tables/discoverytest"
	"github.com/berth-ecs/berth/store"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

const registryID = "srv-1"

var registryARN = discoverytest.ARN(home, registryID)

// registry makes the registry that found services use.
func (r *region) registry() {
	r.update(func(tx store.Tx) { discoverytest.Make(tx, home, registryID, true, "A") })
}

// found makes a service's tasks found by service discovery.
func found(s *ecs.Service) {
	s.Target.Registries = []shape.ServiceRegistry{{RegistryArn: aws.Ptr(registryARN)}}
}

// instances are the ids of the tasks that service discovery knows.
func (r *region) instances() []string {
	var out []string
	r.view(func(tx store.Tx) {
		for _, i := range discoverytest.Instances.List(tx, "", "") {
			out = append(out, i.ID)
		}
	})
	slices.Sort(out)
	return out
}

// checkFound holds what service discovery knows to the tasks that run.
func (r *region) checkFound() {
	r.t.Helper()
	want := map[string]bool{}
	r.view(func(tx store.Tx) {
		for key, task := range tables.Tasks.List(tx, "", "") {
			if v, ok := tables.PeekTask(tx, key); ok && v.Running() && len(task.Registries) > 0 {
				want[task.ID] = true
			}
		}
	})
	if got := r.instances(); !slices.Equal(got, slices.Sorted(maps.Keys(want))) {
		r.t.Errorf("found %v, want %v", got, slices.Sorted(maps.Keys(want)))
	}
}

// tamper does what clients of service discovery may do to what is not theirs.
func (r *region) tamper(rnd *rand.Rand) {
	r.update(func(tx store.Tx) {
		for key, i := range discoverytest.Instances.List(tx, "", "") {
			switch rnd.IntN(3) {
			case 0:
				discoverytest.Instances.Delete(tx, key)
			case 1:
				other := *i
				other.Task, other.Attributes = "", map[string]string{"AWS_INSTANCE_IPV4": "10.9.9.9"}
				discoverytest.Instances.Put(tx, &other)
			}
		}
		ghost := home.TaskARN("c", "00000000000000000000000000000000")
		discoverytest.Instances.Put(tx, &discoverytest.Instance{Home: home, Registry: registryARN, ID: "ghost", Task: ghost})
	})
}

// While a deployment goes on, as many tasks as the service keeps healthy are found at every moment, and none that should stop.
func TestARolloutIsFoundThroughout(t *testing.T) {
	run(t, control.Options{}, func(r *region) {
		r.registry()
		r.create(4, awsvpc, found, func(s *ecs.Service) {
			s.Configuration = shape.DeploymentConfiguration{MinimumHealthyPercent: aws.Ptr(int32(100)), MaximumPercent: aws.Ptr(int32(150))}
		})
		r.want("1 a1 RUNNING, 1 a1 RUNNING, 1 b1 RUNNING, 1 b1 RUNNING")
		r.checkFound()
		moments := r.moments(func(tx store.Tx) {
			n := 0
			for key, i := range discoverytest.Instances.List(tx, "", "") {
				n++
				if v, ok := tables.PeekTask(tx, tables.MemberKey(home, "c", i.ID)); !ok || !v.Running() {
					t.Errorf("%s is found and does not run", key)
				}
			}
			if n < 4 {
				t.Errorf("%d are found", n)
			}
		})
		r.deploy(2)
		r.want("2 a1 RUNNING, 2 a1 RUNNING, 2 b1 RUNNING, 2 b1 RUNNING")
		r.checkFound()
		if n := moments(); n < 8 {
			t.Errorf("only %d moments were looked at", n)
		}
	}, "a1", "b1")
}

// moments looks at the records after every commit that this wing sees, until it is called: it answers how many there were.
func (r *region) moments(look func(store.Tx)) func() int {
	ctx, cancel := context.WithCancel(r.t.Context())
	sub := r.store.Watch(ctx, discoverytest.Instances.Name(), tables.TaskDesireds.Name(), tables.TaskStatuses.Name())
	seen := make(chan int)
	go func() {
		n := 0
		defer func() { seen <- n }()
		for {
			b, err := sub.Next(ctx)
			if err != nil {
				return
			}
			look(b.Snapshot)
			n++
		}
	}()
	return func() int { cancel(); defer sub.Close(); return <-seen }
}

func TestWhatClientsTookAwayIsMended(t *testing.T) {
	run(t, control.Options{}, func(r *region) {
		r.registry()
		r.create(6, awsvpc, found)
		r.settle()
		rnd := rand.New(rand.NewPCG(1, 1))
		for range 10 {
			r.tamper(rnd)
			r.pass(time.Second)
			r.checkFound()
		}
		r.stop()
		r.tamper(rnd) // while nobody leads
		r.start(control.Options{})
		r.pass(time.Second)
		r.checkFound()
	}, "a1", "b1")
}

// What cannot be registered is said once, with its reason, and registered as soon as that is possible.
func TestAServiceSaysWhyItsTasksAreNotFound(t *testing.T) {
	const head = "(service web) was unable to register a task in service discovery. Reason: "
	run(t, control.Options{}, func(r *region) {
		r.create(1, awsvpc, found)
		r.want("1 a1 RUNNING")
		said := func(sentence string, times int) {
			t.Helper()
			n := 0
			for _, e := range r.events() {
				if e == sentence {
					n++
				}
			}
			if n != times {
				t.Errorf("%d times: %s\n%q", n, sentence, r.events())
			}
		}
		none, full := head+"The service registry does not exist. Registry: "+registryARN, head+"the registry is full"
		r.pass(time.Minute)
		said(none, 1)
		r.update(func(tx store.Tx) {
			discoverytest.Registries.Put(tx, &discoverytest.Registry{Home: home, ID: registryID, Registry: ecs.Registry{ARN: registryARN, Records: []string{"A"}}, Refuses: true})
		})
		r.pass(time.Minute)
		said(none, 1)
		said(full, 1)
		r.registry()
		r.pass(time.Second)
		r.checkFound()
		r.update(func(tx store.Tx) { // and again, later
			discoverytest.Registries.Delete(tx, tables.At(home).Key(registryID))
			for key := range discoverytest.Instances.List(tx, "", "") {
				discoverytest.Instances.Delete(tx, key)
			}
		})
		r.pass(time.Second)
		said(none, 2)
		r.registry()
		r.pass(time.Second)
		r.checkFound()
	}, "a1")
}

// Tasks at their machine's address are found where that is, also after it says another.
func TestATaskMovesWithItsMachine(t *testing.T) {
	run(t, control.Options{}, func(r *region) {
		r.update(func(tx store.Tx) {
			discoverytest.Make(tx, home, registryID, true, "SRV")
			d, _ := tables.TaskDefinitions.Get(tx, tables.RevisionKey(home, "web", 1))
			next := *d
			next.Document.NetworkMode = aws.Ptr("host")
			tables.TaskDefinitions.Put(tx, &next)
		})
		r.create(2, found, func(s *ecs.Service) {
			s.Target.Registries[0].ContainerName, s.Target.Registries[0].ContainerPort = aws.Ptr("app"), aws.Ptr(int32(80))
		})
		r.want("1 a1 RUNNING, 1 a1 RUNNING")
		if got := r.instances(); len(got) != 0 {
			t.Errorf("found nowhere: %v", got)
		}
		for _, address := range []string{"192.0.2.1", "192.0.2.2"} {
			r.update(func(tx store.Tx) {
				i, _ := tables.Instances.Get(tx, tables.MemberKey(home, "c", "a1"))
				next := *i
				next.Attributes = append(slices.Clone(i.Attributes[:3]), shape.Attribute{Name: aws.Ptr("berth.node-address"), Value: &address})
				tables.Instances.Put(tx, &next)
			})
			r.pass(time.Second)
			r.checkFound()
			r.view(func(tx store.Tx) {
				for _, i := range discoverytest.Instances.List(tx, "", "") {
					if got := i.Attributes["AWS_INSTANCE_IPV4"]; got != address {
						t.Errorf("found at %s, not at %s", got, address)
					}
				}
			})
		}
	}, "a1")
}
