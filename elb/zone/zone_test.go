package zone

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/nodeconf"
)

var home = elb.Home{Account: "000000000000", Region: "us-east-1"}

func lb(id, scheme string) *elb.LoadBalancer {
	return &elb.LoadBalancer{Home: home, ID: id, Scheme: scheme, VPC: "vpc-1", DNSName: "Web-" + id + ".us-east-1.elb.amazonaws.com"}
}

func status(id string, serving ...bool) *elb.LoadBalancerStatus {
	s := &elb.LoadBalancerStatus{Home: home, LoadBalancer: id}
	for n, is := range serving {
		s.Nodes = append(s.Nodes, elb.Node{
			Interface: fmt.Sprint("eni-", n), Private: netip.AddrFrom4([4]byte{10, 0, 0, byte(n)}), Public: netip.AddrFrom4([4]byte{198, 18, 0, byte(n)}), Serving: is,
		})
	}
	return s
}

func said(r nodeconf.Resources) (out []string) {
	for _, v := range r.Values {
		z := r.Zones[v.Zone]
		where := strings.Join(z.VPCs, " ")
		if z.Public {
			where = "everywhere"
		}
		out = append(out, fmt.Sprint(v.Name, " ", v.TTL, " ", v.Value, " ", where))
	}
	slices.Sort(out)
	return out
}

func TestNames(t *testing.T) {
	for name, c := range map[string]struct {
		records []any
		want    []string
	}{
		"internet-facing": {[]any{lb("1", "internet-facing"), status("1", true, true, false)}, []string{
			"web-1.us-east-1.elb.amazonaws.com 60 10.0.0.0 vpc-1", "web-1.us-east-1.elb.amazonaws.com 60 10.0.0.1 vpc-1",
			"web-1.us-east-1.elb.amazonaws.com 60 198.18.0.0 everywhere", "web-1.us-east-1.elb.amazonaws.com 60 198.18.0.1 everywhere"}},
		"internal":         {[]any{status("1", true), lb("1", "internal")}, []string{"web-1.us-east-1.elb.amazonaws.com 60 10.0.0.0 everywhere"}},
		"none serves":      {[]any{lb("1", "internal"), status("1", false)}, nil},
		"without a status": {[]any{lb("1", "internet-facing")}, nil},
		"it is gone":       {[]any{status("1", true)}, nil},
	} {
		r := New().Load(slices.Values(c.records))
		if got := said(r); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q", name, got)
		}
		ids := slices.Sorted(maps.Keys(r.Zones))
		if len(ids) > 0 && !r.Zones[ids[0]].Public {
			t.Errorf("%s: who is in no VPC is answered by %+v", name, r.Zones[ids[0]])
		}
	}
}

// Changes add up to what a look at everything finds, whatever their order.
func TestChangesAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lbs, statuses := map[string]*elb.LoadBalancer{}, map[string]*elb.LoadBalancerStatus{}
		x, is := New(), nodeconf.Config{Resources: nodeconf.Resources{Zones: map[string]nodeconf.Zone{}, Values: map[string]nodeconf.Value{}}}
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			id := rapid.SampledFrom([]string{"1", "2"}).Draw(t, "id")
			var c Change
			if rapid.Bool().Draw(t, "load balancer") { //nolint:nestif // the two kinds of records, side by side
				if old := lbs[id]; old != nil {
					c.Old = old
				}
				delete(lbs, id)
				if rapid.Bool().Draw(t, "is") {
					lbs[id] = lb(id, rapid.SampledFrom([]string{"internal", "internet-facing"}).Draw(t, "scheme"))
					c.New = lbs[id]
				}
			} else {
				if old := statuses[id]; old != nil {
					c.Old = old
				}
				delete(statuses, id)
				if rapid.Bool().Draw(t, "is") {
					statuses[id] = status(id, rapid.SliceOfN(rapid.Bool(), 0, 3).Draw(t, "serving")...)
					c.New = statuses[id]
				}
			}
			if c == (Change{}) {
				continue
			}
			d := x.Apply(c)
			maps.Copy(is.Zones, d.Set.Zones)
			maps.Copy(is.Values, d.Set.Values)
			for _, k := range d.Gone {
				delete(is.Zones, k.ID)
				delete(is.Values, k.ID)
			}
			var all []any
			for _, r := range lbs {
				all = append(all, r)
			}
			for _, r := range statuses {
				all = append(all, r)
			}
			want := New().Load(slices.Values(all))
			if diff := nodeconf.Diff(&is, &nodeconf.Config{Resources: want}); len(diff.Gone)+len(diff.Set.Zones)+len(diff.Set.Values) > 0 {
				t.Fatalf("%+v", diff)
			}
		}
	})
}
