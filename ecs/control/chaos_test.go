package control_test

import (
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/control"
	"github.com/berth-ecs/berth/ecs/place"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/ecs/tables/networktest"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// Whatever happens to a service, on a store that conflicts and loses watches, and however often the loops begin anew: no ledger is ever
// over-committed or wrong, and once nothing happens any more the service is what it should be.
func TestAServiceSurvivesWhatHappens(t *testing.T) {
	for seed := range uint64(16) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 1))
			sometimes := oneIn(rand.New(rand.NewPCG(seed, 2)))
			faults := mem.Faults{
				Conflict:  func(store.Txn) bool { return sometimes(10) },
				LoseWatch: func(int64) bool { return sometimes(20) },
			}
			runFaulty(t, faults, control.Options{StoppedPerService: 20}, func(r *region) {
				r.create(3, func(s *ecs.Service) {
					s.Configuration = shape.DeploymentConfiguration{
						MinimumHealthyPercent: aws.Ptr([]int32{0, 50, 100}[rnd.IntN(3)]), MaximumPercent: aws.Ptr([]int32{100, 150, 200}[rnd.IntN(3)]),
					}
					if seed%3 == 2 {
						daemon(s)
						s.DesiredCount, s.Configuration.MinimumHealthyPercent = 0, aws.Ptr([]int32{0, 50}[rnd.IntN(2)])
					}
					if seed%2 == 1 {
						breaking(true)(s)
					}
					if seed%4 >= 2 {
						awsvpc(s)
						found(s)
					}
					if seed%4 == 3 {
						balanced(s)
					}
				})
				r.registry()
				r.group()
				r.record()
				for range 60 {
					r.happen(rnd)
					r.pass(time.Duration(rnd.IntN(400)) * time.Millisecond)
					r.checkLedgers()
					r.checkInterfaces()
					r.checkFound()
					r.view(func(tx store.Tx) { checkRegistered(t, tx) })
				}
				r.calm()
				r.checkFound()
				r.checkInterfaces()
			}, "a1", "a2", "b1")
		})
	}
}

// oneIn answers true once in n calls; commits of several goroutines call it.
func oneIn(rnd *rand.Rand) func(n int) bool {
	var mu sync.Mutex
	return func(n int) bool {
		mu.Lock()
		defer mu.Unlock()
		return rnd.IntN(n) == 0
	}
}

func (r *region) happen(rnd *rand.Rand) {
	live := r.tasks(tables.Live)
	switch n := rnd.IntN(11); {
	case n == 0:
		r.change(func(s *ecs.Service) {
			if !s.Daemon() {
				s.DesiredCount = int32(rnd.IntN(8))
			}
		})
	case n == 1:
		r.redeploy(1 + int32(rnd.IntN(2)))
	case n == 2:
		broken := rnd.IntN(3)
		r.become(func(t *ecs.Task) string {
			if int(t.Revision) == broken {
				return ecs.TaskStopped
			}
			return ecs.TaskRunning
		})
	case n == 3:
		r.setInstance("a2", func(s *ecs.InstanceState) { s.Status = []string{ecs.InstanceActive, ecs.InstanceDraining}[rnd.IntN(2)] })
	case n == 4:
		r.setInstance("b1", func(s *ecs.InstanceState) { s.Connected = rnd.IntN(2) == 0 })
	case n == 8:
		r.lose("a1")
	case n == 9:
		r.tamper(rnd)
		r.pass(2 * time.Second) // mended by then
	case n == 5:
		r.stop()
		r.start(control.Options{StoppedPerService: 20})
	case len(live) > 0:
		r.kill(live[rnd.IntN(len(live))])
	}
}

// redeploy targets a revision in a new deployment, as the API does.
func (r *region) redeploy(revision int32) {
	r.deploy(revision)
	r.change(func(s *ecs.Service) { s.Target.ID = "ecs-svc/" + strconv.FormatInt(time.Now().UnixNano(), 10) })
	r.record()
}

