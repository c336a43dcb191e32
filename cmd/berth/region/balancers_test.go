package region

import (
	"context"
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/berth-ecs/berth/cmd/berth/balancing"
	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/launch"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/elb/control/balancers"
	elbtables "github.com/berth-ecs/berth/elb/tables"
	"github.com/berth-ecs/berth/loop"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
	"github.com/berth-ecs/berth/vpc"
	vpctables "github.com/berth-ecs/berth/vpc/tables"
)

// balanced is a region whose loop of load balancers runs, with agents and proxies that do what they are asked, in a bubble of virtual time.
type balanced struct {
	t interface {
		Helper()
		Errorf(string, ...any)
		Fatalf(string, ...any)
	}
	store *mem.Store
	wings tables.Wings
	stop  func()
	vpc   string
	spare *vpc.Subnet // a second one in us-east-1a
	mute  bool        // proxies say nothing
}

var balancedHome = ecs.Home{Account: "000000000000", Region: "us-east-1"}

func elbHome(h ecs.Home) elb.Home { return elb.Home{Account: h.Account, Region: h.Region} }

// open makes one; the caller is in a bubble, and stops it.
func openBalanced(t *testing.T) *balanced {
	t.Helper()
	b := &balanced{t: t, store: mem.Open(Schema(), mem.Options{}), wings: tables.Wings{Network: network{pool: netip.MustParsePrefix("198.18.0.0/15")}}}
	b.update(func(tx store.Tx) {
		h := vpcHome(balancedHome)
		if err := vpctables.EnsureBase(tx, h, []string{"us-east-1a", "us-east-1b"}); err != nil {
			t.Fatal(err)
		}
		v, _ := vpctables.DefaultVPC(tx, h)
		b.vpc = v.ID
		near, _ := vpctables.DefaultSubnet(tx, h, "us-east-1a")
		spare := *near
		spare.ID, spare.CIDR, spare.Default = "subnet-22222222222222222", netip.MustParsePrefix("172.31.240.0/24"), false
		b.spare = &spare
		vpctables.Subnets.Put(tx, &spare)
		for _, id := range []string{"sg-11111111111111111", "sg-22222222222222222"} {
			vpctables.SecurityGroups.Put(tx, &vpc.SecurityGroup{Home: h, ID: id, VPC: v.ID, Name: id})
		}
	})
	b.start()
	return b
}

func (b *balanced) update(fn func(store.Tx)) {
	b.t.Helper()
	if err := b.store.Update(context.Background(), func(tx store.Tx) error { fn(tx); return nil }); err != nil {
		b.t.Fatalf("%v", err)
	}
}

