package targets

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/elb/tables"
	"github.com/berth-ecs/berth/proxyconf"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
)

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, store: mem.Open(schema(), mem.Options{})}
	t.Cleanup(func() { _ = w.store.Close() })
	w.furnish()
	return w
}

// everything is a report of all targets that a group can have, by both nodes.
func everything(state string) (r proxyconf.Report) {
	r.Whole = true
	for _, iface := range []string{"eni-a", "eni-b"} {
		r.Parts = append(r.Parts, proxyconf.PartState{Part: part(iface), Serving: true})
		for i := range elb.MaxTargets {
			r.Health = append(r.Health, health(iface, address(i), state))
		}
	}
	return r
}

func (w *world) placeOf(iface string) (p *elb.Place) {
	w.update(func(tx store.Tx) { p, _ = tables.Places.Get(tx, tables.PlaceKey(home, balancerID, iface)) })
	return p
}

// Only what changed is written.
func TestWhatIsHeardAgainIsNotWritten(t *testing.T) {
	w := newWorld(t)
	w.register("10.0.0.1", "")
	r := proxyconf.Report{Whole: true, Parts: []proxyconf.PartState{{Part: part("eni-a"), Serving: true}, {Part: part("eni-b"), Error: "no"}},
		Health: []proxyconf.Health{health("eni-a", "10.0.0.1", elb.Initial)}}
	w.hears(r)
	if a, b := w.placeOf("eni-a"), w.placeOf("eni-b"); a == nil || !a.Serving || a.Machine != machine || a.Zone != "a" || b == nil || b.Serving || b.Error != "no" {
		t.Errorf("%+v %+v", a, b)
	}
	first := w.revision()
	w.hears(r)
	if w.revision() != first {
		t.Error("the same again is written")
	}
	r.Health[0].State, r.Health[0].Reason, r.Health[0].Detail = elb.Unhealthy, "Target.Timeout", "Request timed out"
	w.hears(r)
	w.balanced("eni-a")
	var h elb.Health
	w.update(func(tx store.Tx) { h = tables.HealthOf(tx, home, groupID, elb.TargetKey{ID: "10.0.0.1", Port: 80}) })
	if h.State != "unhealthy" || h.Reason != "Target.Timeout" || h.Description != "Request timed out" {
		t.Errorf("%+v", h)
	}
}

// What a report of everything leaves out is so no more.
func TestAWholeReport(t *testing.T) {
	w := newWorld(t)
	w.register("10.0.0.1", "")
	w.register("10.0.0.2", "")
	w.hears(proxyconf.Report{Whole: true,
		Parts:  []proxyconf.PartState{{Part: part("eni-a"), Serving: true}, {Part: part("eni-b"), Serving: true}},
		Health: []proxyconf.Health{health("eni-a", "10.0.0.1", elb.Healthy), health("eni-a", "10.0.0.2", elb.Healthy), health("eni-b", "10.0.0.1", elb.Healthy)}})
	w.hears(proxyconf.Report{Whole: true, Parts: []proxyconf.PartState{{Part: part("eni-a"), Serving: true}},
		Health: []proxyconf.Health{health("eni-a", "10.0.0.2", elb.Healthy)}})
	if n := w.said(); n != 1 {
		t.Errorf("%d words", n)
	}
	if a, b := w.placeOf("eni-a"), w.placeOf("eni-b"); !a.Serving || b.Serving {
		t.Errorf("%+v %+v", a, b)
	}
	w.says("eni-a", "10.0.0.2", "")
	if n := w.said(); n != 0 {
		t.Errorf("%d words", n)
	}
}

