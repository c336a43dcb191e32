package router

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/berth-ecs/berth/nodeconf"
)

const burst = 100

// BenchmarkBurst is what an interface waits for when many come or go at once: each of burst by a change of its own, and one that comes
// behind all those that go.
func BenchmarkBurst(b *testing.B) {
	r := open(b)
	n := newNet("vpc-1", "10.0.0.0/16")
	n.iface("eni-resident", "vpc-1a")
	n.apply(b, r)
	var each, gone []time.Duration
	var behind time.Duration
	for b.Loop() {
		start := time.Now()
		for k := range burst {
			n.come(b, r, fmt.Sprintf("eni-%d", k), k)
			each = append(each, time.Since(start))
		}
		start = time.Now()
		for k := range burst {
			n.leave(b, r, fmt.Sprintf("eni-%d", k))
			gone = append(gone, time.Since(start))
		}
		n.come(b, r, "eni-behind", burst)
		behind = time.Since(start)
		n.leave(b, r, "eni-behind")
	}
	for name, d := range map[string][]time.Duration{"come": each, "go": gone} {
		slices.Sort(d)
		b.ReportMetric(float64(d[len(d)/2].Microseconds())/1000, name+"-p50-ms")
		b.ReportMetric(float64(d[len(d)*99/100].Microseconds())/1000, name+"-p99-ms")
	}
	b.ReportMetric(float64(behind.Microseconds())/1000, "behind-ms")
}

// come is an interface that is new, by a change of its own.
func (n *net4) come(t testing.TB, r *Routers, id string, k int) {
	t.Helper()
	i := nodeconf.Interface{
		ID: id, VPC: "vpc-1", Subnet: "vpc-1b", MAC: fmt.Sprintf("02:00:00:01:00:%02x", k), MTU: 9001,
		Addresses: []netip.Addr{netip.AddrFrom4([4]byte{10, 0, 2, byte(10 + k)})}, Groups: []string{"sg-vpc-1"}, SourceCheck: true,
	}
	key := nodeconf.MemberKey("sg-vpc-1", i.Addresses[0])
	n.change(t, r, nodeconf.Delta{Set: nodeconf.Resources{
		Interfaces: map[string]nodeconf.Interface{id: i},
		Members:    map[string]nodeconf.Member{key: {Group: "sg-vpc-1", Addr: i.Addresses[0]}},
	}})
	wait(t, r, id)
}

func (n *net4) leave(t testing.TB, r *Routers, id string) {
	t.Helper()
	key := nodeconf.MemberKey("sg-vpc-1", n.Interfaces[id].Addresses[0])
	n.change(t, r, nodeconf.Delta{Gone: []nodeconf.Key{{Kind: "Interfaces", ID: id}, {Kind: "Members", ID: key}}})
}

func (n *net4) change(t testing.TB, r *Routers, d nodeconf.Delta) {
	t.Helper()
	d.From, d.To = n.Version, n.Version+1
	if err := n.Apply(d); err != nil {
		t.Fatal(err)
	}
	report, err := r.Apply(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	for id, why := range report.Failed {
		t.Fatalf("%s: %v", id, why)
	}
}
