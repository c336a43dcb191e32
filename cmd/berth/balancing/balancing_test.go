package balancing

import (
	"slices"
	"sync/atomic"
	"testing"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/ecs/tables/balancingtest"
	"github.com/berth-ecs/berth/elb"
	elbtables "github.com/berth-ecs/berth/elb/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
)

// Rules and a listener's default action alike move.
func TestElasticLoadBalancingBalances(t *testing.T) {
	for _, by := range []string{"rule", "listener"} {
		t.Run(by, func(t *testing.T) {
			var n atomic.Int64
			s := mem.Open(slices.Concat(tables.Schema(), elbtables.Schema()),
				mem.Options{Faults: mem.Faults{Conflict: func(store.Txn) bool { return n.Add(1)%3 == 0 }}})
			t.Cleanup(func() { _ = s.Close() })
			home := ecs.Home{Account: "000000000000", Region: "us-east-1"}
			h := elbHome(home)
			b := &elb.LoadBalancer{Home: h, ID: "50dc6c495c0c9188", Name: "lb", Type: elb.TypeApplication, VPC: "vpc-1", DNSName: "lb.test"}
			one := &elb.TargetGroup{Home: h, ID: "6d0ecf831eec9f09", Name: "one", Type: "ip", Protocol: "HTTP", Port: 80, VPC: "vpc-1"}
			two := &elb.TargetGroup{Home: h, ID: "6d0ecf831eec9f0a", Name: "two", Type: "ip", Protocol: "HTTP", Port: 80, VPC: "vpc-1"}
			l := &elb.Listener{Home: h, LoadBalancer: b.ID, ID: "f2f7dc8efc522ab2", Port: 80, Protocol: "HTTP",
				Default: []elb.Action{{Type: "forward", Groups: []elb.Weighted{{Group: one.ID, Weight: 1}}}}}
			both := []elb.Action{{Type: "forward", Groups: []elb.Weighted{{Group: one.ID, Weight: 1}, {Group: two.ID}}}}
			loose := &elb.TargetGroup{Home: h, ID: "6d0ecf831eec9f0b", Name: "loose", Type: "ip", Protocol: "HTTP", Port: 80, VPC: "vpc-1"}
			arn := b.ListenerARN(l.ID)
			err := s.Update(t.Context(), func(tx store.Tx) error {
				elbtables.LoadBalancers.Put(tx, b)
				for _, g := range []*elb.TargetGroup{one, two, loose} {
					elbtables.TargetGroups.Put(tx, g)
				}
				if by == "listener" {
					l.Default = both
				} else {
					r := &elb.Rule{Home: h, LoadBalancer: b.ID, Listener: l.ID, ID: "9683b2d02a6cabee", Priority: 1, Actions: both}
					elbtables.Rules.Put(tx, r)
					arn = b.RuleARN(l.ID, r.ID)
				}
				elbtables.Listeners.Put(tx, l)
				elbtables.Statuses.Put(tx, &elb.LoadBalancerStatus{Home: h, LoadBalancer: b.ID, State: elb.StateActive,
					Nodes: []elb.Node{{Zone: "us-east-1a", Interface: "eni-1", Serving: true}}})
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			balancingtest.Check(t, balancingtest.World{Store: s, Balancing: Tables{}, Home: home,
				Group: one.ARN(), Other: two.ARN(), Loose: loose.ARN(), Rule: arn, Address: "10.0.0.5"})
		})
	}
}
