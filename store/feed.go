package store

import (
	"iter"
	"strings"
)

// feed is the engine as its backend sees it.
type feed struct {
	*Engine
}

var _ Sink = feed{}

// Fail implements Sink: every later call, wait and subscription answers err.
func (e feed) Fail(err error) { e.cancel(err) }

// Reset implements Sink.
func (e feed) Reset(revision int64, kvs iter.Seq2[KV, error]) error {
	ed := emptySnapshot(e.layout).edit()
	for kv, err := range kvs {
		if err == nil {
			_, err = e.fill(ed, kv)
		}
		if err != nil {
			return err
		}
	}
	e.publish(ed, revision, nil, true)
	return nil
}

// Apply implements Sink.
func (e feed) Apply(revision int64, events []KV) error {
	ed := e.snap.Load().edit()
	changes := make([]Change, 0, len(events))
	for _, kv := range events {
		ch, err := e.fill(ed, kv)
		if err != nil {
			return err
		}
		if ch.Old != nil || ch.New != nil {
			changes = append(changes, ch)
		}
	}
	e.publish(ed, revision, changes, false)
	return nil
}

// fill puts a key of the feed into the next snapshot. The Change is zero when no record changed.
func (e feed) fill(ed *edit, kv KV) (Change, error) {
	i, key, fence, ok := e.layout.locate(kv.Key)
	switch {
	case !ok:
		return Change{}, nil
	case fence:
		ed.table(i).fence = kv.Mod
		return Change{}, nil
	}
	return e.fillRecord(ed, i, key, kv)
}

func (e feed) fillRecord(ed *edit, i int, key string, kv KV) (Change, error) {
	c := e.layout.cores[i]
	ch := Change{Table: c.name, Key: key, Revision: kv.Mod}
	var old *row
	if kv.Value == nil {
		old = ed.remove(i, key)
	} else {
		r, err := e.ahead.decode(c, kv, key)
		if err != nil {
			return Change{}, err
		}
		old = ed.set(i, r)
		ch.New = r.rec
	}
	if old != nil {
		ch.Old = old.rec
	}
	return ch, nil
}

// locate parses a backend key. Tables of other versions of the program are not ours to know.
func (l *layout) locate(key string) (table int, record string, fence, ok bool) {
	if name, isFence := strings.CutPrefix(key, "f/"); isFence {
		i, known := l.byName[name]
		return i, "", true, known
	}
	rest, isRecord := strings.CutPrefix(key, "t/")
	name, record, cut := strings.Cut(rest, "/")
	i, known := l.byName[name]
	return i, record, false, isRecord && cut && known
}

// publish makes the next snapshot everyone's and tells who waits for it.
func (e feed) publish(ed *edit, revision int64, changes []Change, resync bool) {
	ed.next.revision = max(revision, ed.next.revision)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.snap.Store(ed.next)
	e.wait.release(ed.next.revision)
	for s := range e.subs {
		s.offer(ed.next, changes, resync)
	}
}

// same tells whether two snapshots hold the same records.
func (s *snapshot) same(o *snapshot) bool {
	for i := range s.tables {
		if s.tables[i] != o.tables[i] {
			return false
		}
	}
	return true
}
