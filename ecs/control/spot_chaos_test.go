package control_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/control"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// market is a region whose nodes, room for 30 tasks in all, are FARGATE's, with three services on it: "web" by a strategy of both
// providers, "first" that is not Spot, "spare" that is.
type market struct {
	*region
	rnd         *rand.Rand
	wanted      map[string]int32
	interrupted int
	deployments int
}

var marketNodes = []string{"a1", "a2", "b1"}

const (
	marketBase                       = 2 // of web's tasks are on FARGATE, and a quarter of the rest
	marketFargate, marketSpot        = 1, 3
	marketRoom                       = 30
	providerFargate, providerOfSpots = "FARGATE", "FARGATE_SPOT"
)

func strategyItem(provider string, base, weight int32) shape.CapacityProviderStrategyItem {
	return shape.CapacityProviderStrategyItem{CapacityProvider: &provider, Base: &base, Weight: &weight}
}

// Whatever happens to services on FARGATE and its Spot: no node is overcommitted, only Spot tasks are interrupted, none where nothing else
// lacks room, and once nothing happens any more what is not Spot runs, Spot has what is left, and a strategy is kept to.
func TestSpotMarket(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			sometimes := oneIn(rand.New(rand.NewPCG(seed, 4)))
			faults := mem.Faults{Conflict: func(store.Txn) bool { return sometimes(10) }, LoseWatch: func(int64) bool { return sometimes(20) }}
			runFaulty(t, faults, control.Options{}, func(r *region) {
				r.stop() // addresses are not what there is too little of
				r.network.Subnets = []ecs.Subnet{{ID: "subnet-a", VPC: "vpc-1", Zone: "us-east-1a", Free: 99}, {ID: "subnet-b", VPC: "vpc-1", Zone: "us-east-1b", Free: 99}}
				r.start(control.Options{})
				r.offer(marketNodes...)
				m := &market{region: r, rnd: rand.New(rand.NewPCG(seed, 3)), wanted: map[string]int32{}}
				m.open()
				for range 40 {
					m.happen()
					r.pass(time.Duration(m.rnd.IntN(30_000)) * time.Millisecond)
					m.checkSpot()
				}
				m.close()
			}, marketNodes...)
		})
	}
}

func (m *market) open() {
	both := []shape.CapacityProviderStrategyItem{strategyItem(providerFargate, marketBase, marketFargate), strategyItem(providerOfSpots, 0, marketSpot)}
	for name, change := range map[string]func(*ecs.Service){
		"web":   func(s *ecs.Service) { awsvpc(s); s.Target.CapacityStrategy = both },
		"first": fargate,
		"spare": spot,
	} {
		n := 1 + m.rnd.Int32N(6)
		m.wanted[name] = n
		m.update(func(tx store.Tx) {
			s := &ecs.Service{
				Home: home, Cluster: "c", Name: name, Incarnation: tx.NewID(), CreatedAt: tx.Now(), DesiredCount: n, Scheduling: shape.SchedulingStrategyReplica,
				Target: ecs.Deployment{ID: "ecs-svc/" + name, CreatedAt: tx.Now()},
			}
			change(s)
			tables.Services.Put(tx, s)
		})
	}
}

func (m *market) edit(name string, fn func(*ecs.Service)) {
	m.update(func(tx store.Tx) {
		s, _ := tables.Services.Get(tx, tables.MemberKey(home, "c", name))
		next := *s
		fn(&next)
		tables.Services.Put(tx, &next)
	})
}

func (m *market) scale(name string, n int32) {
	m.wanted[name] = n
	m.edit(name, func(s *ecs.Service) { s.DesiredCount = n })
}

// redeploy makes all tasks of a service anew.
func (m *market) redeploy(name string) {
	m.deployments++
	m.edit(name, func(s *ecs.Service) {
		s.Target.ID, s.Target.CreatedAt = fmt.Sprintf("ecs-svc/%s%d", name, m.deployments), time.Now()
	})
}

func (m *market) connect(id string, yes bool) {
	m.update(func(tx store.Tx) {
		s, _ := tables.InstanceStates.Get(tx, tables.MemberKey(home, "nodes", id))
		next := *s
		next.Connected = yes
		tables.InstanceStates.Put(tx, &next)
	})
}

func (m *market) happen() {
	live := m.tasks(tables.Live)
	names := []string{"web", "first", "spare"}
	name := names[m.rnd.IntN(3)]
	switch n := m.rnd.IntN(10); {
	case n < 4:
		m.scale(name, m.rnd.Int32N(16))
	case n == 4:
		m.redeploy(name)
	case n == 5:
		m.connect(marketNodes[m.rnd.IntN(3)], m.rnd.IntN(2) == 0)
	case n == 6:
		m.stop()
		m.start(control.Options{})
	case len(live) > 0:
		m.kill(live[m.rnd.IntN(len(live))])
	}
}

