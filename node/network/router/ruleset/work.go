package ruleset

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
)

// maxElements per message: an attribute holds 64 KiB.
const maxElements = 256

// work is one transaction in the making. What is removed and added again in another fragment is removed first.
type work struct {
	book       *Book
	conn       *nftables.Conn
	ip, netdev *nftables.Table

	newSets, goneSets     []Set
	newChains, goneChains []Chain
	flushed, filled       []Chain
	plus, minus           map[string][]Element // by set
}

func newWork(b *Book, conn *nftables.Conn) *work {
	return &work{
		book: b, conn: conn,
		ip:     &nftables.Table{Name: b.name, Family: nftables.TableFamilyIPv4},
		netdev: &nftables.Table{Name: b.name, Family: nftables.TableFamilyNetdev},
		plus:   map[string][]Element{}, minus: map[string][]Element{},
	}
}

func (w *work) compare(old, now Fragment) {
	add, drop := missing(old.Sets, now.Sets, func(s Set) string { return s.Name })
	w.newSets, w.goneSets = append(w.newSets, add...), append(w.goneSets, drop...)
	w.compareChains(old.Chains, now.Chains)
	before, after := elements(old), elements(now)
	for e := range after {
		if !before[e] {
			w.plus[e.Set] = append(w.plus[e.Set], e)
		}
	}
	for e := range before {
		if !after[e] {
			w.minus[e.Set] = append(w.minus[e.Set], e)
		}
	}
}

func (w *work) compareChains(old, now []Chain) {
	id := func(c Chain) string { return fmt.Sprint(c.Name, c.Hook) }
	add, drop := missing(old, now, id)
	w.newChains, w.goneChains = append(w.newChains, add...), append(w.goneChains, drop...)
	w.flushed, w.filled = append(w.flushed, drop...), append(w.filled, add...)
	before := map[string]Chain{}
	for _, c := range old {
		before[id(c)] = c
	}
	for _, c := range now {
		if o, ok := before[id(c)]; ok && !reflect.DeepEqual(o.Rules, c.Rules) {
			w.flushed, w.filled = append(w.flushed, c), append(w.filled, c)
		}
	}
}

func elements(f Fragment) map[Element]bool {
	out := make(map[Element]bool, len(f.Elements))
	for _, e := range f.Elements {
		out[e] = true
	}
	return out
}

// missing tells what is new in now, and what of old is gone.
func missing[T any](old, now []T, id func(T) string) (add, drop []T) {
	had, has := map[string]bool{}, map[string]bool{}
	for _, x := range old {
		had[id(x)] = true
	}
	for _, x := range now {
		has[id(x)] = true
		if !had[id(x)] {
			add = append(add, x)
		}
	}
	for _, x := range old {
		if !has[id(x)] {
			drop = append(drop, x)
		}
	}
	return add, drop
}

// emit writes the messages in the one order in which nothing refers to what is not there.
func (w *work) emit() error {
	for _, s := range w.newSets {
		if err := w.conn.AddSet(w.book.handle(s, w.ip), nil); err != nil {
			return fmt.Errorf("ruleset: set %s: %w", s.Name, err)
		}
	}
	for _, c := range w.newChains {
		w.conn.AddChain(w.chain(c))
	}
	if err := w.emitElements(w.minus, w.conn.SetDeleteElements, true); err != nil {
		return err
	}
	for _, c := range w.flushed {
		w.conn.FlushChain(w.chain(c))
	}
	if err := w.emitElements(w.plus, w.conn.SetAddElements, false); err != nil {
		return err
	}
	for _, c := range w.filled {
		chain := w.chain(c)
		for _, r := range c.Rules {
			w.conn.AddRule(&nftables.Rule{Table: chain.Table, Chain: chain, Exprs: r})
		}
	}
	for _, s := range w.goneSets {
		w.conn.DelSet(w.book.sets[s.Name])
	}
	for _, c := range w.goneChains {
		w.conn.DelChain(w.chain(c))
	}
	return nil
}

func (w *work) emitElements(by map[string][]Element, send func(*nftables.Set, []nftables.SetElement) error, remove bool) error {
	for _, name := range slices.Sorted(maps.Keys(by)) {
		set := w.book.sets[name]
		if set == nil {
			return fmt.Errorf("ruleset: an element of set %q, which is not there", name)
		}
		if remove && slices.ContainsFunc(w.goneSets, func(s Set) bool { return s.Name == name }) {
			continue // they go with their set
		}
		es := by[name]
		slices.SortFunc(es, func(a, b Element) int { return cmp.Compare(a.Key, b.Key) })
		for part := range slices.Chunk(es, maxElements) {
			if err := send(set, convert(part, remove)); err != nil {
				return fmt.Errorf("ruleset: set %s: %w", name, err)
			}
		}
	}
	return nil
}

func convert(es []Element, keysOnly bool) []nftables.SetElement {
	out := make([]nftables.SetElement, len(es))
	for i, e := range es {
		out[i].Key = []byte(e.Key)
		if e.End != "" {
			out[i].KeyEnd = []byte(e.End)
		}
		switch {
		case e.Jump != "": // also to delete: it tells the kernel which chain is referred to once less
			out[i].VerdictData = &expr.Verdict{Kind: expr.VerdictJump, Chain: e.Jump}
		case !keysOnly && e.Val != "":
			out[i].Val = []byte(e.Val)
		}
	}
	return out
}

func (w *work) chain(c Chain) *nftables.Chain {
	out := &nftables.Chain{Name: c.Name, Table: w.ip}
	if c.Hook.Type == "" {
		return out
	}
	hook, prio, accept := c.Hook.Hook, c.Hook.Priority, nftables.ChainPolicyAccept
	out.Type, out.Hooknum, out.Priority, out.Policy, out.Device = c.Hook.Type, &hook, &prio, &accept, c.Hook.Device
	if c.Hook.Device != "" {
		out.Table = w.netdev
	}
	return out
}
