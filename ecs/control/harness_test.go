package control_test

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/control"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/ecs/tables/balancingtest"
	"github.com/berth-ecs/berth/ecs/tables/discoverytest"
	"github.com/berth-ecs/berth/ecs/tables/networktest"
	"github.com/berth-ecs/berth/loop"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

var home = ecs.Home{Account: "000000000000", Region: "us-east-1"}

// region is a store with the loops and a fake agent on every instance, in a bubble of virtual time.
type region struct {
	t     *testing.T
	store *mem.Store
	stop  func()

	network networktest.Network

	// What the fake agents make of a task: RUNNING at first, "" for nothing yet.
	becomes atomic.Pointer[func(*ecs.Task) string]

	balancer
}

// run makes a region with instances of 1,000 CPU units, named with their zone's letter first, and runs fn in it.
func run(t *testing.T, o control.Options, fn func(*region), instances ...string) {
	t.Helper()
	runFaulty(t, mem.Faults{}, o, fn, instances...)
}

func runFaulty(t *testing.T, faults mem.Faults, o control.Options, fn func(*region), instances ...string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &region{t: t, store: mem.Open(slices.Concat(tables.Schema(), networktest.Schema(), discoverytest.Schema(), balancingtest.Schema()), mem.Options{Faults: faults}), network: network()}
		r.become(func(*ecs.Task) string { return ecs.TaskRunning })
		r.update(func(tx store.Tx) {
			tables.Clusters.Put(tx, &ecs.Cluster{Home: home, Name: "c", Status: ecs.ClusterActive})
			define(tx, 1, 100)
			define(tx, 2, 100)
			defineWired(tx, 1)
			defineWired(tx, 2)
		})
		for _, id := range instances {
			r.join(id)
		}
		r.start(o)
		fn(r)
		r.stop()
		if err := r.store.Close(); err != nil {
			t.Error(err)
		}
	})
}

// become changes what the fake agents make of tasks.
func (r *region) become(fn func(*ecs.Task) string) { r.becomes.Store(&fn) }

// network has a subnet in each of the zones a and b.
func network() networktest.Network {
	return networktest.Network{
		Subnets: []ecs.Subnet{{ID: "subnet-a", VPC: "vpc-1", Zone: "us-east-1a", Free: 20}, {ID: "subnet-b", VPC: "vpc-1", Zone: "us-east-1b", Free: 20}},
		Groups:  []ecs.SecurityGroup{{ID: "sg-1", VPC: "vpc-1"}},
	}
}

func define(tx store.Tx, revision, cpu int32) {
	tables.TaskDefinitions.Put(tx, &ecs.TaskDefinition{Home: home, Family: "web", Revision: revision, Document: shape.TaskDefinition{
		Status: aws.Ptr("ACTIVE"), NetworkMode: aws.Ptr("bridge"),
		ContainerDefinitions: []shape.ContainerDefinition{{Name: aws.Ptr("app"), Cpu: aws.Ptr(cpu), Memory: aws.Ptr(int32(10)), Essential: aws.Ptr(true)}},
	}})
}

// wired is a family in network mode awsvpc.
const wired = "wired"

func defineWired(tx store.Tx, revision int32) {
	d, _ := tables.TaskDefinitions.Get(tx, tables.RevisionKey(home, "web", revision))
	next := *d
	next.Family, next.Document.NetworkMode = wired, aws.Ptr("awsvpc")
	next.Document.RequiresAttributes = []shape.Attribute{{Name: aws.Ptr("ecs.capability.task-eni")}}
	tables.TaskDefinitions.Put(tx, &next)
}

// awsvpc gives a service's tasks interfaces in both zones.
func awsvpc(s *ecs.Service) {
	s.Target.TaskDefinition = home.TaskDefinitionARN(wired, 1)
	s.Target.Network = &shape.NetworkConfiguration{AwsvpcConfiguration: &shape.AwsVpcConfiguration{Subnets: []string{"subnet-a", "subnet-b"}, SecurityGroups: []string{"sg-1"}}}
}

func family(s *ecs.Service) string {
	_, family, _, _ := ecs.RevisionOf(s.Target.TaskDefinition)
	return family
}

