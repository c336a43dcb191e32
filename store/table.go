package store

import (
	"encoding/json"
	"fmt"
	"iter"
	"reflect"

	"github.com/berth-ecs/berth/store/unknown"
)

// Def declares a table of records of type T.
type Def[T any] struct {
	Name    string          // "ecs.task"; required, unique in a schema, without "/"
	Version int             // stored as "V" with each record; required, from 1
	Key     func(*T) string // required; derived from the record, never changes for one record
	Fenced  bool            // a List of it in an Update is guarded as a whole (small tables listed by name only)
	// Upgrade changes the members of a record that was stored with an older version; optional. Without it, older
	// records are read as they are.
	Upgrade func(from int, members map[string]json.RawMessage) error
}

// Table is a typed table. Make it with Define; it holds no data, every method works on a Tx.
type Table[T any] struct {
	c core
}

// Define declares a table; pure, nothing is registered. A wrong declaration panics.
func Define[T any](d Def[T]) *Table[T] {
	switch {
	case d.Name == "" || part(d.Name) == "":
		panic("store: a table needs a name")
	case d.Version < 1:
		panic("store: table " + d.Name + ": Version starts at 1")
	case d.Key == nil:
		panic("store: table " + d.Name + ": Key is required")
	}
	t := &Table[T]{c: core{name: d.Name, version: d.Version, fenced: d.Fenced, upgrade: d.Upgrade}}
	t.c.typ = reflect.TypeFor[T]()
	if t.c.typ.Kind() != reflect.Struct {
		panic("store: table " + d.Name + ": records are structs")
	}
	if _, taken := unknown.Known(t.c.typ)["v"]; taken {
		panic("store: table " + d.Name + ": the member \"V\" is the store's own")
	}
	t.c.fresh = func() any { return new(T) }
	t.c.key = func(rec any) string { return d.Key(rec.(*T)) }
	return t
}

// Name is the table's name in a schema, in Watch and in a Change.
func (t *Table[T]) Name() string { return t.c.name }

func (t *Table[T]) tableCore() *core { return &t.c }

// Get answers the record at key. In an Update its presence or absence is guarded by revision.
func (t *Table[T]) Get(tx Tx, key string) (*T, bool) { return t.read(tx, key, true) }

// Peek is Get without the guard.
func (t *Table[T]) Peek(tx Tx, key string) (*T, bool) { return t.read(tx, key, false) }

func (t *Table[T]) read(tx Tx, key string, guard bool) (*T, bool) {
	_, rec := tx.get(&t.c, key, guard)
	r, ok := rec.(*T)
	return r, ok
}

// Create inserts a record, guarded by its absence; an error wraps ErrExists when the key is taken.
func (t *Table[T]) Create(tx Tx, r *T) error {
	key := t.c.key(r)
	if _, ok := t.Get(tx, key); ok {
		return fmt.Errorf("%w: %s %s", ErrExists, t.c.name, key)
	}
	tx.put(&t.c, key, r)
	return nil
}

// Put inserts or replaces; it is not guarded unless the key was also Got. A record identical to the stored one is not
// written.
func (t *Table[T]) Put(tx Tx, r *T) { tx.put(&t.c, t.c.key(r), r) }

// Delete removes the record at key, if any.
func (t *Table[T]) Delete(tx Tx, key string) { tx.remove(&t.c, key) }

// List yields records in key order whose key begins with prefix and is greater than after. It sees the transaction's
// own writes made before the iteration began. It is not guarded unless the table is Fenced.
func (t *Table[T]) List(tx Tx, prefix, after string) iter.Seq2[string, *T] {
	return func(yield func(string, *T) bool) {
		tx.list(&t.c, prefix, after, func(k string, rec any) bool { return yield(k, rec.(*T)) })
	}
}

// Revision is the revision at which the record at key was last written, as the snapshot has it; 0 if absent. It
// neither guards nor sees the transaction's own writes.
func (t *Table[T]) Revision(tx Tx, key string) int64 {
	if r, _ := tx.get(&t.c, key, false); r != nil {
		return r.mod
	}
	return 0
}

// Of is the typed view of a change; ok when it is of this table. old and new are nil when absent.
func (t *Table[T]) Of(c Change) (old, new *T, ok bool) {
	if c.Table != t.c.name {
		return nil, nil, false
	}
	old, _ = c.Old.(*T)
	new, _ = c.New.(*T)
	return old, new, true
}
