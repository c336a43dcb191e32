package store

import "slices"

// place is a key within a table.
type place struct {
	table int
	key   string
}

// pending is one write of a transaction; rec nil deletes.
type pending struct {
	place
	rec any
}

// overlay is what one run of an Update read and wrote.
type overlay struct {
	layout *layout
	reads  []readGuard
	read   map[place]bool
	writes []pending
	wrote  map[place]int // position in writes
	fenced []int         // fenced tables that were listed
	done   bool
}

// readGuard is a key that was read, as it was: mod 0 for absent.
type readGuard struct {
	place
	mod int64
}

func newOverlay(l *layout) *overlay {
	return &overlay{layout: l, read: map[place]bool{}, wrote: map[place]int{}}
}

func (o *overlay) at(table int, key string) (pending, bool) {
	n, ok := o.wrote[place{table, key}]
	if !ok {
		return pending{}, false
	}
	return o.writes[n], true
}

func (o *overlay) guard(table int, key string, r *row) {
	p := place{table, key}
	if o.read[p] {
		return
	}
	o.read[p] = true
	g := readGuard{place: p}
	if r != nil {
		g.mod = r.mod
	}
	o.reads = append(o.reads, g)
}

func (o *overlay) set(table int, key string, rec any) {
	p := place{table, key}
	if n, ok := o.wrote[p]; ok {
		o.writes[n].rec = rec
		return
	}
	o.wrote[p] = len(o.writes)
	o.writes = append(o.writes, pending{p, rec})
}

// fence notes that a table was listed, if lists of it are guarded.
func (o *overlay) fence(table int) {
	if !o.layout.cores[table].fenced {
		return
	}
	if slices.Contains(o.fenced, table) {
		return
	}
	o.fenced = append(o.fenced, table)
}

// of answers the writes of a table that keep selects, in key order, and every key of the table that is written.
func (o *overlay) of(table int, keep func(pending) bool) ([]pending, map[string]bool) {
	var mine []pending
	var hidden map[string]bool
	for _, p := range o.writes {
		if p.table != table {
			continue
		}
		if hidden == nil {
			hidden = map[string]bool{}
		}
		hidden[p.key] = true
		if keep(p) {
			mine = append(mine, p)
		}
	}
	sortPending(mine)
	return mine, hidden
}

// txn renders the overlay against the snapshot it ran on. A write that would change nothing becomes a guard: that it
// changes nothing must hold when the rest commits.
func (o *overlay) txn(snap *snapshot) (Txn, error) {
	var t Txn
	fences := map[int]bool{}
	for _, p := range o.writes {
		c := o.layout.cores[p.table]
		old, _ := snap.tables[p.table].rows.Get(p.key)
		w := Write{Key: recordKey(c, p.key)}
		if p.rec != nil {
			var err error
			if w.Value, err = c.encode(p.rec, old); err != nil {
				return Txn{}, err
			}
			w.plain = old == nil || old.unknown == nil && old.version <= c.version
		}
		if p.rec == nil && old == nil || p.rec != nil && c.unchanged(w.Value, old) {
			o.guard(p.table, p.key, old)
			continue
		}
		t.Writes = append(t.Writes, w)
		fences[p.table] = fences[p.table] || c.fenced
	}
	for _, g := range o.reads {
		t.Guards = append(t.Guards, Guard{Key: recordKey(o.layout.cores[g.table], g.key), Mod: g.mod})
	}
	if err := checkSize(t); err != nil {
		return Txn{}, err
	}
	for i, c := range o.layout.cores {
		if fences[i] {
			t.Writes = append(t.Writes, Write{Key: fenceKey(c), Value: []byte("{}")})
		}
	}
	for _, i := range o.fenced {
		t.Guards = append(t.Guards, Guard{Key: fenceKey(o.layout.cores[i]), Mod: snap.tables[i].fence})
	}
	return t, nil
}

// stale answers a key by which a newer snapshot already shows that the commit would fail, or "".
func (o *overlay) stale(now *snapshot, ran *snapshot) string {
	for _, i := range o.fenced {
		if now.tables[i].fence != ran.tables[i].fence {
			return fenceKey(o.layout.cores[i])
		}
	}
	for _, g := range o.reads {
		if now.tables[g.table] == ran.tables[g.table] {
			continue
		}
		var mod int64
		if r, ok := now.tables[g.table].rows.Get(g.key); ok {
			mod = r.mod
		}
		if mod != g.mod {
			return recordKey(o.layout.cores[g.table], g.key)
		}
	}
	return ""
}

func checkSize(t Txn) error {
	bytes := 0
	for _, w := range t.Writes {
		bytes += len(w.Key) + len(w.Value)
	}
	for _, g := range t.Guards {
		bytes += len(g.Key)
	}
	if len(t.Guards) > MaxGuards || len(t.Writes) > MaxWrites || bytes > MaxBytes {
		return &TooLargeError{Guards: len(t.Guards), Writes: len(t.Writes), Bytes: bytes}
	}
	return nil
}

// Keys of a backend: "t/<table>/<key>" for records, "f/<table>" for fences.
const tableHead = "t/"

func recordKey(c *core, key string) string { return tableHead + c.name + "/" + key }
func fenceKey(c *core) string              { return "f/" + c.name }
