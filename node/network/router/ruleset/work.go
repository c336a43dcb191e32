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

	kept                  map[string]bool      // chains that are there and empty
	had                   map[string][]Element // sets of ranges that are there, and what is in them
	afresh                bool                 // no rule stays
	staleSets             []*nftables.Set
	staleChains           []*nftables.Chain
	newSets, goneSets     []Set
	newChains, goneChains []Chain
	flushed, filled       []Chain
	plus, minus           map[string][]Element // by set
}

func newWork(b *Book, conn *nftables.Conn) *work {
	return &work{
		book: b, conn: conn,
		ip:     &nftables.Table{Name: b.name, Family: b.family},
		netdev: &nftables.Table{Name: b.name, Family: nftables.TableFamilyNetdev},
		kept:   map[string]bool{}, had: map[string][]Element{},
		plus: map[string][]Element{}, minus: map[string][]Element{},
	}
}

func (w *work) compare(old, now Fragment) {
	add, drop := missing(old.Sets, now.Sets, func(s Set) string { return s.Name })
	w.newSets, w.goneSets = append(w.newSets, add...), append(w.goneSets, drop...)
	w.compareChains(old.Chains, now.Chains)
	was, is := differing(old.Elements, now.Elements)
	before, after := elements(was), elements(is)
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

// differing leaves out what two lists begin and end with: most of a long one does not change.
func differing(a, b []Element) (x, y []Element) {
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	return a, b
}

func elements(es []Element) map[Element]bool {
	out := make(map[Element]bool, len(es))
	for _, e := range es {
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

// run is one transaction, after one that nobody sees when there are new sets of ranges.
func (w *work) run() error {
	w.reconcile()
	some, err := w.prepare()
	if err == nil && some {
		err = w.conn.Flush()
	}
	if err != nil {
		return err
	}
	w.clear()
	if err := w.emit(); err != nil {
		return err
	}
	return w.conn.Flush() //nolint:wrapcheck // the caller does
}

// clear makes room.
func (w *work) clear() {
	if !w.afresh {
		return
	}
	for _, t := range []*nftables.Table{w.ip, w.netdev} {
		w.conn.AddTable(t)
		w.conn.FlushTable(t)
	}
	for _, s := range w.staleSets {
		w.conn.DelSet(s)
	}
	for _, c := range w.staleChains {
		w.conn.DelChain(c)
	}
}

// reconcile leaves elements alone that are there.
func (w *work) reconcile() {
	for name, have := range w.had {
		there, stay := map[Element]bool{}, map[Element]bool{}
		for _, e := range have {
			there[e] = true
		}
		w.plus[name] = slices.DeleteFunc(w.plus[name], func(e Element) bool {
			stay[e] = there[e]
			return there[e]
		})
		for e := range there {
			if !stay[e] {
				w.minus[name] = append(w.minus[name], e)
			}
		}
	}
}

// early: a set of another kind may be in its way.
func (w *work) early(s Set) bool {
	_, there := w.had[s.Name]
	return s.Interval && !there && !slices.ContainsFunc(w.staleSets, func(o *nftables.Set) bool { return o.Name == s.Name })
}

// prepare makes new sets of ranges with their elements, and says whether there are any. The kernel shows what is in such a set only after it
// shows the rules of the same transaction, so that they go into one of their own: to nobody's eyes, because no rule refers to them.
func (w *work) prepare() (bool, error) {
	some := false
	first := map[string][]Element{}
	for _, s := range w.newSets {
		if !w.early(s) {
			continue
		}
		if !some {
			some = true
			w.conn.AddTable(w.ip)
		}
		if err := w.conn.AddSet(w.book.handle(s, w.ip), nil); err != nil {
			return some, fmt.Errorf("ruleset: set %s: %w", s.Name, err)
		}
		first[s.Name] = w.plus[s.Name]
		delete(w.plus, s.Name)
	}
	return some, w.emitElements(first, w.conn.SetAddElements, false)
}

// emit writes the messages in the one order in which nothing refers to what is not there.
func (w *work) emit() error {
	for _, s := range w.newSets {
		if _, there := w.had[s.Name]; there {
			w.book.handle(s, w.ip)
		} else if !w.early(s) {
			if err := w.conn.AddSet(w.book.handle(s, w.ip), nil); err != nil {
				return fmt.Errorf("ruleset: set %s: %w", s.Name, err)
			}
		}
	}
	for _, c := range w.newChains {
		if !w.kept[c.Name] {
			w.conn.AddChain(w.chain(c))
		}
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
