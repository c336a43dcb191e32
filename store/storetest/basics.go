package storetest

import (
	"context"
	"errors"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-ecs/berth/store"
)

var recordChecks = []check{
	{"a write is seen when Update returns", func(k *kit) {
		for n := range 100 {
			s := []store.Store{k.a, k.b}[n%2]
			k.do(s, put("x", n))
			k.see(s, store.Any, func(tx store.Tx) {
				if got := value(tx, "x"); got != n {
					k.Fatalf("wrote %d, saw %d", n, got)
				}
			})
		}
	}},
	{"revisions grow and tell when a record was written", func(k *kit) {
		var last int64
		for n := range 10 {
			k.do(k.a, put("x", n))
			k.see(k.a, store.Any, func(tx store.Tx) {
				if r := items.Revision(tx, scope.Key("x")); r <= last || r > tx.Revision() {
					k.Errorf("record at %d, before %d, snapshot at %d", r, last, tx.Revision())
				}
				last = items.Revision(tx, scope.Key("x"))
				if r := items.Revision(tx, scope.Key("none")); r != 0 {
					k.Errorf("absent record at revision %d", r)
				}
			})
		}
	}},
	{"a deleted record is gone and can be made again", func(k *kit) {
		k.do(k.a, put("x", 1))
		k.do(k.a, func(tx store.Tx) { items.Delete(tx, scope.Key("x")) })
		k.see(k.b, store.Fresh, func(tx store.Tx) {
			if value(tx, "x") != -1 || len(all(tx)) != 0 {
				k.Errorf("still there: %v", all(tx))
			}
		})
		if err := k.b.Update(k.ctx, func(tx store.Tx) error { return items.Create(tx, &item{ID: "x", N: 2}) }); err != nil {
			k.Error(err)
		}
	}},
	{"create refuses a taken key", func(k *kit) {
		k.do(k.a, put("x", 1))
		err := k.a.Update(k.ctx, func(tx store.Tx) error { return items.Create(tx, &item{ID: "x", N: 2}) })
		if !errors.Is(err, store.ErrExists) {
			k.Errorf("error %v", err)
		}
	}},
	{"lists are in key order, by prefix, after a key", func(k *kit) {
		k.do(k.a, func(tx store.Tx) {
			for _, id := range []string{"b", "a", "c", "bb"} {
				put(id, 1)(tx)
			}
		})
		k.see(k.a, store.Any, func(tx store.Tx) {
			for _, c := range []struct {
				prefix, after string
				want          []string
			}{
				{scope.Prefix(), "", []string{"a=1", "b=1", "bb=1", "c=1"}},
				{scope.Prefix(), scope.Key("b"), []string{"bb=1", "c=1"}},
				{scope.Prefix(), scope.Key("ba"), []string{"bb=1", "c=1"}},
				{scope.Prefix() + "b", "", []string{"b=1", "bb=1"}},
				{scope.Prefix() + "b", scope.Key("c"), []string{}},
				{store.Regional("111122223333", "us-east-1").Prefix(), "", []string{}},
			} {
				if d := cmp.Diff(c.want, ids(items.List(tx, c.prefix, c.after))); d != "" {
					k.Errorf("List(%q, %q): %s", c.prefix, c.after, d)
				}
			}
		})
	}},
	{"closed means closed", func(k *kit) {
		s := k.server(schema)
		sub := s.Watch(k.ctx, items.Name())
		if _, err := sub.Next(k.ctx); err != nil {
			k.Fatal(err)
		}
		if err := s.Close(); err != nil {
			k.Fatal(err)
		}
		if _, err := sub.Next(k.ctx); !errors.Is(err, store.ErrClosed) {
			k.Errorf("Next: %v", err)
		}
		if err := s.Update(k.ctx, func(store.Tx) error { return nil }); !errors.Is(err, store.ErrClosed) {
			k.Errorf("Update: %v", err)
		}
		if err := s.View(k.ctx, store.Any, func(store.Tx) error { return nil }); !errors.Is(err, store.ErrClosed) {
			k.Errorf("View: %v", err)
		}
	}},
}