// Everything that does not fit into one report is said in several, and nothing is left out before the last.
func TestAWholeReportInParts(t *testing.T) {
	w := newWorld(t)
	both := []proxyconf.PartState{{Part: part("eni-a"), Serving: true}, {Part: part("eni-b"), Serving: true}}
	a, b := health("eni-a", "10.0.0.1", elb.Healthy), health("eni-b", "10.0.0.1", elb.Healthy)
	gone := health("eni-b", "10.0.0.2", elb.Healthy)
	w.register("10.0.0.1", "")
	w.hears(proxyconf.Report{Whole: true, Parts: both, Health: []proxyconf.Health{a, b, gone}})
	first := w.revision()
	w.hears(proxyconf.Report{Whole: true, More: true, Parts: both, Health: []proxyconf.Health{a}})
	if w.revision() != first || w.is("10.0.0.1") != elb.Healthy {
		t.Error("what is still to be said is forgotten")
	}
	w.hears(proxyconf.Report{Health: []proxyconf.Health{b}})
	if n := w.said(); n != 2 || w.is("10.0.0.1") != elb.Healthy || !w.placeOf("eni-b").Serving {
		t.Errorf("%d words", n)
	}
	w.hears(proxyconf.Report{Health: []proxyconf.Health{a}})
	if n := w.said(); n != 2 {
		t.Errorf("a later report is taken for everything: %d words", n)
	}
}

// Nobody is heard of what is not theirs, or does not make sense.
func TestWhoIsNotBelieved(t *testing.T) {
	w := newWorld(t)
	w.register("10.0.0.1", "")
	first := w.revision()
	good := proxyconf.Report{Parts: []proxyconf.PartState{{Part: part("eni-a"), Serving: true}}, Health: []proxyconf.Health{health("eni-a", "10.0.0.1", elb.Healthy)}}
	strangers := func(r proxyconf.Report) {
		for _, s := range []who{{home, "node-2"}, {elb.Home{Account: home.Account, Region: "eu-west-1"}, machine},
			{elb.Home{Account: "111111111111", Region: home.Region}, machine}} {
			if err := w.ear.Heard(t.Context(), s.Home, s.machine, r); err != nil {
				t.Error(err)
			}
		}
	}
	strangers(good)
	odd := func(change func(*proxyconf.Health)) proxyconf.Health {
		h := health("eni-a", "10.0.0.1", elb.Healthy)
		change(&h)
		return h
	}
	w.hears(proxyconf.Report{Parts: []proxyconf.PartState{{Part: part("eni-c"), Serving: true}, {Part: "mesh/x"}}, Health: []proxyconf.Health{
		odd(func(h *proxyconf.Health) { h.Part = part("eni-c") }),
		odd(func(h *proxyconf.Health) { h.Endpoints = "elb/000000000000/us-east-1/00000000000000ff/a" }),
		odd(func(h *proxyconf.Health) { h.Endpoints = "elb/111111111111/us-east-1/" + groupID + "/a" }),
		odd(func(h *proxyconf.Health) { h.Endpoints = "x" }),
		odd(func(h *proxyconf.Health) { h.Addr = netip.AddrPort{} }),
		odd(func(h *proxyconf.Health) { h.State = "draining" }),
	}})
	if w.revision() != first {
		t.Error("something was believed")
	}
	w.hears(good)
	if w.revision() == first {
		t.Error("nothing is believed")
	}
	strangers(proxyconf.Report{Whole: true}) // nor what they leave out
	if !w.placeOf("eni-a").Serving || w.said() != 1 {
		t.Error("what a stranger does not say is forgotten")
	}
}

// A machine or a load balancer is found by the addresses that it has.
func TestWhoHasAnAddress(t *testing.T) {
	w := newWorld(t)
	const inner = "00000000000000dd"
	alb := &elb.LoadBalancer{Home: home, ID: inner, Name: "inner", Type: elb.TypeApplication, VPC: "vpc-1"}
	w.update(func(tx store.Tx) {
		g := group()
		g.Type = elb.TargetInstance
		tables.TargetGroups.Put(tx, g)
	})
	w.register("i-7", "")
	w.says("eni-a", "10.0.0.7", elb.Healthy)
	w.says("eni-b", "10.0.0.7", elb.Healthy)
	if got := w.is("i-7"); got != elb.Healthy {
		t.Error(got)
	}
	w.update(func(tx store.Tx) {
		g := group()
		g.Type, g.Protocol = elb.TargetALB, elb.TCP
		tables.TargetGroups.Put(tx, g)
		tables.Statuses.Put(tx, &elb.LoadBalancerStatus{Home: home, LoadBalancer: inner, Nodes: []elb.Node{
			{Private: netip.MustParseAddr("10.0.1.1")}, {Private: netip.MustParseAddr("10.0.1.2")}}})
	})
	w.register(alb.ARN(), "")
	w.balanced("eni-a")
	w.says("eni-a", "10.0.1.1", elb.Healthy)
	w.says("eni-a", "10.0.1.2", elb.Initial)
	if got := w.is(alb.ARN()); got != elb.Initial {
		t.Error("one of its addresses is not known to be healthy:", got)
	}
	w.says("eni-a", "10.0.1.2", elb.Unhealthy)
	if got := w.is(alb.ARN()); got != elb.Healthy {
		t.Error(got)
	}
}

