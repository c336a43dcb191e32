package mem_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
)

// drawn is a table with an index over a map that says what it must answer.
type drawn struct {
	table *store.Table[note]
	byTag *store.Index[note]
	model map[string]note
}

func key(name string) string { return store.Installation().Key(name) }

// list is List by the model.
func (d *drawn) list(prefix, after string, keep func(note) bool) []string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(d.model)) {
		if strings.HasPrefix(k, prefix) && (after == "" || k > after) && keep(d.model[k]) {
			out = append(out, k)
		}
	}
	return out
}

// step does one random thing in tx and in the model, or compares them.
func (d *drawn) step(t *rapid.T, tx store.Tx) {
	name := rapid.StringMatching(`[abc]{1,3}`).Draw(t, "name")
	tag := rapid.SampledFrom([]string{"x", "y"}).Draw(t, "tag")
	switch rapid.IntRange(0, 5).Draw(t, "what") {
	case 0, 1:
		n := note{Name: name, Tags: rapid.SliceOfN(rapid.SampledFrom([]string{"x", "y", "z"}), 0, 3).Draw(t, "tags")}
		d.table.Put(tx, &n)
		d.model[key(name)] = n
	case 2:
		d.table.Delete(tx, key(name))
		delete(d.model, key(name))
	default:
		d.compare(t, tx, name, tag)
	}
}

func (d *drawn) compare(t *rapid.T, tx store.Tx, name, tag string) {
	after := rapid.SampledFrom([]string{"", key(name), "i/", "z"}).Draw(t, "after")
	got, ok := d.table.Get(tx, key(name))
	want, has := d.model[key(name)]
	if ok != has || ok && got.Name != want.Name {
		t.Fatalf("get %s: %v, %v; want %v, %v", name, got, ok, want, has)
	}
	tagged := func(n note) bool { return slices.Contains(n.Tags, tag) }
	for what, pair := range map[string][2][]string{
		"list":  {d.list("i/"+name[:1], after, func(note) bool { return true }), keysOf(d.table.List(tx, "i/"+name[:1], after))},
		"index": {d.list("", after, tagged), keysOf(d.byTag.List(tx, tag, after))},
	} {
		if diff := cmp.Diff(pair[0], pair[1]); diff != "" {
			t.Fatalf("%s after %q: %s", what, after, diff)
		}
	}
	if n, want := d.byTag.Count(tx, tag), len(d.list("", "", tagged)); n != want {
		t.Fatalf("count %q: %d, want %d", tag, n, want)
	}
}

func keysOf(seq func(func(string, *note) bool)) []string {
	var out []string
	for k := range seq {
		out = append(out, k)
	}
	return out
}

// Whatever transactions do, each sees the committed records and its own writes, and nothing of one that failed.
func TestTransactionsAgainstAModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table := store.Define(store.Def[note]{Name: "note", Version: 1, Key: func(n *note) string { return key(n.Name) }})
		byTag := store.NewIndex(table, "tag", func(n *note) []string { return n.Tags })
		s := mem.Open(store.Schema{table}, mem.Options{})
		defer s.Close()
		committed := map[string]note{}
		for range rapid.IntRange(1, 8).Draw(t, "transactions") {
			d := &drawn{table, byTag, maps.Clone(committed)}
			var failed error
			if rapid.IntRange(0, 3).Draw(t, "fails") == 0 {
				failed = errors.New("fails")
			}
			err := s.Update(t.Context(), func(tx store.Tx) error {
				for range rapid.IntRange(0, 12).Draw(t, "steps") {
					d.step(t, tx)
				}
				return failed
			})
			if !errors.Is(err, failed) {
				t.Fatal(err)
			}
			if failed == nil {
				committed = d.model
			}
			_ = s.View(t.Context(), store.Any, func(tx store.Tx) error {
				d := &drawn{table, byTag, committed}
				d.compare(t, tx, "a", "x")
				return nil
			})
		}
	})
}
