package storetest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/berth-ecs/berth/store"
)

// both runs fn n times on each server at once, and waits.
func (k *kit) both(n int, fn func(s store.Store, i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { fn(k.a, 2*i) })
		wg.Go(func() { fn(k.b, 2*i+1) })
	}
	wg.Wait()
}

var guardChecks = []check{
	{"no increment is lost", func(k *kit) {
		const clients, each = 8, 10
		k.both(clients, func(s store.Store, _ int) {
			for range each {
				err := s.Update(k.ctx, func(tx store.Tx) error { put("x", max(value(tx, "x"), 0)+1)(tx); return nil })
				if err != nil {
					k.Error(err)
				}
			}
		})
		k.see(k.a, store.Fresh, func(tx store.Tx) {
			if got := value(tx, "x"); got != 2*clients*each {
				k.Errorf("%d increments counted, %d made", got, 2*clients*each)
			}
		})
	}},
	{"one of many creators wins", func(k *kit) {
		for round := range 5 {
			var won atomic.Int32
			k.both(8, func(s store.Store, i int) {
				err := s.Update(k.ctx, func(tx store.Tx) error {
					return items.Create(tx, &item{ID: fmt.Sprint("r", round), N: i})
				})
				switch {
				case err == nil:
					won.Add(1)
				case !errors.Is(err, store.ErrExists):
					k.Error(err)
				}
			})
			if won.Load() != 1 {
				k.Errorf("%d creators won", won.Load())
			}
		}
	}},
	{"what was read and not written is guarded", func(k *kit) {
		for round := range 10 {
			x, y := fmt.Sprint("x", round), fmt.Sprint("y", round)
			k.do(k.a, func(tx store.Tx) { put(x, 0)(tx); put(y, 0)(tx) })
			k.both(2, func(s store.Store, i int) {
				mine := []string{x, y}[i%2]
				err := s.Update(k.ctx, func(tx store.Tx) error {
					if value(tx, x)+value(tx, y) == 0 {
						put(mine, 1)(tx)
					}
					return nil
				})
				if err != nil {
					k.Error(err)
				}
			})
			k.see(k.a, store.Fresh, func(tx store.Tx) {
				if sum := value(tx, x) + value(tx, y); sum != 1 {
					k.Errorf("write skew: sum %d", sum)
				}
			})
		}
	}},
	{"absence is guarded", func(k *kit) {
		for round := range 10 {
			x, y := fmt.Sprint("x", round), fmt.Sprint("y", round)
			k.both(2, func(s store.Store, i int) {
				mine, other := x, y
				if i%2 == 1 {
					mine, other = y, x
				}
				err := s.Update(k.ctx, func(tx store.Tx) error {
					if value(tx, other) == -1 {
						put(mine, 1)(tx)
					}
					return nil
				})
				if err != nil {
					k.Error(err)
				}
			})
			k.see(k.a, store.Fresh, func(tx store.Tx) {
				if value(tx, x) == value(tx, y) {
					k.Errorf("both or none: x %d, y %d", value(tx, x), value(tx, y))
				}
			})
		}
	}},
	{"a list of a fenced table that grew meanwhile makes it run again", func(k *kit) {
		runs := 0
		k.do(k.a, func(tx store.Tx) {
			runs++
			for range names.List(tx, scope.Prefix(), "") {
				return
			}
			if runs == 1 {
				k.do(k.b, func(tx store.Tx) { names.Put(tx, &name{ID: "other"}) })
			}
			names.Put(tx, &name{ID: "mine"})
		})
		if runs != 2 {
			k.Errorf("%d runs", runs)
		}
	}},
	{"a list of a fenced table is guarded", func(k *kit) {
		k.both(8, func(s store.Store, i int) {
			err := s.Update(k.ctx, func(tx store.Tx) error {
				for range names.List(tx, scope.Prefix(), "") {
					return nil
				}
				names.Put(tx, &name{ID: fmt.Sprint("n", i)})
				return nil
			})
			if err != nil {
				k.Error(err)
			}
		})
		k.see(k.a, store.Fresh, func(tx store.Tx) {
			n := 0
			for range names.List(tx, scope.Prefix(), "") {
				n++
			}
			if n != 1 {
				k.Errorf("%d records made by 'if there is none'", n)
			}
		})
	}},
	{"a peek and a blind put do not conflict", func(k *kit) {
		k.do(k.a, put("x", 0))
		runs := 0
		k.do(k.a, func(tx store.Tx) {
			if runs++; runs == 1 {
				k.do(k.b, put("x", 5))
			}
			items.Peek(tx, scope.Key("x"))
			put("x", 7)(tx)
		})
		if runs != 1 {
			k.Errorf("%d runs", runs)
		}
		k.see(k.b, store.Fresh, func(tx store.Tx) {
			if got := value(tx, "x"); got != 7 {
				k.Errorf("x = %d", got)
			}
		})
	}},
	{"a put that would change nothing still wins over an earlier one", func(k *kit) {
		k.do(k.a, put("x", 1))
		runs := 0
		k.do(k.a, func(tx store.Tx) {
			if runs++; runs == 1 {
				k.do(k.b, put("x", 2))
			}
			put("x", 1)(tx)
		})
		k.see(k.b, store.Fresh, func(tx store.Tx) {
			if got := value(tx, "x"); got != 1 {
				k.Errorf("x = %d", got)
			}
		})
	}},
}