// start runs the loops and the agents until stop.
func (r *region) start(o control.Options) {
	ctx, cancel := context.WithCancel(context.Background())
	loops, err := control.New(control.Config{Wings: r.wings(), Held: discoverytest.Discovery{}, Options: o})
	if err != nil {
		r.t.Fatal(err)
	}
	ended := make(chan error, 3)
	go func() { ended <- r.store.Lead(ctx, loops.Run) }()
	go func() { ended <- loop.Run(ctx, r.agents()) }()
	go func() { ended <- loop.Run(ctx, r.balancers()) }()
	r.stop = func() {
		cancel()
		for range 3 {
			if err := <-ended; err != nil {
				r.t.Error(err)
			}
		}
	}
}

func (r *region) wings() tables.Wings {
	return tables.Wings{Network: r.network, Discovery: discoverytest.Discovery{}, Balancing: balancingtest.Balancing{}}
}

// agents is the loop of all fake agents: they report what becomes of tasks, and end those that should stop.
func (r *region) agents() loop.Config {
	return loop.Config{
		Name: "agents", Store: r.store, Tables: []string{tables.TaskDesireds.Name(), balancingtest.Targets.Name()},
		Dirty: dirtyTasks,
		All: func(tx store.Tx) iter.Seq[string] {
			return func(yield func(string) bool) {
				for key := range tables.TaskDesireds.List(tx, "", "") {
					if !yield(key) {
						return
					}
				}
			}
		},
		Reconcile: func(ctx context.Context, key string) (loop.Result, error) {
			var after time.Duration
			err := r.store.Update(ctx, func(tx store.Tx) error {
				after = 0
				if v, ok := tables.GetTask(tx, key); ok && connected(tx, v) {
					after = r.report(tx, v)
				}
				return nil
			})
			return loop.Result{After: after}, err
		},
		Debounce: 10 * time.Millisecond,
	}
}

func connected(tx store.Tx, v ecs.TaskView) bool {
	return tables.Connected(tx, tables.HostKey(v.Home, v.RunsOn()))
}

// report says what becomes of a task; one that leaves its load balancers is told to stop after that, at the latest when the answer is over.
func (r *region) report(tx store.Tx, v ecs.TaskView) time.Duration {
	key := tables.MemberKey(v.Home, v.Cluster, v.ID)
	status := (*r.becomes.Load())(v.Task)
	leaving, until := tables.Leaving(tx, balancingtest.Balancing{}, v)
	switch {
	case leaving && !until.IsZero():
		return until.Sub(tx.Now()) + time.Millisecond
	case leaving:
	case v.Desired.Status == ecs.TaskStopped:
		tables.ReportTask(tx, r.wings(), key, report(ecs.TaskStopped))
	case status != "":
		tables.ReportTask(tx, r.wings(), key, report(status))
	}
	return 0
}

func report(status string) ecs.Report {
	return ecs.Report{Status: status, Containers: []ecs.ContainerReport{{Name: "app", Status: status}}}
}

func (r *region) update(fn func(store.Tx)) {
	r.t.Helper()
	if err := r.store.Update(context.Background(), func(tx store.Tx) error { fn(tx); return nil }); err != nil {
		r.t.Fatal(err)
	}
}

// join registers an instance; the first letter of its id is its zone.
func (r *region) join(id string) {
	r.update(func(tx store.Tx) {
		tables.Instances.Put(tx, &ecs.Instance{
			Home: home, Cluster: "c", ID: id, Node: "n-" + id, LaunchType: "EC2",
			Attributes: []shape.Attribute{
				{Name: aws.Ptr("ecs.availability-zone"), Value: aws.Ptr("us-east-1" + id[:1])}, {Name: aws.Ptr("ecs.capability.task-eni")},
				{Name: aws.Ptr("berth.node-id"), Value: aws.Ptr("n-" + id)},
			},
		})
		tables.InstanceStates.Put(tx, &ecs.InstanceState{Home: home, Cluster: "c", ID: id, Status: ecs.InstanceActive, Connected: true})
		tables.Ledgers.Put(tx, &ecs.Ledger{Region: home.Region, Node: "n-" + id, Total: ecs.Amounts{CPU: 1000, MemoryMiB: 1000}})
	})
}

func (r *region) setInstance(id string, change func(*ecs.InstanceState)) {
	r.update(func(tx store.Tx) {
		s, _ := tables.InstanceStates.Get(tx, tables.MemberKey(home, "c", id))
		next := *s
		change(&next)
		tables.InstanceStates.Put(tx, &next)
	})
}

