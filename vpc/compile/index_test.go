package compile

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/berth-ecs/berth/nodeconf"
)

var nodes = []string{NodeKey(home, "n1"), NodeKey(home, "n2"), NodeKey(home, "n3")}

func texts(x *Index) map[string]string {
	out := map[string]string{}
	for _, n := range nodes {
		c := x.Config(n)
		out[n] = c.Text()
	}
	return out
}

func full(records []any, b beside) map[string]string {
	x := New(settings)
	for n, a := range b.at {
		x.SetNode(n, a)
	}
	for n := range b.homes {
		x.SetHome(n, home, true)
	}
	x.LoadNames(b.names.Resources)
	x.Load(slices.Values(records))
	return texts(x)
}

// beside is what an index knows beside records.
type beside struct {
	at    map[string]netip.Addr
	homes map[string]bool
	names nodeconf.Config
}

// history is an index with the configurations that its changes lead to, as nodes have them.
type history struct {
	x       *Index
	have    map[string]*nodeconf.Config
	records map[string]any
	beside
}

func newHistory() *history {
	h := &history{x: New(settings), have: map[string]*nodeconf.Config{}, records: map[string]any{}, beside: beside{at: map[string]netip.Addr{}, homes: map[string]bool{}}}
	for _, n := range nodes {
		h.have[n] = &nodeconf.Config{Version: 1}
	}
	return h
}

// inOrder is a history that begins with a region where everything is in order.
func inOrder() *history {
	h := newHistory()
	var first []Change
	for _, rec := range base() {
		first = append(first, h.put(rec))
	}
	for n, d := range h.x.Apply(first...) {
		d.To = 1
		if err := h.have[n].Apply(*d); err != nil {
			panic(err)
		}
	}
	return h
}

func (h *history) put(rec any) Change {
	id := identity(rec)
	c := Change{Old: h.records[id], New: rec}
	h.records[id] = rec
	return c
}

func (h *history) remove(id string) Change {
	c := Change{Old: h.records[id]}
	delete(h.records, id)
	return c
}

// apply applies what the index answers to what the nodes have, and finds what it said in vain.
func (h *history) apply(ds map[string]*nodeconf.Delta) error {
	for n, d := range ds {
		have := h.have[n]
		before := have.Text()
		d.From, d.To = have.Version, have.Version+1
		copied := nodeconf.Config{Version: have.Version}
		if err := copied.Apply(nodeconf.Delta{To: have.Version, Set: have.Resources}); err != nil {
			return err
		}
		if err := have.Apply(*d); err != nil {
			return err
		}
		exact := nodeconf.Diff(&copied, have)
		if exact.Empty() || exact.Set.Text() != d.Set.Text() || !slices.Equal(exact.Gone, d.Gone) {
			return fmt.Errorf("node %s had\n%sand was told\n%s%v\nwhere this is all that changed:\n%s%v", n, before, d.Set.Text(), d.Gone, exact.Set.Text(), exact.Gone)
		}
	}
	return nil
}

func (h *history) check() error {
	want := full(slices.Collect(maps.Values(h.records)), h.beside)
	now := texts(h.x)
	for _, n := range nodes {
		switch {
		case h.have[n].Text() != want[n]:
			return fmt.Errorf("changes led node %s to\n%swant\n%s", n, h.have[n].Text(), want[n])
		case now[n] != want[n]:
			return fmt.Errorf("the index has for node %s\n%swant\n%s", n, now[n], want[n])
		}
	}
	return nil
}

// After any changes, single or many at once, the nodes have what all records compiled at once give them, and were told nothing in vain.
func TestChangesLeadToTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h, w := newHistory(), world{t}
		if w.flip() {
			h = inOrder()
		}
		for range rapid.IntRange(1, 25).Draw(t, "steps") {
			if err := h.apply(h.step(w)); err != nil {
				t.Fatal(err)
			}
			if err := h.check(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func (h *history) step(w world) map[string]*nodeconf.Delta {
	switch w.upTo(9) {
	case 1:
		n, is := w.pick(nodes...), w.flip()
		if h.homes[n] = is; !is {
			delete(h.homes, n)
		}
		return h.x.SetHome(n, home, is)
	case 2:
		d := w.naming(h.names)
		d.From, d.To = 1, 1
		h.names.Version = 1
		if err := h.names.Apply(d); err != nil {
			panic(err)
		}
		return h.x.Name(d)
	case 0:
		n, a := w.pick(nodes...), netip.Addr{}
		if w.flip() {
			a = netip.AddrFrom4([4]byte{192, 0, 2, byte(w.upTo(2))})
		}
		if h.at[n] = a; !a.IsValid() {
			delete(h.at, n)
		}
		return h.x.SetNode(n, a)
	}
	var changes []Change
	for range 1 + w.upTo(8) {
		if ids := slices.Sorted(maps.Keys(h.records)); len(ids) > 0 && w.upTo(3) == 0 {
			changes = append(changes, h.remove(w.pick(ids...)))
			continue
		}
		changes = append(changes, h.put(w.record()))
	}
	return h.x.Apply(changes...)
}

// The order of records does not matter, nor whether they come one at a time.
func TestOrderDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := inOrder()
		for range rapid.IntRange(1, 40).Draw(t, "records") {
			h.put(world{t}.record())
		}
		var records []any
		for _, id := range slices.Sorted(maps.Keys(h.records)) {
			records = append(records, h.records[id])
		}
		want := full(records, beside{})
		orders := [][]any{slices.Clone(records), slices.Clone(records)}
		slices.Reverse(orders[0])
		rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0)).Shuffle(len(records), func(i, j int) { orders[1][i], orders[1][j] = orders[1][j], orders[1][i] })
		for _, order := range append(orders, records) {
			x := New(settings)
			for _, rec := range order {
				x.Apply(Change{New: rec})
			}
			if got := texts(x); !maps.Equal(got, want) {
				t.Fatalf("got\n%s\nwant\n%s", got, want)
			}
		}
	})
}

// When all records are gone, nothing is kept.
func TestNothingStays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := inOrder()
		for range rapid.IntRange(1, 60).Draw(t, "records") {
			h.x.Apply(h.put(world{t}.record()))
		}
		for _, id := range slices.Sorted(maps.Keys(h.records)) {
			h.x.Apply(h.remove(id))
		}
		r := h.x.records
		for _, m := range []multi{r.subnetsOf, r.tablesOf, r.gatewaysOf, r.natsOf, r.interfacesOf, r.within, r.on, r.optionsOf, r.leadingTo} {
			if len(m) != 0 {
				t.Fatalf("left: %v", m)
			}
		}
		if n := len(h.x.entries) + len(h.x.members) + len(r.Interfaces) + len(r.Rules) + len(r.associations); n != 0 {
			t.Fatalf("left: %v %v", h.x.entries, h.x.members)
		}
	})
}
