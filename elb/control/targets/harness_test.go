package targets

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/elb/tables"
	"github.com/berth-ecs/berth/proxyconf"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
)

var home = elb.Home{Account: "000000000000", Region: "us-east-1"}

const (
	groupID    = "00000000000000aa"
	balancerID = "00000000000000bb"
	machine    = "node-1"
)

// job is what owns targets here: a record of a wing that is none.
type job struct{ Name, State string }

var jobs = store.Define(store.Def[job]{Name: "test.job", Version: 1, Key: func(j *job) string { return store.Installation().Key(j.Name) }})

// jobOwners owns targets by the names of jobs.
type jobOwners struct{}

func (jobOwners) Tables() []string { return []string{jobs.Name()} }

func (jobOwners) Ended(c store.Change) (string, bool) {
	was, now, ok := jobs.Of(c)
	if !ok {
		return "", false
	}
	return either(now, was).Name, now == nil || now.State == "over"
}

func (jobOwners) Alive(tx store.Tx, owner string) bool {
	j, ok := jobs.Get(tx, store.Installation().Key(owner))
	return ok && j.State != "over"
}

// instances are i-<last number of the address>.
type instances struct{}

func (instances) Instance(_ store.Tx, _ elb.Home, at netip.Addr) (string, bool) {
	return "i-" + at.String()[strings.LastIndexByte(at.String(), '.')+1:], at.Is4()
}

type world struct {
	*testing.T
	store *mem.Store
	ear   *Ear
	stop  func()
}

func schema() store.Schema { return append(tables.Schema(), jobs) }

// led runs test beside a leader, in virtual time.
func led(t *testing.T, test func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{T: t, store: mem.Open(schema(), mem.Options{})}
		w.furnish()
		w.start()
		test(w)
		w.stop()
		_ = w.store.Close()
	})
}

func (w *world) furnish() {
	w.Helper()
	var err error
	if w.ear, err = NewEar(EarConfig{Store: w.store, Instances: instances{}}); err != nil {
		w.Fatal(err)
	}
	w.update(func(tx store.Tx) { tables.TargetGroups.Put(tx, group()) })
	w.balanced("eni-a", "eni-b")
}

func (w *world) start() {
	w.Helper()
	l, err := New(Config{Owners: jobOwners{}})
	if err != nil {
		w.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx, w.store) }()
	w.stop = func() {
		cancel()
		if err := <-ended; err != nil {
			w.Error(err)
		}
	}
	synctest.Wait()
}

func (w *world) update(fn func(tx store.Tx)) {
	w.Helper()
	if err := w.store.Update(context.Background(), func(tx store.Tx) error { fn(tx); return nil }); err != nil {
		w.Fatal(err)
	}
}

func group() *elb.TargetGroup {
	return &elb.TargetGroup{Home: home, ID: groupID, Name: "web", Type: elb.TargetIP, Protocol: elb.HTTP, Version: elb.HTTP1, Port: 80, VPC: "vpc-1"}
}

// balanced makes a load balancer forward to the group, with nodes that serve on the machine, by their interfaces.
func (w *world) balanced(interfaces ...string) {
	w.Helper()
	w.update(func(tx store.Tx) {
		s := &elb.LoadBalancerStatus{Home: home, LoadBalancer: balancerID, State: elb.StateActive}
		for _, i := range interfaces {
			s.Nodes = append(s.Nodes, elb.Node{Zone: i[4:], Interface: i, Machine: machine, Serving: true})
		}
		tables.LoadBalancers.Put(tx, &elb.LoadBalancer{Home: home, ID: balancerID, Name: "front", Type: elb.TypeApplication, VPC: "vpc-1", Zones: []elb.Zone{{Name: "a"}, {Name: "b"}}})
		tables.Statuses.Put(tx, s)
		tables.Listeners.Put(tx, &elb.Listener{Home: home, LoadBalancer: balancerID, ID: "00000000000000cc", Port: 80, Protocol: "HTTP",
			Default: []elb.Action{{Type: "forward", Groups: []elb.Weighted{{Group: groupID, Weight: 1}}}}})
	})
}

func registration(id, owner string) tables.Registration {
	return tables.Registration{Home: home, Group: groupID, TargetKey: elb.TargetKey{ID: id, Port: 80}, Place: "a", Owner: owner}
}

func (w *world) register(id, owner string) {
	w.Helper()
	w.update(func(tx store.Tx) {
		if _, err := tables.Register(tx, registration(id, owner)); err != nil {
			w.Fatal(err)
		}
	})
}

func (w *world) deregister(id string) {
	w.Helper()
	w.update(func(tx store.Tx) { tables.Deregister(tx, registration(id, "")) })
}

func part(iface string) string {
	return elb.Part{Home: home, LoadBalancer: balancerID, Zone: iface[4:], Interface: iface}.String()
}

const pool = "elb/000000000000/us-east-1/" + groupID + "/a+b"

func health(iface, id, state string) proxyconf.Health {
	return proxyconf.Health{Part: part(iface), Endpoints: pool, Addr: netip.AddrPortFrom(netip.MustParseAddr(id), 80), State: state}
}

// says is a report of the machine about one target.
func (w *world) says(iface, id, state string) {
	w.Helper()
	w.hears(proxyconf.Report{Health: []proxyconf.Health{health(iface, id, state)}})
}

func (w *world) hears(r proxyconf.Report) {
	w.Helper()
	if err := w.ear.Heard(context.Background(), home, machine, r); err != nil {
		w.Fatal(err)
	}
}

// is the state of a target, "gone" when it is none.
func (w *world) is(id string) (state string) {
	w.Helper()
	w.update(func(tx store.Tx) {
		h := tables.HealthOf(tx, home, groupID, elb.TargetKey{ID: id, Port: 80})
		if state = h.State; h == elb.NotRegistered() {
			state = "gone"
		}
	})
	return state
}

func (w *world) want(id, state string) {
	w.Helper()
	synctest.Wait()
	if got := w.is(id); got != state {
		w.Errorf("%s is %s, want %s", id, got, state)
	}
}

// said is how many words there are.
func (w *world) said() (n int) {
	w.update(func(tx store.Tx) {
		n = 0
		for range tables.TargetHealths.List(tx, "", "") {
			n++
		}
	})
	return n
}

func (w *world) revision() (r int64) {
	w.update(func(tx store.Tx) { r = tx.Revision() })
	return r
}
