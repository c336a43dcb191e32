package feed_test

import (
	"iter"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/berth-ecs/berth/nodeconf"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/vpc/compile"
	"github.com/berth-ecs/berth/vpc/feed"
	"github.com/berth-ecs/berth/vpc/tables"
)

// machine is a record of the double of the wing that knows machines.
type machine struct{ Node, Address string }

var machines = store.Define(store.Def[machine]{Name: "test.machine", Version: 1, Key: func(m *machine) string { return m.Node }})

// schema is the wing's, and the doubles'.
func schema() store.Schema { return append(slices.Clone(tables.Schema()), machines, named) }

// machinery is the double.
type machinery struct{}

func (machinery) Tables() []string { return []string{machines.Name()} }

func (machinery) All(tx store.Tx) iter.Seq2[vpc.Home, string] {
	return func(yield func(vpc.Home, string) bool) {
		for _, m := range machines.List(tx, "", "") {
			if !yield(home, m.Node) {
				return
			}
		}
	}
}

func (machinery) Of(c store.Change) (vpc.Home, string) {
	old, now, ok := machines.Of(c)
	switch {
	case ok && now != nil:
		return home, now.Node
	case ok && old != nil:
		return home, old.Node
	}
	return vpc.Home{}, ""
}

func (machinery) Address(tx store.Tx, _ vpc.Home, node string) netip.Addr {
	m, ok := machines.Peek(tx, node)
	if !ok {
		return netip.Addr{}
	}
	a, _ := netip.ParseAddr(m.Address)
	return a
}

func (machinery) Is(tx store.Tx, _ vpc.Home, node string) bool {
	_, ok := machines.Peek(tx, node)
	return ok
}

func reachedAt(node, address string) func(store.Tx) {
	return func(tx store.Tx) { machines.Put(tx, &machine{node, address}) }
}

func leaves(node string) func(store.Tx) {
	return func(tx store.Tx) { machines.Delete(tx, node) }
}

// others are the interfaces of other nodes that a change tells of, and where they are reached.
func others(d nodeconf.Delta) map[string]string {
	out := map[string]string{}
	for id, r := range d.Set.Remotes {
		out[id] = r.Node.String()
	}
	for _, k := range d.Gone {
		if k.Kind == "Remotes" {
			out[k.ID] = "gone"
		}
	}
	return out
}

func TestNodesAreFollowed(t *testing.T) {
	bubble(t, func(t *testing.T, s *mem.Store) {
		t.Helper()
		network(t, s)
		update(t, s, place(4, "n1"))
		update(t, s, place(5, "n2"))
		update(t, s, reachedAt("n1", "192.0.2.1"))
		f := start(t, s, feed.Config{Nodes: machinery{}})
		sub := f.Subscribe(compile.NodeKey(home, "n1"), 0)
		defer sub.Close()
		expect := func(what string, id, at string) {
			t.Helper()
			d := next(t, sub)
			if got := others(d); len(got) != 1 || got[id] != at {
				t.Errorf("%s: told of %v, want %s at %s", what, got, id, at)
			}
		}
		if d := next(t, sub); len(d.Set.Remotes) != 0 {
			t.Errorf("of a node that does not say where it is: %v", d.Set.Remotes)
		}
		update(t, s, reachedAt("n2", "192.0.2.2"))
		expect("a node joins", "eni-5", "192.0.2.2")
		update(t, s, reachedAt("n2", "2001:db8::2"))
		expect("its address changes", "eni-5", "2001:db8::2")
		update(t, s, reachedAt("n2", "2001:db8::2"))
		update(t, s, reachedAt("n3", "192.0.2.3"))
		silent(t, sub) // n3 has nothing in the VPC
		update(t, s, func(tx store.Tx) { reachedAt("n3", "192.0.2.33")(tx); place(6, "n3")(tx) })
		expect("an interface and its node's address in one commit", "eni-6", "192.0.2.33")
		update(t, s, leaves("n2"))
		expect("a node leaves", "eni-5", "gone")
		update(t, s, func(tx store.Tx) { tables.Interfaces.Delete(tx, tables.Key(home, "eni-4")) })
		expect("the VPC leaves this node", "eni-6", "gone")
	})
}

// A node alone is told of nobody, whether it says where it is or not, and a feed that nobody tells of machines tells of none.
func TestOneNodeIsToldOfNobody(t *testing.T) {
	bubble(t, func(t *testing.T, s *mem.Store) {
		t.Helper()
		network(t, s)
		update(t, s, reachedAt("n1", "192.0.2.1"))
		f, deaf := start(t, s, feed.Config{Nodes: machinery{}}), start(t, s, feed.Config{})
		for _, f := range []*feed.Feed{f, deaf} {
			sub := f.Subscribe(compile.NodeKey(home, "n1"), 0)
			defer sub.Close()
			next(t, sub)
			update(t, s, place(4, "n1"))
			if got := others(next(t, sub)); len(got) != 0 {
				t.Errorf("told of %v", got)
			}
			update(t, s, func(tx store.Tx) { tables.Interfaces.Delete(tx, tables.Key(home, "eni-4")) })
			next(t, sub)
		}
		update(t, s, reachedAt("n2", "192.0.2.2"))
		update(t, s, place(5, "n2"))
		update(t, s, place(4, "n1"))
		sub := deaf.Subscribe(compile.NodeKey(home, "n1"), 0)
		defer sub.Close()
		if got := others(next(t, sub)); len(got) != 0 {
			t.Errorf("told of %v", got)
		}
		synctest.Wait()
	})
}
