package hub_test

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/ecs/tables/balancingtest"
	"github.com/berth-ecs/berth/ecs/target"
	"github.com/berth-ecs/berth/session"
	"github.com/berth-ecs/berth/session/hub"
	"github.com/berth-ecs/berth/store"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

var balancing = tables.Wings{Balancing: balancingtest.Balancing{}}

// balancedWorld has a target group by instance, and knows load balancing.
func balancedWorld(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, func(c *hub.Config) { c.Wings = balancing })
	w.update(func(tx store.Tx) {
		balancingtest.Make(tx, home, "blue", target.ByInstance)
		i, _ := tables.Instances.Get(tx, tables.MemberKey(home, cluster, instanceID))
		next := *i
		next.EC2InstanceID = "i-1"
		tables.Instances.Put(tx, &next)
	})
	return w
}

// serve launches a task that is a target by a port of its machine, and runs.
func (w *world) serve(id string, port int32) {
	w.launch(id)
	w.update(func(tx store.Tx) {
		key := tables.MemberKey(home, cluster, id)
		t, _ := tables.Tasks.Get(tx, key)
		next := *t
		next.Balancers = []shape.LoadBalancer{{TargetGroupArn: aws.Ptr(balancingtest.ARN(home, "blue")), ContainerName: aws.Ptr("web"), ContainerPort: aws.Ptr(int32(80))}}
		tables.Tasks.Put(tx, &next)
		tables.ReportTask(tx, balancing, key, ecs.Report{Status: ecs.TaskRunning, Containers: []ecs.ContainerReport{{Name: "web", Status: ecs.TaskRunning,
			NetworkBindings: []shape.NetworkBinding{{ContainerPort: aws.Ptr(int32(80)), HostPort: &port}}}}})
	})
}

// inFlight says whether load balancers have something in flight for a task.
func (w *world) inFlight(id string) bool {
	out := false
	w.update(func(tx store.Tx) {
		ok, _ := tables.Withdrawn(tx, balancingtest.Balancing{}, home.TaskARN(cluster, id))
		out = !ok
	})
	return out
}

func (w *world) stop(id string) {
	w.update(func(tx store.Tx) {
		tables.StopTask(tx, balancing, tables.MemberKey(home, cluster, id), shape.TaskStopCodeUserInitiated, "x")
	})
}

// settle lets nothing be in flight for a task any more.
func (w *world) settle(id string) {
	w.update(func(tx store.Tx) {
		for key, t := range balancingtest.Targets.List(tx, "", "") {
			if t.Task == home.TaskARN(cluster, id) {
				balancingtest.Targets.Delete(tx, key)
			}
		}
	})
}

// In whatever order tasks are stopped, what is in flight ends, and agents come and go: an agent hears of no stop before load balancers have let go of the
// task, hears of every one then, and is not allowed to stop the task by itself before.
func TestStopsWaitForLoadBalancers(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			rnd := rand.New(rand.NewPCG(seed, 9))
			w := balancedWorld(t)
			var steps []func()
			ids := []string{"aaaa", "bbbb", "cccc", "dddd"}
			for i, id := range ids {
				w.serve(id, int32(32768+i))
			}
			a := w.connect()
			next[*session.TaskManifestMessage](a)
			for _, id := range ids {
				steps = append(steps, func() { w.stop(id) })
				if rnd.IntN(2) == 0 {
					steps = append(steps, func() {
						a = w.connect()
						a.mayNotStop(next[*session.TaskManifestMessage](a))
					})
				}
			}
			rnd.Shuffle(len(steps), func(i, j int) { steps[i], steps[j] = steps[j], steps[i] })
			for _, step := range steps {
				step()
			}
			order := slices.Clone(ids)
			rnd.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
			for _, id := range order {
				w.settle(id)
				m := next[*session.PayloadMessage](a)
				if got := m.Tasks[0]; got.Arn != home.TaskARN(cluster, id) || got.DesiredStatus != "STOPPED" {
					t.Fatalf("%s has been let go of; the agent hears of %s %s", id, got.Arn, got.DesiredStatus)
				}
				if w.inFlight(id) {
					t.Fatalf("%s is told to stop while something is in flight", id)
				}
				a.send(&session.AckRequest{MessageID: m.MessageID})
			}
		})
	}
}

// mayNotStop asks whether the agent may stop what its manifest leaves out, all of which is in flight.
func (a *agent) mayNotStop(m *session.TaskManifestMessage) {
	a.w.t.Helper()
	for _, task := range m.Tasks {
		if task.DesiredStatus != "RUNNING" {
			a.w.t.Errorf("the manifest has %s %s", task.TaskArn, task.DesiredStatus)
		}
	}
	if len(m.Tasks) != 4 {
		a.w.t.Errorf("the manifest has %d tasks", len(m.Tasks))
	}
}

// The wait ends with the deregistration delay, whatever load balancers say or do not.
func TestAStopWaitsNoLongerThanTheDelay(t *testing.T) {
	w := balancedWorld(t)
	w.update(func(tx store.Tx) {
		balancingtest.Make(tx, home, "blue", target.ByInstance).Delay = 300 * time.Millisecond
	})
	w.serve("aaaa", 32768)
	a := w.connect()
	next[*session.TaskManifestMessage](a)
	w.stop("aaaa")
	if m := next[*session.PayloadMessage](a); m.Tasks[0].Arn != home.TaskARN(cluster, "aaaa") || m.Tasks[0].DesiredStatus != "STOPPED" {
		t.Fatalf("told %+v", m)
	}
	w.update(func(tx store.Tx) {
		for s := range (balancingtest.Balancing{}).Targets(tx, "") {
			if tx.Now().Before(s.Until) {
				t.Errorf("told %v before the wait is over", s.Until.Sub(tx.Now()))
			}
		}
	})
}
