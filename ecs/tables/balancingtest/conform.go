package balancingtest

import (
	"context"
	"slices"
	"testing"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/ecs/target"
	"github.com/berth-ecs/berth/store"
)

// World is an implementation to be held to the port, on a store that loses races.
type World struct {
	Store     store.Store
	Balancing tables.Balancing
	Home      ecs.Home
	Group     string // ARN of a group by ip that a load balancer leads to, without targets
	Other     string // ARN of another
	Loose     string // ARN of one that none leads to
	Rule      string // ARN of a rule that leads to Group and Other, in this order
	Address   string // that a target of the group may have; those that follow it, too
}

// Check holds an implementation of tables.Balancing to what its methods promise.
func Check(t *testing.T, w World) {
	t.Helper()
	t.Run("what is not there", w.unknown)
	t.Run("groups", w.groups)
	t.Run("a target comes, drains and comes back", w.life)
	t.Run("the weights of a rule move", w.shift)
}

func (w World) update(t *testing.T, fn func(store.Tx)) {
	t.Helper()
	if err := w.Store.Update(context.Background(), func(tx store.Tx) error { fn(tx); return nil }); err != nil {
		t.Fatal(err)
	}
}

func (w World) target(id string) target.Target {
	return target.Target{Home: w.Home, Group: w.Group, ID: w.Address, Port: 8080, Task: w.Home.TaskARN("c", id)}
}

func (w World) unknown(t *testing.T) {
	w.update(t, func(tx store.Tx) {
		none := w.target("a")
		none.Group += "0"
		if _, ok := w.Balancing.TargetGroup(tx, w.Home, none.Group); ok {
			t.Error("a target group that is not there is found")
		}
		other := ecs.Home{Account: w.Home.Account + "0", Region: w.Home.Region}
		if _, ok := w.Balancing.TargetGroup(tx, other, w.Group); ok {
			t.Error("another account's target group is found")
		}
		if w.Balancing.Register(tx, none) == nil {
			t.Error("registered in nothing")
		}
		w.Balancing.Deregister(tx, none)
		w.Balancing.Deregister(tx, w.target("a"))
		if ok, _ := tables.Withdrawn(tx, w.Balancing, none.Task); !ok {
			t.Error("a task that was never a target is not withdrawn")
		}
	})
}

func (w World) groups(t *testing.T) {
	w.update(t, func(tx store.Tx) {
		g, ok := w.Balancing.TargetGroup(tx, w.Home, w.Group)
		if !ok || g.ARN != w.Group || g.Type != target.ByIP || !g.Balanced {
			t.Errorf("%+v %v", g, ok)
		}
		if g, ok := w.Balancing.TargetGroup(tx, w.Home, w.Loose); !ok || g.Balanced {
			t.Errorf("%+v %v", g, ok)
		}
	})
}

func (w World) states(tx store.Tx, task string) (out []string) {
	for s := range w.Balancing.Targets(tx, task) {
		out = append(out, s.State)
	}
	return out
}

func (w World) life(t *testing.T) {
	a, b := w.target("a"), w.target("b")
	w.update(t, func(tx store.Tx) {
		if err := w.Balancing.Register(tx, a); err != nil {
			t.Error(err)
		}
	})
	w.update(t, func(tx store.Tx) {
		got := slices.Collect(w.Balancing.Targets(tx, a.Task))
		if len(got) != 1 || got[0].Target != a || got[0].Draining() {
			t.Fatalf("registered as %+v", got)
		}
		if ok, until := tables.Withdrawn(tx, w.Balancing, a.Task); ok || !until.IsZero() {
			t.Errorf("a registered target is withdrawn: %v, or will be: %v", ok, until)
		}
		w.Balancing.Deregister(tx, b) // another's
	})
	w.update(t, func(tx store.Tx) {
		if got := w.states(tx, a.Task); len(got) != 1 || got[0] == target.Draining {
			t.Errorf("deregistered by another task: %v", got)
		}
		w.Balancing.Deregister(tx, a)
	})
	w.update(t, func(tx store.Tx) {
		if got := w.states(tx, a.Task); len(got) != 1 || got[0] != target.Draining {
			t.Errorf("deregistered, it is %v", got)
		}
		if ok, until := tables.Withdrawn(tx, w.Balancing, a.Task); ok || !until.After(tx.Now()) {
			t.Errorf("a draining target: withdrawn %v, until %v", ok, until)
		}
		if err := w.Balancing.Register(tx, b); err != nil {
			t.Error(err)
		}
	})
	w.update(t, func(tx store.Tx) {
		if ok, _ := tables.Withdrawn(tx, w.Balancing, a.Task); !ok {
			t.Error("a target that another task took over is not withdrawn from the first")
		}
		if got := w.states(tx, b.Task); len(got) != 1 || got[0] == target.Draining {
			t.Errorf("taken over, it is %v", got)
		}
		if got := w.states(tx, ""); len(got) != 1 {
			t.Errorf("of all tasks: %v", got)
		}
		w.Balancing.Deregister(tx, b)
	})
}

func (w World) shift(t *testing.T) {
	to := []target.Weight{{Group: w.Group, Weight: 10}, {Group: w.Other, Weight: 90}}
	w.update(t, func(tx store.Tx) {
		if err := w.Balancing.Shift(tx, w.Home, w.Rule, to); err != nil {
			t.Error(err)
		}
		if w.Balancing.Shift(tx, w.Home, w.Rule+"0", to) == nil {
			t.Error("a rule that is not there has new weights")
		}
	})
	w.update(t, func(tx store.Tx) {
		if _, ok := w.Balancing.Weights(tx, w.Home, w.Rule+"0"); ok {
			t.Error("a rule that is not there leads somewhere")
		}
		if got, _ := w.Balancing.Weights(tx, w.Home, w.Rule); !slices.Equal(got, to) {
			t.Errorf("weights %+v, want %+v", got, to)
		}
		if w.Balancing.Shift(tx, w.Home, w.Rule, []target.Weight{{Group: w.Group + "0", Weight: 1}}) == nil {
			t.Error("a group that the rule does not lead to has a weight")
		}
	})
	w.update(t, func(tx store.Tx) {
		if got, _ := w.Balancing.Weights(tx, w.Home, w.Rule); !slices.Equal(got, to) {
			t.Errorf("refused, yet weights are %+v", got)
		}
	})
}