// create makes the service "web" of revision 1.
func (r *region) create(desired int32, change ...func(*ecs.Service)) {
	r.update(func(tx store.Tx) {
		s := &ecs.Service{
			Home: home, Cluster: "c", Name: "web", Incarnation: tx.NewID(), CreatedAt: tx.Now(), DesiredCount: desired,
			Scheduling: shape.SchedulingStrategyReplica,
			Target:     ecs.Deployment{ID: "ecs-svc/1", CreatedAt: tx.Now(), TaskDefinition: home.TaskDefinitionARN("web", 1)},
		}
		for _, f := range change {
			f(s)
		}
		tables.Services.Put(tx, s)
	})
}

func (r *region) change(fn func(*ecs.Service)) {
	r.update(func(tx store.Tx) {
		s, _ := tables.Services.Get(tx, serviceKey())
		next := *s
		fn(&next)
		tables.Services.Put(tx, &next)
	})
}

// deploy targets a revision.
func (r *region) deploy(revision int32) {
	r.change(func(s *ecs.Service) {
		s.Target.ID = fmt.Sprintf("ecs-svc/%d", revision)
		s.Target.CreatedAt = time.Now()
		s.Target.TaskDefinition = home.TaskDefinitionARN(family(s), revision)
	})
}

func serviceKey() string { return tables.MemberKey(home, "c", "web") }

// pass lets virtual time pass, and what it wakes finish.
func (r *region) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// settle lets virtual time pass until nothing that is due soon is left.
func (r *region) settle() {
	for range 20 {
		r.pass(50 * time.Millisecond)
	}
}

// line is the service's live tasks in one line, sorted: "2 a1 RUNNING" is a task of revision 2 on instance a1.
func (r *region) line() string {
	var out []string
	r.view(func(tx store.Tx) {
		for v := range tables.TasksOfService(tx, serviceKey(), tables.Live) {
			v.Leaving, _ = tables.Leaving(tx, balancingtest.Balancing{}, v)
			out = append(out, fmt.Sprintf("%d %s %s", v.Revision, v.Instance, v.ShownStatus()))
		}
	})
	slices.Sort(out)
	return strings.Join(out, ", ")
}

func (r *region) view(fn func(store.Tx)) {
	r.t.Helper()
	if err := r.store.View(context.Background(), store.Fresh, func(tx store.Tx) error { fn(tx); return nil }); err != nil {
		r.t.Fatal(err)
	}
}

func (r *region) want(line string) {
	r.t.Helper()
	r.settle()
	if got := r.line(); got != line {
		r.t.Errorf("tasks\ngot  %s\nwant %s\nevents:\n%s", got, line, strings.Join(r.events(), "\n"))
	}
}

// events are the sentences, oldest first, with names of tasks replaced by T.
func (r *region) events() []string {
	var out []string
	r.view(func(tx store.Tx) {
		for _, e := range tables.ServiceEvents.List(tx, tables.At(home).Prefix("c", "web"), "") {
			out = append(out, anonymous(e.Message))
		}
	})
	return out
}

func anonymous(s string) string {
	words := strings.Split(s, "(task ")
	for i := 1; i < len(words); i++ {
		words[i] = "T" + words[i][32:]
	}
	return strings.Join(words, "(task ")
}

// said fails unless the newest events end in these sentences.
func (r *region) said(want ...string) {
	r.t.Helper()
	got := r.events()
	if len(got) < len(want) || !slices.Equal(got[len(got)-len(want):], want) {
		r.t.Errorf("events\n%s\ndo not end in\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// tasks are the service's tasks of a liveness.
func (r *region) tasks(liveness string) []ecs.TaskView {
	var out []ecs.TaskView
	r.view(func(tx store.Tx) { out = slices.Collect(tables.TasksOfService(tx, serviceKey(), liveness)) })
	return out
}

// kill ends a task as its node would report it.
func (r *region) kill(v ecs.TaskView) {
	r.update(func(tx store.Tx) {
		tables.ReportTask(tx, r.wings(), tables.MemberKey(home, "c", v.ID), report(ecs.TaskStopped))
	})
}

func (r *region) status() *ecs.ServiceStatus {
	var out *ecs.ServiceStatus
	r.view(func(tx store.Tx) { out, _ = tables.ServiceStatuses.Peek(tx, serviceKey()) })
	return out
}