// What a machine counts of parts that are its own is kept, once.
func TestCountsAreHeard(t *testing.T) {
	w := newWorld(t)
	count := proxyconf.Count{Part: part("eni-a"), Cluster: group().ARN(), Requests: 3}
	stranger := count
	stranger.Part = part("eni-c")
	w.hears(proxyconf.Report{Counts: []proxyconf.Count{count, stranger}})
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.ear.Heard(ended, home, machine, proxyconf.Report{Counts: []proxyconf.Count{count}, Parts: []proxyconf.PartState{{Part: part("eni-a")}}}); err == nil {
		t.Error("what cannot be written is heard")
	}
	if got, ok := w.ear.Loads.Of(group().ARN(), time.Now().Add(slot)); !ok || got.Requests != 3 {
		t.Errorf("%+v %v", got, ok)
	}
}

func TestLoads(t *testing.T) {
	r := prometheus.NewRegistry()
	l := NewLoads(r)
	p := elb.Part{Home: home, LoadBalancer: balancerID, Zone: "a", Interface: "eni-a"}
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	count := proxyconf.Count{Cluster: group().ARN(), Requests: 10, Errors: 1, Connections: 2, LatencySum: 0.5, Bytes: 100}
	for i := range 60 { // five minutes
		l.add(p, count, at.Add(time.Duration(i)*5*time.Second))
	}
	now := at.Add(5 * time.Minute)
	if got, ok := l.Of(group().ARN(), now); !ok || got != (Load{Requests: 120, Errors: 12, Connections: 24, Bytes: 1200, Latency: 50 * time.Millisecond}) {
		t.Errorf("%+v %v", got, ok)
	}
	if got, _ := l.Of(group().ARN(), now.Add(30*time.Second)); got.Requests != 60 {
		t.Errorf("half a minute later: %+v", got)
	}
	if got, _ := l.Of(group().ARN(), now.Add(2*time.Minute)); got.Requests != 0 {
		t.Errorf("two minutes later: %+v", got)
	}
	if got := requests(t, r)[groupID]; got != 600 {
		t.Error("requests:", got)
	}
	for _, odd := range []proxyconf.Count{{Cluster: "x", Requests: 1}, {Cluster: group().ARN(), Requests: -1}} {
		l.add(p, odd, now)
	}
	if got := requests(t, r)[groupID]; got != 600 {
		t.Error("what makes no sense is counted:", got)
	}
	other := count
	other.Cluster = (&elb.TargetGroup{Home: home, ID: "00000000000000ee", Name: "other"}).ARN()
	l.add(p, other, now.Add(2*idle))
	if _, ok := l.Of(group().ARN(), now.Add(2*idle)); ok || len(requests(t, r)) != 1 {
		t.Error("what nobody counts any more is kept")
	}
}

// requests are the counted ones, by target group.
func requests(t *testing.T, r *prometheus.Registry) map[string]float64 {
	t.Helper()
	all, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]float64{}
	for _, f := range all {
		if f.GetName() != "berth_elb_requests_total" {
			continue
		}
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if l.GetName() == "target_group" {
					out[l.GetValue()] += m.GetCounter().GetValue()
				}
			}
		}
	}
	return out
}