// interruptions are the tasks with that stop code; whatever else ends has another.
func (m *market) interruptions() (n int) {
	m.t.Helper()
	m.view(func(tx store.Tx) {
		for _, d := range tables.TaskDesireds.List(tx, "", "") {
			if d.StopCode != shape.TaskStopCodeSpotInterruption {
				continue
			}
			n++
			v, ok := tables.GetTask(tx, tables.MemberKey(d.Home, d.Cluster, d.ID))
			if _, reason := v.Shown(); ok && (v.CapacityProvider != providerOfSpots || reason != ecs.ReasonSpot) {
				m.t.Errorf("task of %s on %q was interrupted: %s", v.Service, v.CapacityProvider, reason)
			}
		}
	})
	return n
}

func (m *market) checkSpot() {
	m.t.Helper()
	m.checkLedgers()
	m.checkInterfaces()
	m.interrupted = m.interruptions()
}

// running are the tasks of a service that run, by provider.
func (m *market) running(name string) map[string]int {
	out := map[string]int{}
	m.view(func(tx store.Tx) {
		for v := range tables.TasksOfService(tx, tables.MemberKey(home, "c", name), tables.Live) {
			if v.Running() && v.Desired.Status == shape.DesiredStatusRunning {
				out[v.CapacityProvider]++
			}
		}
	})
	return out
}

func sum(n map[string]int) (all int) {
	for _, v := range n {
		all += v
	}
	return all
}

// close lets everything come to rest: first with Spot wanting more than there is, then with room for all.
func (m *market) close() {
	for _, id := range marketNodes {
		m.connect(id, true)
	}
	m.scale("spare", 25)
	m.scale("first", 5)
	m.scale("web", 10)
	for _, name := range []string{"web", "first", "spare"} {
		m.redeploy(name)
	}
	m.pass(time.Hour)
	m.checkSpot()
	web, first, spare := m.running("web"), m.running("first"), m.running("spare")
	if sum(first) != 5 || web[providerFargate] < marketBase {
		m.t.Errorf("not Spot: first %v, web %v, spare %v", first, web, spare)
	}
	if all := sum(web) + sum(first) + sum(spare); all != marketRoom {
		m.t.Errorf("%d tasks run where %d have room: web %v, first %v, spare %v", all, marketRoom, web, first, spare)
	}
	before := m.interrupted
	m.pass(time.Hour)
	if m.checkSpot(); m.interrupted != before {
		m.t.Errorf("%d were interrupted for nothing", m.interrupted-before)
	}
	m.scale("first", 8) // what gives way is as much as is needed
	m.pass(30 * time.Minute)
	if m.checkSpot(); m.interrupted-before != 3 || sum(m.running("first")) != 8 {
		m.t.Errorf("3 tasks needed room: %d were interrupted, %v run", m.interrupted-before, m.running("first"))
	}
	m.scale("first", 40) // as many as have room; the rest says so, and interrupts none for nothing
	m.pass(time.Hour)
	m.checkSpot()
	if n := sum(m.running("spare")) + m.running("web")[providerOfSpots]; n != 0 || sum(m.running("first")) != marketRoom-m.running("web")[providerFargate] {
		m.t.Errorf("web %v, first %v, spare %v", m.running("web"), m.running("first"), m.running("spare"))
	}
	m.settleShares()
}

// settleShares: with room for all, every service has its number, and web its shares.
func (m *market) settleShares() {
	m.scale("first", 4)
	m.scale("spare", 5)
	m.scale("web", 10)
	m.redeploy("web")
	m.pass(2 * time.Hour)
	m.checkSpot()
	web := m.running("web")
	wanted := marketBase + (10-marketBase)*marketFargate/(marketFargate+marketSpot)
	if sum(m.running("first")) != 4 || sum(m.running("spare")) != 5 || web[providerFargate] != wanted || web[providerOfSpots] != 10-wanted {
		m.t.Errorf("at rest: first %v, spare %v, web %v; %d of web on FARGATE are wanted", m.running("first"), m.running("spare"), web, wanted)
	}
	live := m.tasks(tables.Live)
	slices.SortFunc(live, func(a, b ecs.TaskView) int { return int(a.CreatedAt.Sub(b.CreatedAt)) })
	for _, v := range live {
		if v.Service == "web" {
			m.kill(v) // each is replaced by one of its kind
			m.pass(5 * time.Minute)
		}
	}
	if again := m.running("web"); again[providerFargate] != web[providerFargate] || again[providerOfSpots] != web[providerOfSpots] {
		m.t.Errorf("replaced one after the other: %v were %v", again, web)
	}
	m.checkSpot()
}