func (b *balanced) start() {
	t := balancing.Nodes{Wings: b.wings}
	l, err := balancers.New(balancers.Config{Tasks: t, Interfaces: t, Machines: t})
	if err != nil {
		b.t.Fatalf("%v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var run sync.WaitGroup
	run.Go(func() {
		if err := b.store.Lead(ctx, l.Run); err != nil && ctx.Err() == nil {
			b.t.Errorf("%v", err)
		}
	})
	run.Go(func() {
		if err := loop.Run(ctx, b.agents()); err != nil {
			b.t.Errorf("%v", err)
		}
	})
	b.stop = func() { cancel(); run.Wait() }
}

func (b *balanced) close() {
	b.stop()
	_ = b.store.Close()
}

func (b *balanced) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// agents report what becomes of tasks on machines that are there, and say what proxies would.
func (b *balanced) agents() loop.Config {
	return loop.Config{
		Name: "agents", Store: b.store, Tables: []string{tables.TaskDesireds.Name(), tables.InstanceStates.Name()},
		Dirty: func(tx store.Tx, _ store.Change) []string { return slices.Collect(b.all(tx)) }, All: b.all,
		Reconcile: func(ctx context.Context, key string) (loop.Result, error) {
			return loop.Result{}, b.store.Update(ctx, func(tx store.Tx) error {
				if v, ok := tables.GetTask(tx, key); ok && v.Status.LastStatus != ecs.TaskStopped && tables.Connected(tx, tables.HostKey(v.Home, v.RunsOn())) {
					b.report(tx, key, v)
				}
				return nil
			})
		},
		Debounce: 10 * time.Millisecond,
	}
}

func (b *balanced) all(tx store.Tx) iter.Seq[string] {
	return func(yield func(string) bool) {
		for key := range tables.TaskDesireds.List(tx, "", "") {
			if !yield(key) {
				return
			}
		}
	}
}

func (b *balanced) report(tx store.Tx, key string, v ecs.TaskView) {
	status := ecs.TaskRunning
	if v.Desired.Status == ecs.TaskStopped {
		status = ecs.TaskStopped
	}
	tables.ReportTask(tx, b.wings, key, ecs.Report{Status: status, Attached: []string{v.AttachmentARN(v.Interface.Attachment)},
		Containers: []ecs.ContainerReport{{Name: "node", Status: status}}})
	if status == ecs.TaskRunning && !b.mute {
		elbtables.Places.Put(tx, &elb.Place{Home: elbHome(v.Home), LoadBalancer: strings.TrimPrefix(v.StartedBy, "elb/"), Zone: v.Zone,
			Interface: v.Interface.ID, Machine: v.Node, Serving: true, At: tx.Now()})
	}
}

// balance makes a load balancer in zones, by the letters at their ends; A is the spare subnet in zone a.
func (b *balanced) balance(id, zones string, change ...func(*elb.LoadBalancer)) {
	b.t.Helper()
	b.update(func(tx store.Tx) {
		l := &elb.LoadBalancer{Home: elbHome(balancedHome), ID: id, Name: "n" + id, Type: elb.TypeApplication, Scheme: "internet-facing", VPC: b.vpc,
			SecurityGroups: []string{"sg-11111111111111111"}, DNSName: "n" + id + ".elb", CreatedAt: tx.Now()}
		if old, ok := elbtables.LoadBalancers.Get(tx, elbtables.Key(l.Home, id)); ok {
			l.CreatedAt = old.CreatedAt
		}
		for _, z := range zones {
			name := "us-east-1" + strings.ToLower(string(z))
			s, _ := vpctables.DefaultSubnet(tx, vpcHome(balancedHome), name)
			if z == 'A' {
				s = b.spare
			}
			l.Zones = append(l.Zones, elb.Zone{Name: name, Subnet: s.ID})
		}
		for _, f := range change {
			f(l)
		}
		elbtables.LoadBalancers.Put(tx, l)
		elbtables.Listeners.Put(tx, &elb.Listener{Home: l.Home, LoadBalancer: id, ID: "1", Protocol: "HTTP", Port: 80})
	})
}

func (b *balanced) unbalance(id string) {
	b.update(func(tx store.Tx) {
		elbtables.LoadBalancers.Delete(tx, elbtables.Key(elbHome(balancedHome), id))
		b.silence(tx, id)
	})
}

// silence takes its listener away from a load balancer.
func (b *balanced) silence(tx store.Tx, id string) {
	elbtables.Listeners.Delete(tx, elbtables.ListenerKey(elbHome(balancedHome), id, "1"))
}

func (b *balanced) host(id, zone string) {
	b.update(func(tx store.Tx) { host(tx, balancedHome, id, "us-east-1"+zone, launch.ProxyAttribute) })
}

func (b *balanced) connect(id string, is bool) {
	b.update(func(tx store.Tx) {
		s, _ := tables.InstanceStates.Get(tx, tables.MemberKey(balancedHome, "c", id))
		next := *s
		next.Connected = is
		tables.InstanceStates.Put(tx, &next)
	})
}

// is checks the state and the nodes: zone letter, subnet's end, machine, and ! for one that is not named.
func (b *balanced) is(id, state string, want ...string) (s *elb.LoadBalancerStatus) {
	b.t.Helper()
	b.update(func(tx store.Tx) { s, _ = elbtables.Statuses.Peek(tx, elbtables.Key(elbHome(balancedHome), id)) })
	if s == nil {
		b.t.Fatalf("no status of %s", id)
	}
	var got []string
	for _, n := range s.Nodes {
		text := n.Zone[len(n.Zone)-1:]
		if n.Subnet == b.spare.ID {
			text = strings.ToUpper(text)
		}
		if text += " " + n.Machine; !n.Serving {
			text += " !"
		}
		got = append(got, text)
	}
	slices.Sort(got)
	if s.State != state || !slices.Equal(got, want) {
		b.t.Errorf("%s, %q (%s), want %s, %q", s.State, got, s.Reason, state, want)
	}
	return s
}

// left counts what load balancers have: tasks that have not STOPPED, interfaces, statuses and places.
func (b *balanced) left() (out string) {
	b.update(func(tx store.Tx) {
		tasks := len(balancing.Nodes{}.Of(tx, elbHome(balancedHome), ""))
		var interfaces, statuses, places int
		for range vpctables.Interfaces.List(tx, "", "") {
			interfaces++
		}
		for range elbtables.Statuses.List(tx, "", "") {
			statuses++
		}
		for range elbtables.Places.List(tx, "", "") {
			places++
		}
		used := 0
		for _, l := range tables.Ledgers.List(tx, "", "") {
			used += l.Used.Tasks
		}
		out = fmt.Sprint(tasks, interfaces, statuses, places, used)
	})
	return out
}

func bubbled(t *testing.T, fn func(b *balanced)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := openBalanced(t)
		fn(b)
		b.close()
	})
}

