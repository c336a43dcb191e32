package ruleset

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"golang.org/x/sys/unix"
)

// Book is the rules of one namespace. Not safe for concurrent use.
type Book struct {
	name   string
	family nftables.TableFamily // of what is no link's
	dial   func() (*nftables.Conn, error)
	conn   *nftables.Conn // nil until the first change, and after a failed one
	frags  map[string]Fragment
	sets   map[string]*nftables.Set // by name; ids only tell the sets of one transaction apart
	serial uint32
}

// New is a book of tables of a name that knows nothing yet: Replace comes first. Dial opens the namespace's netlink.
func New(name string, dial func() (*nftables.Conn, error)) *Book {
	return NewOf(nftables.TableFamilyIPv4, name, dial)
}

// NewOf is New of another family than IPv4.
func NewOf(family nftables.TableFamily, name string, dial func() (*nftables.Conn, error)) *Book {
	return &Book{name: name, family: family, dial: dial, frags: map[string]Fragment{}, sets: map[string]*nftables.Set{}}
}

// Size is how many elements there are.
func (b *Book) Size() (n int) {
	for _, f := range b.frags {
		n += len(f.Elements)
	}
	return n
}

// Has says whether there is a fragment.
func (b *Book) Has(key string) bool {
	_, ok := b.frags[key]
	return ok
}

// Replace makes the rules those of the fragments, whatever is there. Chains that see packets stay, with other rules: two of a hook at once
// would see the same packet twice. Links says which devices are those that their chains were made for.
func (b *Book) Replace(all map[string]Fragment, links func(device string) bool) error {
	next := NewOf(b.family, b.name, b.dial)
	conn, err := b.dial()
	if err != nil {
		return fmt.Errorf("ruleset: nftables: %w", err)
	}
	next.conn = conn
	old, err := look(conn, b.name, b.family)
	if err != nil {
		next.Close()
		return err
	}
	if err := next.commit(all, func(w *work) { old.sort(w, wantedOf(all, links)) }); err != nil {
		return err
	}
	b.Close()
	*b = *next
	return nil
}

// Close lets go of the socket and changes nothing.
func (b *Book) Close() {
	if b.conn != nil {
		_ = b.conn.CloseLasting()
		b.conn = nil
	}
}

// Change puts fragments in the place of those of the same key, and removes those of the keys in gone.
func (b *Book) Change(set map[string]Fragment, gone []string) error {
	all := maps.Clone(set)
	if all == nil {
		all = map[string]Fragment{}
	}
	for _, k := range gone {
		if _, again := all[k]; !again {
			all[k] = Fragment{}
		}
	}
	return b.commit(all, func(*work) {})
}

// Forget removes fragments whose links are gone: some kernels remove the chains of a link with it, others leave them.
func (b *Book) Forget(keys []string) error {
	if err := b.connect(); err != nil {
		return err
	}
	chains, err := retryDump(func() ([]*nftables.Chain, error) { return b.conn.ListChainsOfTableFamily(nftables.TableFamilyNetdev) })
	if err != nil {
		b.Close()
		return fmt.Errorf("ruleset: list chains: %w", err)
	}
	there := map[string]bool{}
	for _, c := range chains {
		there[c.Name] = there[c.Name] || c.Table.Name == b.name
	}
	for _, k := range keys {
		f, known := b.frags[k]
		if !known {
			continue
		}
		f.Chains = slices.DeleteFunc(slices.Clone(f.Chains), func(c Chain) bool { return c.Hook.Device != "" && !there[c.Name] })
		b.frags[k] = f
	}
	return b.Change(nil, keys)
}

// connect makes sure of a socket.
func (b *Book) connect() error {
	if b.conn != nil {
		return nil
	}
	conn, err := b.dial()
	if err != nil {
		return fmt.Errorf("ruleset: nftables: %w", err)
	}
	b.conn = conn
	return nil
}

// Remove deletes the tables, as far as they exist.
func Remove(name string, dial func() (*nftables.Conn, error)) error {
	conn, err := dial()
	if err != nil {
		return fmt.Errorf("ruleset: nftables: %w", err)
	}
	defer func() { _ = conn.CloseLasting() }()
	for _, f := range []nftables.TableFamily{nftables.TableFamilyIPv4, nftables.TableFamilyIPv6, nftables.TableFamilyNetdev} {
		t := &nftables.Table{Name: name, Family: f}
		conn.AddTable(t)
		conn.DelTable(t)
	}
	if err := conn.Flush(); err != nil && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("ruleset: remove table %s: %w", name, err)
	}
	return nil
}

// commit applies what is different and remembers it when the kernel took it.
func (b *Book) commit(next map[string]Fragment, first func(*work)) error {
	if err := b.connect(); err != nil {
		return err
	}
	w := newWork(b, b.conn)
	first(w)
	for _, k := range slices.Sorted(maps.Keys(next)) {
		w.compare(b.frags[k], next[k])
	}
	if err := w.run(); err != nil {
		b.Close() // answers may be on their way
		return fmt.Errorf("ruleset: transaction in table %s: %w", b.name, err)
	}
	for k, f := range next {
		if reflect.DeepEqual(f, Fragment{}) {
			delete(b.frags, k)
			continue
		}
		b.frags[k] = f
	}
	for _, s := range w.goneSets {
		delete(b.sets, s.Name)
	}
	return nil
}

// handle is the kernel's view of a set.
func (b *Book) handle(s Set, t *nftables.Table) *nftables.Set {
	b.serial++
	h := &nftables.Set{
		ID: b.serial, Table: t, Name: s.Name, KeyType: s.Key, Interval: s.Interval, Concatenation: s.Interval,
	}
	if s.Native {
		h.KeyByteOrder = binaryutil.NativeEndian
	}
	if s.Data.Bytes > 0 || s.Data.Name != "" {
		h.IsMap, h.DataType = true, s.Data
	}
	b.sets[s.Name] = h
	return h
}
