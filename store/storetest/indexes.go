package storetest

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-ecs/berth/store"
)

// scanTag is what an index must answer, found without it.
func scanTag(tx store.Tx, tag string) []string {
	out := []string{}
	for _, i := range items.List(tx, scope.Prefix(), "") {
		if slices.Contains(i.Tags, tag) {
			out = append(out, fmt.Sprintf("%s=%d", i.ID, i.N))
		}
	}
	return out
}

func (k *kit) compareIndex(tx store.Tx, tag string) {
	want, got := scanTag(tx, tag), ids(byTag.List(tx, tag, ""))
	if d := cmp.Diff(want, got); d != "" {
		k.Errorf("index %q: %s", tag, d)
	}
	if n := byTag.Count(tx, tag); n != len(want) {
		k.Errorf("index %q counts %d, lists %d", tag, n, len(want))
	}
}

var indexChecks = []check{
	{"an index always agrees with a scan", func(k *kit) {
		r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same histories every time
		for range 60 {
			k.do(k.a, func(tx store.Tx) {
				for range 1 + r.IntN(5) {
					id := fmt.Sprint("i", r.IntN(20))
					if r.IntN(3) == 0 {
						items.Delete(tx, scope.Key(id))
						continue
					}
					tags := []string{"a", "b", "a", "c"}[r.IntN(3) : 3+r.IntN(2)]
					put(id, r.IntN(100), tags...)(tx)
				}
				k.compareIndex(tx, "a")
			})
			k.see(k.b, store.Fresh, func(tx store.Tx) {
				for _, tag := range []string{"a", "b", "c", "none"} {
					k.compareIndex(tx, tag)
				}
			})
		}
	}},
	{"an index lists after a key", func(k *kit) {
		k.do(k.a, func(tx store.Tx) {
			for _, id := range []string{"a", "b", "c"} {
				put(id, 1, "t")(tx)
			}
			put("d", 1, "tt")(tx)
		})
		k.see(k.a, store.Any, func(tx store.Tx) {
			if d := cmp.Diff([]string{"b=1", "c=1"}, ids(byTag.List(tx, "t", scope.Key("a")))); d != "" {
				k.Error(d)
			}
			for range byTag.List(tx, "t", "") {
				break // stopping early is fine
			}
		})
	}},
}