func TestALoadBalancerHasANodeInEachZone(t *testing.T) {
	bubbled(t, func(b *balanced) {
		b.host("1", "a")
		b.host("2", "b")
		b.balance("lb", "ab")
		b.pass(time.Second)
		s := b.is("lb", "active", "a n-1", "b n-2")
		if !s.Nodes[0].Public.IsValid() || !s.Nodes[0].Private.IsValid() {
			t.Errorf("%+v", s.Nodes)
		}
		b.balance("in", "a", func(l *elb.LoadBalancer) { l.Scheme = "internal" })
		b.pass(time.Second)
		if s := b.is("in", "active", "a n-1"); s.Nodes[0].Public.IsValid() {
			t.Errorf("%+v", s.Nodes)
		}
		b.unbalance("lb")
		b.unbalance("in")
		b.pass(time.Second)
		if got := b.left(); got != "0 0 0 0 0" {
			t.Error("left:", got)
		}
	})
}

func TestANodeThatEndsIsReplaced(t *testing.T) {
	bubbled(t, func(b *balanced) {
		b.host("1", "a")
		b.balance("lb", "a")
		b.pass(time.Second)
		was := b.is("lb", "active", "a n-1").Nodes[0]
		b.update(func(tx store.Tx) {
			a, _ := ecs.ParseARN(was.Task)
			tables.ReportTask(tx, b.wings, tables.MemberKey(a.Home, a.Parts[0], a.Parts[1]), ecs.Report{Status: ecs.TaskStopped})
		})
		b.pass(time.Second)
		if now := b.is("lb", "active", "a n-1").Nodes[0]; now.Task == was.Task || now.Public != was.Public {
			t.Errorf("%+v, then %+v", was, now)
		}
	})
}

func TestOtherSubnets(t *testing.T) {
	bubbled(t, func(b *balanced) {
		b.host("1", "a")
		b.host("2", "b")
		b.balance("lb", "a")
		b.pass(time.Second)
		b.mute = true
		b.balance("lb", "A") // another subnet in the zone
		b.pass(time.Minute)
		b.is("lb", "active", "A n-1 !", "a n-1")
		b.mute = false
		b.connect("1", false)
		b.connect("1", true)
		b.pass(time.Second)
		b.is("lb", "active", "A n-1", "a n-1 !")
		b.pass(time.Minute)
		b.is("lb", "active", "A n-1")
		b.balance("lb", "b") // another zone
		b.pass(time.Second)
		b.is("lb", "active", "A n-1 !", "b n-2")
		b.pass(time.Minute)
		b.is("lb", "active", "b n-2")
	})
}

func TestOtherSecurityGroups(t *testing.T) {
	bubbled(t, func(b *balanced) {
		b.host("1", "a")
		b.balance("lb", "a")
		b.pass(time.Second)
		was := b.is("lb", "active", "a n-1").Nodes[0]
		b.balance("lb", "a", func(l *elb.LoadBalancer) { l.SecurityGroups = []string{"sg-22222222222222222"} })
		b.pass(time.Second)
		now := b.is("lb", "active", "a n-1").Nodes[0]
		b.update(func(tx store.Tx) {
			i, _ := vpctables.Interfaces.Peek(tx, vpctables.Key(vpcHome(balancedHome), now.Interface))
			if now != was || !slices.Equal(i.Groups, []string{"sg-22222222222222222"}) {
				t.Errorf("%+v, then %+v: %v", was, now, i.Groups)
			}
		})
	})
}

