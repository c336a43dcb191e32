package feed_test

import (
	"testing"

	"github.com/berth-ecs/berth/nodeconf"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/vpc/compile"
	"github.com/berth-ecs/berth/vpc/feed"
	"github.com/berth-ecs/berth/vpc/tables"
)

// name is a record of the double of the wing that names things: a value in the zone of a VPC.
type name struct{ Name, VPC, Address string }

var named = store.Define(store.Def[name]{Name: "test.name", Version: 1, Key: func(n *name) string { return n.Name }})

// naming is the double. A zone is there whether it has values or not.
type naming struct{}

func (naming) Tables() []string { return []string{named.Name()} }

func (naming) Load(tx store.Tx) nodeconf.Resources {
	r := nodeconf.Resources{Zones: map[string]nodeconf.Zone{}, Values: map[string]nodeconf.Value{}}
	for _, id := range []string{"vpc-1", "vpc-2"} {
		r.Zones["z-"+id] = nodeconf.Zone{ID: "z-" + id, Name: "prod.local", VPCs: []string{id}}
	}
	for _, n := range named.List(tx, "", "") {
		key, v := n.value()
		r.Values[key] = v
	}
	return r
}

func (n *name) value() (string, nodeconf.Value) {
	zone := "z-" + n.VPC
	return nodeconf.ValueKey(zone, n.Name, "A", "i"), nodeconf.Value{Zone: zone, Name: n.Name, Type: "A", Value: n.Address}
}

func (naming) Follow(changes []store.Change) nodeconf.Delta {
	d := nodeconf.Delta{Set: nodeconf.Resources{Values: map[string]nodeconf.Value{}}}
	for _, c := range changes {
		old, now, _ := named.Of(c)
		before := ""
		if old != nil {
			before, _ = old.value()
		}
		if now != nil {
			key, v := now.value()
			d.Set.Values[key] = v
			if key == before {
				before = ""
			}
		}
		if before != "" {
			d.Gone = append(d.Gone, nodeconf.Key{Kind: "Values", ID: before})
		}
	}
	return d
}

func call(n, vpcID, address string) func(store.Tx) {
	return func(tx store.Tx) { named.Put(tx, &name{n, vpcID, address}) }
}

// A name is told to the nodes of its VPC as it changes, together with what else its commit changed.
func TestNamesAreFollowed(t *testing.T) {
	bubble(t, func(t *testing.T, s *mem.Store) {
		t.Helper()
		network(t, s)
		update(t, s, func(tx store.Tx) { place(4, "n1")(tx); call("web", "vpc-1", "10.0.0.4")(tx) })
		f := start(t, s, feed.Config{Nodes: machinery{}, Names: naming{}})
		sub, stranger := f.Subscribe(compile.NodeKey(home, "n1"), 0), f.Subscribe(compile.NodeKey(home, "n2"), 0)
		defer sub.Close()
		defer stranger.Close()
		if d := next(t, sub); len(d.Set.Zones) != 1 || len(d.Set.Values) != 1 {
			t.Errorf("at first: %s", d.Set.Text())
		}
		next(t, stranger)
		update(t, s, func(tx store.Tx) { place(5, "n1")(tx); call("db", "vpc-1", "10.0.0.5")(tx) })
		if d := next(t, sub); len(d.Set.Values) != 1 || len(d.Set.Interfaces) != 1 || len(d.Gone) != 0 {
			t.Errorf("an interface and its name: %s %v", d.Set.Text(), d.Gone)
		}
		update(t, s, call("other", "vpc-2", "10.0.0.6"))
		silent(t, sub)
		silent(t, stranger)
		update(t, s, func(tx store.Tx) { named.Delete(tx, "db") })
		if d := next(t, sub); d.Set.Len() != 0 || len(d.Gone) != 1 {
			t.Errorf("a name that goes: %s %v", d.Set.Text(), d.Gone)
		}
		silent(t, stranger)
		update(t, s, reachedAt("n2", ""))
		update(t, s, func(tx store.Tx) {
			tables.VPCs.Put(tx, &vpc.VPC{Home: home, ID: "vpc-2", Net: 2, Default: true})
		})
		if d := next(t, stranger); len(d.Set.Homes) != 1 || len(d.Set.Zones) != 1 || len(d.Set.Values) != 1 || d.Set.Len() != 3 {
			t.Errorf("a machine in the default VPC: %s", d.Set.Text())
		}
		update(t, s, leaves("n2"))
		if d := next(t, stranger); len(d.Gone) != 3 {
			t.Errorf("a machine that leaves: %v", d.Gone)
		}
	})
}
