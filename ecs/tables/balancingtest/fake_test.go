package balancingtest_test

import (
	"sync/atomic"
	"testing"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables/balancingtest"
	"github.com/berth-ecs/berth/ecs/target"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
)

func TestTheDoubleBalances(t *testing.T) {
	var n atomic.Int64
	s := mem.Open(balancingtest.Schema(), mem.Options{Faults: mem.Faults{Conflict: func(store.Txn) bool { return n.Add(1)%3 == 0 }}})
	t.Cleanup(func() { _ = s.Close() })
	h := ecs.Home{Account: "000000000000", Region: "us-east-1"}
	group, other, loose, rule := balancingtest.ARN(h, "one"), balancingtest.ARN(h, "two"), balancingtest.ARN(h, "loose"), balancingtest.RuleARN(h, "r")
	err := s.Update(t.Context(), func(tx store.Tx) error {
		balancingtest.Make(tx, h, "one", target.ByIP)
		balancingtest.Make(tx, h, "two", target.ByIP)
		balancingtest.Make(tx, h, "loose", target.ByIP).Balanced = false
		balancingtest.Rules.Put(tx, &balancingtest.Rule{Home: h, ARN: rule, To: []target.Weight{{Group: group, Weight: 1}, {Group: other}}})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	balancingtest.Check(t, balancingtest.World{
		Store: s, Balancing: balancingtest.Balancing{}, Home: h, Group: group, Other: other, Loose: loose, Rule: rule, Address: "10.0.0.5",
	})
}
