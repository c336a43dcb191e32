package storetest

import (
	"context"
	"errors"

	"github.com/berth-ecs/berth/store"
)

// lead starts leading on s and answers the leader's store once it leads.
func (k *kit) lead(ctx context.Context, s store.Store) (store.Store, <-chan error) {
	leading, ended := make(chan store.Store, 1), make(chan error, 1)
	go func() {
		ended <- s.Lead(ctx, func(ctx context.Context, s store.Store) error {
			leading <- s
			<-ctx.Done()
			return nil
		})
	}()
	select {
	case l := <-leading:
		return l, ended
	case err := <-ended:
		k.Fatalf("lead: %v", err)
	case <-k.ctx.Done():
		k.Fatal("nobody leads")
	}
	return nil, nil
}

var leadChecks = []check{
	{"a leader writes, a former one does not", func(k *kit) {
		ctx, stop := context.WithCancel(k.ctx)
		first, ended := k.lead(ctx, k.a)
		k.do(first, put("x", 1))
		stop()
		if err := <-ended; err != nil {
			k.Errorf("lead: %v", err)
		}
		ctx, stop = context.WithCancel(k.ctx)
		defer stop()
		second, ended := k.lead(ctx, k.a)
		k.do(second, put("x", 2))
		err := first.Update(k.ctx, func(tx store.Tx) error { put("x", 3)(tx); return nil })
		if !errors.Is(err, store.ErrNotLeader) {
			k.Errorf("a former leader's update: %v", err)
		}
		k.see(k.b, store.Fresh, func(tx store.Tx) {
			if got := value(tx, "x"); got != 2 {
				k.Errorf("x = %d", got)
			}
		})
		stop()
		<-ended //nolint:errcheck // how it ended is another check's question
	}},
	{"a former leader that does not know it yet is stopped by its guard", func(k *kit) {
		ctx, stop := context.WithCancel(k.ctx)
		leader, ended := k.lead(ctx, k.a)
		k.do(leader, put("x", 1))
		k.space.Depose(k.TB)
		err := leader.Update(k.ctx, func(tx store.Tx) error { put("x", 2)(tx); return nil })
		if !errors.Is(err, store.ErrNotLeader) {
			k.Errorf("update: %v", err)
		}
		k.see(k.b, store.Fresh, func(tx store.Tx) {
			if got := value(tx, "x"); got != 1 {
				k.Errorf("x = %d", got)
			}
		})
		stop()
		<-ended //nolint:errcheck // how it ended is another check's question
	}},
	{"run's error ends leading", func(k *kit) {
		boom := errors.New("boom")
		err := k.a.Lead(k.ctx, func(context.Context, store.Store) error { return boom })
		if !errors.Is(err, boom) {
			k.Errorf("lead: %v", err)
		}
	}},
}