var updateChecks = []check{
	{"a transaction sees its own writes", func(k *kit) {
		k.do(k.a, func(tx store.Tx) {
			put("a", 1, "t")(tx)
			put("c", 3, "t")(tx)
		})
		k.do(k.a, func(tx store.Tx) {
			put("b", 2, "t")(tx)
			put("c", 30)(tx)
			items.Delete(tx, scope.Key("a"))
			put("d", 4, "u")(tx)
			if d := cmp.Diff([]string{"b=2", "c=30", "d=4"}, all(tx)); d != "" {
				k.Errorf("list: %s", d)
			}
			if d := cmp.Diff([]string{"b=2"}, ids(byTag.List(tx, "t", ""))); d != "" {
				k.Errorf("index: %s", d)
			}
			if t, u := byTag.Count(tx, "t"), byTag.Count(tx, "u"); t != 1 || u != 1 {
				k.Errorf("counts %d and %d", t, u)
			}
			if value(tx, "a") != -1 || value(tx, "c") != 30 {
				k.Errorf("get: a=%d c=%d", value(tx, "a"), value(tx, "c"))
			}
		})
	}},
	{"an error writes nothing and comes back as it is", func(k *kit) {
		boom := errors.New("boom")
		err := k.a.Update(k.ctx, func(tx store.Tx) error { put("x", 1)(tx); return boom })
		if err != boom { //nolint:errorlint // as it is, not wrapped
			k.Errorf("error %v", err)
		}
		k.see(k.b, store.Fresh, func(tx store.Tx) {
			if value(tx, "x") != -1 {
				k.Error("written")
			}
		})
	}},
	{"time and ids are the same in every run", func(k *kit) {
		k.do(k.a, put("x", 0))
		var now []time.Time
		var made [][2]string
		k.do(k.a, func(tx store.Tx) {
			n := value(tx, "x")
			now, made = append(now, tx.Now()), append(made, [2]string{tx.NewID(), tx.NewID()})
			if len(now) == 1 {
				k.do(k.a, put("x", 10)) // makes this run lose
			}
			put("x", n+1)(tx)
		})
		if len(now) < 2 {
			k.Fatal("did not run again")
		}
		if !now[0].Equal(now[1]) || made[0] != made[1] || made[0][0] == made[0][1] || len(made[0][0]) != 32 {
			k.Errorf("times %v, ids %v", now, made)
		}
		if !now[0].Equal(now[0].Truncate(time.Millisecond)) || now[0].Location() != time.UTC {
			k.Errorf("time %v", now[0])
		}
		k.see(k.a, store.Any, func(tx store.Tx) {
			if got := value(tx, "x"); got != 11 {
				k.Errorf("x = %d", got)
			}
		})
	}},
	{"writing what is there writes nothing", func(k *kit) {
		k.do(k.a, put("x", 1, "t"))
		var before int64
		k.see(k.a, store.Any, func(tx store.Tx) { before = items.Revision(tx, scope.Key("x")) })
		k.do(k.a, put("x", 1, "t"))
		k.do(k.a, func(tx store.Tx) { items.Delete(tx, scope.Key("none")) })
		k.see(k.a, store.Fresh, func(tx store.Tx) {
			if r := items.Revision(tx, scope.Key("x")); r != before {
				k.Errorf("written at %d, again at %d", before, r)
			}
		})
	}},
	{"ctx ends an Update", func(k *kit) {
		ctx, cancel := context.WithCancel(k.ctx)
		cancel()
		err := k.a.Update(ctx, func(tx store.Tx) error { put("x", 1)(tx); return nil })
		if !errors.Is(err, context.Canceled) {
			k.Errorf("error %v", err)
		}
	}},
}
