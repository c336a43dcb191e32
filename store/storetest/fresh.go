package storetest

import (
	"errors"
	"fmt"

	"github.com/berth-ecs/berth/store"
)

var freshChecks = []check{
	{"a fresh view sees what another server acknowledged", func(k *kit) {
		for n := range 50 {
			k.do(k.a, put("x", n))
			k.see(k.b, store.Fresh, func(tx store.Tx) {
				if got := value(tx, "x"); got < n {
					k.Fatalf("acknowledged %d, saw %d", n, got)
				}
			})
		}
	}},
	{"fresh views at once are all fresh", func(k *kit) {
		k.both(8, func(s store.Store, i int) {
			other := k.a
			if s == k.a {
				other = k.b
			}
			for n := range 10 {
				id := fmt.Sprint("k", i)
				k.do(s, put(id, n))
				k.see(other, store.Fresh, func(tx store.Tx) {
					if got := value(tx, id); got != n {
						k.Errorf("acknowledged %d, saw %d", n, got)
					}
				})
			}
		})
	}},
	{"a refusal is never stale", func(k *kit) {
		missing := errors.New("missing")
		for n := range 50 {
			id := fmt.Sprint("k", n)
			k.do(k.a, put(id, n))
			err := k.b.Update(k.ctx, func(tx store.Tx) error {
				if _, ok := items.Peek(tx, scope.Key(id)); !ok {
					return missing
				}
				put("seen", n)(tx)
				return nil
			})
			if err != nil {
				k.Fatalf("after it was made: %v", err)
			}
		}
	}},
	{"an Update that only read has read what holds", func(k *kit) {
		for n := range 50 {
			k.do(k.a, put("x", n))
			got := -1
			k.do(k.b, func(tx store.Tx) { got = value(tx, "x") })
			if got != n {
				k.Fatalf("acknowledged %d, read %d", n, got)
			}
		}
	}},
	{"a snapshot does not change while it is read", func(k *kit) {
		k.do(k.a, func(tx store.Tx) { put("x", 0)(tx); put("y", 0)(tx) })
		k.both(2, func(s store.Store, i int) {
			for n := range 40 {
				if i < 2 {
					k.do(s, func(tx store.Tx) {
						v := value(tx, "x") + 1
						put("x", v)(tx)
						put("y", -v)(tx)
					})
					continue
				}
				k.see(s, store.Freshness(n%2), func(tx store.Tx) {
					x, y := items.Peek(tx, scope.Key("x"))
					other, _ := items.Peek(tx, scope.Key("y"))
					if y && x.N+other.N != 0 {
						k.Errorf("torn: x %d, y %d", x.N, other.N)
					}
				})
			}
		})
	}},
}