// lose deregisters an instance with what runs on it; another of its name comes at once.
func (r *region) lose(id string) {
	r.setInstance(id, func(s *ecs.InstanceState) {
		s.Status, s.Connected, s.InactiveAt = ecs.InstanceInactive, false, time.Now()
	})
	r.pass(100 * time.Millisecond)
	r.setInstance(id, func(s *ecs.InstanceState) { s.Status, s.Connected = ecs.InstanceActive, true })
}

// calm ends all faults and waits for the service.
func (r *region) calm() {
	r.become(func(*ecs.Task) string { return ecs.TaskRunning })
	for _, id := range []string{"a2", "b1"} {
		r.setInstance(id, func(s *ecs.InstanceState) { s.Status, s.Connected = ecs.InstanceActive, true })
	}
	r.change(func(s *ecs.Service) { s.Configuration.MaximumPercent = aws.Ptr(int32(200)) }) // else nothing may ever move
	if d := r.status().Deployments; len(d) > 0 && d[0].RolloutState == "FAILED" {
		r.redeploy(1) // nothing else ends that
	}
	r.stop() // agents look at everything again
	r.start(control.Options{StoppedPerService: 20})
	r.pass(20 * time.Minute) // the longest throttle
	r.checkLedgers()
	var want *ecs.Service
	r.view(func(tx store.Tx) {
		s, _ := tables.Services.Peek(tx, serviceKey())
		want = tables.Counted(tx, r.network, s)
	})
	running, target := 0, ecs.TargetOf(want, r.status()).ID
	for _, v := range r.tasks(tables.Live) {
		if v.Running() && v.Deployment == target {
			running++
		} else {
			r.t.Errorf("task of %s is %s", v.Deployment, v.ShownStatus())
		}
	}
	if d := r.status().Deployments; running != int(want.DesiredCount) || len(d) != 1 || d[0].RolloutState != "COMPLETED" {
		r.t.Errorf("%d tasks run, %d are wanted; deployments %+v", running, want.DesiredCount, d)
	}
	r.said("(service web) has reached a steady state.")
	r.view(func(tx store.Tx) {
		for _, v := range tables.History(tx, want, "") {
			if !v.Finished() {
				r.t.Errorf("service deployment %s to %s goes on: %s", v.ID, v.Target, v.Shown())
			}
		}
	})
}

// checkInterfaces holds the interfaces there are to the tasks that are not STOPPED, and their addresses to each other.
func (r *region) checkInterfaces() {
	r.t.Helper()
	r.view(func(tx store.Tx) {
		want, addresses := map[string]bool{}, map[string]string{}
		for key, task := range tables.Tasks.List(tx, "", "") {
			if s, ok := tables.TaskStatuses.Peek(tx, key); ok && s.LastStatus != ecs.TaskStopped && task.Interface != nil {
				want[task.ARN()+" "+task.Interface.ID] = true
			}
		}
		for _, i := range networktest.Interfaces.List(tx, "", "") {
			if !want[i.Task+" "+i.ID] {
				r.t.Errorf("interface %s of %s is left", i.ID, i.Task)
			}
			delete(want, i.Task+" "+i.ID)
			if other, taken := addresses[i.Addr.String()]; taken {
				r.t.Errorf("%s is of %s and %s", i.Addr, other, i.ID)
			}
			addresses[i.Addr.String()] = i.ID
		}
		for id := range want {
			r.t.Errorf("%s is not there", id)
		}
	})
}

// checkLedgers holds each ledger against the tasks that are booked in it.
func (r *region) checkLedgers() {
	r.t.Helper()
	r.view(func(tx store.Tx) {
		want := map[string]ecs.Amounts{}
		for key, task := range tables.Tasks.List(tx, "", "") {
			if s, ok := tables.TaskStatuses.Peek(tx, key); ok && s.LastStatus != ecs.TaskStopped {
				want[task.Node] = place.Add(want[task.Node], task.Holds)
			}
		}
		for _, l := range tables.Ledgers.List(tx, "", "") {
			if diff := cmp.Diff(want[l.Node], l.Used); diff != "" || l.Used.CPU > l.Total.CPU {
				r.t.Errorf("ledger of %s: %s, used %d of %d", l.Node, diff, l.Used.CPU, l.Total.CPU)
			}
		}
	})
}
