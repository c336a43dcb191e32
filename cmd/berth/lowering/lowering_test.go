package lowering_test

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"strconv"
	"testing"
	"testing/synctest"

	"github.com/berth-ecs/berth/cmd/berth/lowering"
	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/elb/lower"
	"github.com/berth-ecs/berth/elb/tables"
	"github.com/berth-ecs/berth/mesh/feed"
	"github.com/berth-ecs/berth/mesh/xds/server"
	"github.com/berth-ecs/berth/proxyconf"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
)

var home = elb.Home{Account: "000000000000", Region: "us-east-1"}

// machine is a record of the double of the wing that knows machines.
type machine struct{ ID, Addr string }

var machines = store.Define(store.Def[machine]{Name: "test.machine", Version: 1, Key: func(m *machine) string { return m.ID }})

type places struct{}

func (places) Tables() []string { return []string{machines.Name()} }

func (m *machine) place() *lower.Machine {
	a, _ := netip.ParseAddr(m.Addr)
	return &lower.Machine{Home: home, Instance: m.ID, Addr: a}
}

func (places) All(tx store.Tx) iter.Seq[*lower.Machine] {
	return func(yield func(*lower.Machine) bool) {
		for _, m := range machines.List(tx, "", "") {
			if !yield(m.place()) {
				return
			}
		}
	}
}

func (places) Of(_ store.Tx, c store.Change) []*lower.Machine {
	old, now, _ := machines.Of(c)
	if now == nil {
		return []*lower.Machine{(&machine{ID: old.ID}).place()}
	}
	return []*lower.Machine{now.place()}
}

type vault struct{}

func (vault) Tables() []string         { return nil }
func (vault) Of(c store.Change) string { return "" }
func (vault) Secret(_ store.Tx, name string) (chain, key []byte, err error) {
	return []byte(name), []byte("key"), nil
}

// book is what was told, put together.
type book struct {
	parts     map[server.PartKey]proxyconf.Part
	endpoints map[string]proxyconf.Endpoints
	secrets   map[string]bool
}

func (b *book) Tell(n server.News) error {
	if n.Whole || b.parts == nil {
		*b = book{map[server.PartKey]proxyconf.Part{}, map[string]proxyconf.Endpoints{}, map[string]bool{}}
	}
	for _, p := range n.Parts {
		b.parts[server.PartKey{Node: p.Node, Part: p.Part.Name}] = p.Part
	}
	for _, k := range n.PartsGone {
		delete(b.parts, k)
	}
	for _, e := range n.Endpoints {
		b.endpoints[e.Name] = e
	}
	for _, e := range n.EndpointsGone {
		delete(b.endpoints, e)
	}
	for _, s := range n.Secrets {
		b.secrets[s.Name] = true
	}
	for _, s := range n.SecretsGone {
		delete(b.secrets, s)
	}
	return nil
}