// A zone of a region that has no machines there is left out, until it has one.
func TestAZoneWithoutMachines(t *testing.T) {
	bubbled(t, func(b *balanced) {
		b.host("1", "a")
		b.balance("lb", "ab")
		b.pass(time.Second)
		if s := b.is("lb", "active", "a n-1"); s.Reason != "" {
			t.Error(s.Reason)
		}
		b.host("2", "b")
		b.pass(time.Second)
		b.is("lb", "active", "a n-1", "b n-2")
		b.connect("2", false) // a machine that is away is one
		b.pass(time.Minute)
		b.is("lb", "active_impaired", "a n-1", "b n-2 !")
	})
}

// A load balancer is active before anybody gives it a listener: Terraform waits for the one before it makes the other.
func TestNoListeners(t *testing.T) {
	bubbled(t, func(b *balanced) {
		b.mute = true
		b.host("1", "a")
		b.balance("lb", "a")
		b.update(func(tx store.Tx) { b.silence(tx, "lb") })
		b.pass(time.Second)
		b.is("lb", "active", "a n-1")
	})
}

func TestNoRoom(t *testing.T) {
	bubbled(t, func(b *balanced) {
		b.balance("lb", "a")
		b.pass(time.Second)
		if s := b.is("lb", "provisioning"); !strings.HasPrefix(s.Reason, ecs.NoCapacity) || !strings.HasSuffix(s.Reason, "No node offers its capacity to FARGATE.") {
			t.Error(s.Reason)
		}
		b.pass(time.Minute)
		b.is("lb", "failed")
		b.host("1", "a")
		b.pass(10 * time.Second)
		if s := b.is("lb", "active", "a n-1"); s.Reason != "" {
			t.Error(s.Reason)
		}
	})
}

// Whatever happens, and wherever it is cut off: in the end each load balancer has one node in each of its zones that serves, and nothing is left of those
// that are gone.
func TestTheLoopOfLoadBalancersComesToRest(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		steps := rapid.SliceOfN(rapid.IntRange(0, 8), 1, 25).Draw(rt, "steps")
		waits := rapid.SliceOfN(rapid.IntRange(0, 40_000), len(steps), len(steps)).Draw(rt, "milliseconds")
		synctest.Test(t, func(t *testing.T) {
			b := openBalanced(t)
			for _, id := range []string{"1", "2"} {
				b.host(id, "a")
				b.host(id+"b", "b")
			}
			want := map[string]string{}
			for n, step := range steps {
				b.act(step, want)
				b.pass(time.Duration(waits[n]) * time.Millisecond)
			}
			for _, id := range []string{"1", "2", "1b", "2b"} {
				b.connect(id, true)
			}
			b.pass(5 * time.Minute)
			b.rests(rt, want)
			b.close()
		})
	})
}

// act does one thing.
func (b *balanced) act(step int, want map[string]string) {
	id := []string{"x", "y"}[step%2]
	switch step {
	case 0, 1:
		want[id] = "ab"
		b.balance(id, want[id])
	case 2, 3:
		want[id] = map[string]string{"ab": "A", "A": "b", "b": "Ab"}[want[id]]
		if want[id] == "" {
			want[id] = "a"
		}
		b.balance(id, want[id])
	case 4:
		delete(want, id)
		b.unbalance(id)
	case 5, 6:
		b.connect([]string{"1", "2b"}[step-5], false)
	case 7:
		b.connect("1", true)
	default:
		b.stop()
		b.start()
	}
}

func (b *balanced) rests(t *rapid.T, want map[string]string) {
	nodes := 0
	b.update(func(tx store.Tx) {
		for id, zones := range want {
			s, ok := elbtables.Statuses.Peek(tx, elbtables.Key(elbHome(balancedHome), id))
			if !ok || s.State != elb.StateActive || len(s.Nodes) != len(zones) {
				t.Errorf("%s in %s: %+v", id, zones, s)
				continue
			}
			for _, n := range s.Nodes {
				if !n.Serving {
					t.Errorf("%s: %+v", id, n)
				}
			}
			nodes += len(zones)
		}
	})
	if got, want := b.left(), fmt.Sprint(nodes, nodes, len(want), nodes, nodes); got != want {
		t.Errorf("tasks, interfaces, statuses, places, booked: %s, want %s", got, want)
	}
}
