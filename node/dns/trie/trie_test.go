package trie

import (
	"maps"
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

// The maps of every step stay what they were, and each is what a plain map would be.
func TestMapIsAMapThatStays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type version struct {
			m    Map[int]
			want map[string]int
		}
		versions := []version{{want: map[string]int{}}}
		for step := range rapid.IntRange(1, 60).Draw(t, "steps") {
			last := versions[len(versions)-1]
			next := version{last.m, map[string]int{}}
			maps.Copy(next.want, last.want)
			k := strconv.Itoa(rapid.IntRange(0, 30).Draw(t, "key"))
			if rapid.Bool().Draw(t, "delete") {
				next.m = last.m.Without(k)
				delete(next.want, k)
			} else {
				next.m = last.m.With(k, step)
				next.want[k] = step
			}
			versions = append(versions, next)
		}
		for i, v := range versions {
			if v.m.Len() != len(v.want) {
				t.Fatalf("version %d has %d entries, want %d", i, v.m.Len(), len(v.want))
			}
			for k := range 31 {
				k := strconv.Itoa(k)
				got, ok := v.m.Get([]byte(k))
				if want, has := v.want[k]; got != want || ok != has {
					t.Fatalf("version %d, %s: %d %v, want %d %v", i, k, got, ok, want, has)
				}
			}
		}
	})
}

// Hashes that are alike to the last bit share a leaf.
func TestMapWithEqualHashes(t *testing.T) {
	var b *branch[int]
	for i := range 3 {
		b, _ = b.with(entry[int]{7, strconv.Itoa(i), i}, 0)
	}
	for i := range 3 {
		var gone bool
		if b, gone = b.without(7, strconv.Itoa(i), 0); !gone {
			t.Fatalf("%d was not there", i)
		}
	}
	if b != nil {
		t.Errorf("left: %+v", b)
	}
}

func TestMapOfMany(t *testing.T) {
	var m Map[int]
	for i := range 20000 {
		m = m.With(strconv.Itoa(i), i)
	}
	for i := range 20000 {
		if v, ok := m.Get([]byte(strconv.Itoa(i))); !ok || v != i {
			t.Fatal(i, v, ok)
		}
	}
	for i := range 20000 {
		m = m.Without(strconv.Itoa(i))
	}
	if m.Len() != 0 || m.root != nil {
		t.Error("entries are left")
	}
}