// change writes something at random.
func change(tx store.Tx, r *rand.Rand) {
	lb, g := fmt.Sprint("lb", r.IntN(2)), fmt.Sprint("g", r.IntN(3))
	some := func() []elb.Action {
		return []elb.Action{{Type: "forward", Groups: []elb.Weighted{{Group: g, Weight: 1}}}}
	}
	switch r.IntN(11) {
	case 0:
		tables.LoadBalancers.Put(tx, &elb.LoadBalancer{Home: home, ID: lb, Name: lb, Type: elb.TypeApplication, VPC: "vpc-1", Zones: []elb.Zone{{Name: "a"}, {Name: "b"}}[:1+r.IntN(2)]})
	case 1:
		s := &elb.LoadBalancerStatus{Home: home, LoadBalancer: lb}
		for i := range r.IntN(3) {
			s.Nodes = append(s.Nodes, elb.Node{Zone: "ab"[i : i+1], Machine: fmt.Sprint("m", r.IntN(2)), Interface: fmt.Sprint("eni-", lb, i), Serving: r.IntN(2) == 0})
		}
		tables.Statuses.Put(tx, s)
	case 2:
		tables.Listeners.Put(tx, &elb.Listener{Home: home, LoadBalancer: lb, ID: "l", Port: 443, Protocol: elb.HTTPS, Certificate: fmt.Sprint("c", r.IntN(2)), Default: some()})
	case 3:
		tables.Rules.Put(tx, &elb.Rule{Home: home, LoadBalancer: lb, Listener: "l", ID: fmt.Sprint("r", r.IntN(3)), Priority: int32(r.IntN(9)), Actions: some()})
	case 4:
		tables.TargetGroups.Put(tx, &elb.TargetGroup{Home: home, ID: g, Name: g, Type: map[string]string{"g2": elb.TargetInstance}[g], Protocol: elb.HTTP, Port: 80})
	case 5:
		tables.Attributes.Put(tx, &elb.Attributes{Home: home, Of: (&elb.TargetGroup{Home: home, ID: g, Name: g}).ARN(), Values: map[string]string{elb.AttrCrossZone: strconv.FormatBool(r.IntN(2) == 0)}})
	case 6:
		machines.Put(tx, &machine{fmt.Sprint("i-", r.IntN(2)), fmt.Sprint("192.0.2.", r.IntN(5))})
	case 7:
		machines.Delete(tx, fmt.Sprint("i-", r.IntN(2)))
	case 8:
		for key := range tables.Targets.List(tx, tables.TargetsOf(home, g), "") {
			tables.Targets.Delete(tx, key)
		}
	case 9:
		tables.Certificates.Put(tx, &elb.Certificate{Home: home, LoadBalancer: lb, Listener: "l", ARN: fmt.Sprint("c", r.IntN(4))})
	case 10:
		if r.IntN(4) == 0 {
			tables.LoadBalancers.Delete(tx, tables.Key(home, lb))
		}
	}
	id := map[bool]string{false: fmt.Sprint("10.0.0.", r.IntN(5)), true: fmt.Sprint("i-", r.IntN(2))}[g == "g2"]
	tables.Targets.Put(tx, &elb.Target{Home: home, Group: g, TargetKey: elb.TargetKey{ID: id, Port: 80}, Place: "ab"[r.IntN(2):][:1]})
}

// What a feed told, put together, is what one that begins now would tell.
func TestStoreIsFollowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := mem.Open(append(tables.Schema(), machines), mem.Options{})
		defer func() { _ = s.Close() }()
		follow := func(ctx context.Context) *book {
			b := &book{}
			f := feed.New(feed.Config{Store: s, Wing: &lowering.Parts{Machines: places{}}, Secrets: vault{}, Book: b, Log: slog.New(slog.DiscardHandler)})
			go func() {
				if err := f.Run(ctx); err != nil {
					t.Error(err)
				}
			}()
			synctest.Wait()
			return b
		}
		ctx, cancel := context.WithCancel(t.Context())
		old := follow(ctx)
		r := rand.New(rand.NewPCG(7, 7))
		most := 0
		for n := range 400 {
			err := s.Update(t.Context(), func(tx store.Tx) error { change(tx, r); return nil })
			if err != nil {
				t.Fatal(err)
			}
			if n%20 != 19 {
				continue
			}
			synctest.Wait()
			fresh, stop := context.WithCancel(t.Context())
			want := follow(fresh)
			stop()
			if !reflect.DeepEqual(old, want) {
				t.Fatalf("after %d changes told\n%+v\nwant\n%+v", n, old, want)
			}
			most = max(most, len(want.parts)+len(want.endpoints))
			balancersAgree(t, s)
		}
		if most < 3 {
			t.Errorf("at most %d parts and endpoints were told", most)
		}
		cancel()
		synctest.Wait()
	})
}

// balancersAgree says whether reading one load balancer gives what the index has of it.
func balancersAgree(t *testing.T, s store.Store) {
	t.Helper()
	err := s.View(t.Context(), store.Any, func(tx store.Tx) error {
		x := lower.New()
		x.Load(lowering.Records(tx))
		n := elb.Node{Zone: "a", Interface: "eni-1"}
		for _, id := range []string{"lb0", "lb1"} {
			got, want := lowering.Balancer(tx, home, id), x.Balancer(home, id)
			if (got == nil) != (want == nil) || got != nil && !reflect.DeepEqual(got.Part(n), want.Part(n)) {
				t.Errorf("%s is read as %+v, want %+v", id, got, want)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
