package control

import (
	"context"
	"slices"
	"time"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/loop"
	"github.com/berth-ecs/berth/store"
)

// deletesAtOnce bounds the records that one transaction deletes.
const deletesAtOnce = 80

// when runs forget in a transaction once due has come; before, it asks to be called then. due answers the zero time for what is not to be
// forgotten. Looking costs no transaction: most of what is over is looked at long before it is due.
func (r reaper) when(ctx context.Context, due func(store.Tx) time.Time, forget func(store.Tx) (more bool)) (loop.Result, error) {
	var res loop.Result
	ripe := func(tx store.Tx) bool {
		at := due(tx)
		wait := at.Sub(tx.Now())
		if res = (loop.Result{}); !at.IsZero() && wait > 0 {
			res.After = wait
		}
		return !at.IsZero() && wait <= 0
	}
	now := false
	err := r.store.View(ctx, store.Any, func(tx store.Tx) error { now = ripe(tx); return nil })
	if err != nil || !now {
		return res, err
	}
	err = r.store.Update(ctx, func(tx store.Tx) error {
		if ripe(tx) && forget(tx) {
			res.After = soon
		}
		return nil
	})
	return res, err
}

func (r reaper) task(ctx context.Context, key string) (loop.Result, error) {
	return r.when(ctx, func(tx store.Tx) time.Time {
		s, ok := tables.TaskStatuses.Get(tx, key)
		if !ok || s.LastStatus != ecs.TaskStopped {
			return time.Time{}
		}
		return s.StoppedAt.Add(r.options.StoppedRetention)
	}, func(tx store.Tx) bool {
		forgetTask(tx, key)
		return false
	})
}

// forgetTask deletes a task's records (5 keys).
func forgetTask(tx store.Tx, key string) {
	tables.Tasks.Delete(tx, key)
	tables.TaskDesireds.Delete(tx, key)
	tables.TaskStatuses.Delete(tx, key)
	if _, ok := tables.TaskProtections.Peek(tx, key); ok {
		tables.TaskProtections.Delete(tx, key)
	}
	if _, ok := tables.TaskTags.Peek(tx, key); ok {
		tables.TaskTags.Delete(tx, key)
	}
}

// surplus forgets the oldest STOPPED tasks beyond a number. It waits until a tenth more than that are there, so that finding the oldest is
// not done for each.
func (r reaper) surplus(ctx context.Context, index *store.Index[ecs.TaskStatus], key string, keep int) error {
	var oldest []*ecs.TaskStatus
	err := r.store.View(ctx, store.Any, func(tx store.Tx) error {
		value := tables.Is(key, tables.Stopped)
		if index.Count(tx, value) <= keep+keep/10 {
			return nil
		}
		for _, s := range index.List(tx, value, "") {
			oldest = append(oldest, s)
		}
		return nil
	})
	if err != nil || len(oldest) == 0 {
		return err
	}
	slices.SortFunc(oldest, func(a, b *ecs.TaskStatus) int { return a.StoppedAt.Compare(b.StoppedAt) })
	for chunk := range slices.Chunk(oldest[:len(oldest)-keep], deletesAtOnce/5) {
		err := r.store.Update(ctx, func(tx store.Tx) error {
			for _, s := range chunk {
				forgetTask(tx, tables.MemberKey(s.Home, s.Cluster, s.ID))
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (r reaper) service(ctx context.Context, key string) (loop.Result, error) {
	var svc *ecs.Service
	return r.when(ctx, func(tx store.Tx) time.Time {
		var ok bool
		svc, ok = tables.Services.Get(tx, key)
		st, known := tables.ServiceStatuses.Get(tx, key)
		if !ok || !known || st.Incarnation != svc.Incarnation || st.InactiveAt.IsZero() {
			return time.Time{}
		}
		return st.InactiveAt.Add(r.options.StoppedRetention)
	}, func(tx store.Tx) bool {
		var events []string
		for e := range tables.ServiceEvents.List(tx, eventPrefix(svc.Home, svc.Cluster, svc.Name), "") {
			if len(events) == deletesAtOnce {
				break
			}
			events = append(events, e)
		}
		for _, e := range events {
			tables.ServiceEvents.Delete(tx, e)
		}
		if len(events) == deletesAtOnce {
			return true
		}
		tables.Services.Delete(tx, key)
		tables.ServiceStatuses.Delete(tx, key)
		return false
	})
}

// lostDeletion is how long a call that deletes a cluster may be between its two steps before it counts as dead.
const lostDeletion = 10 * time.Second

// cluster settles a deletion whose call died, and forgets a cluster when nothing of it is kept any more.
func (r reaper) cluster(ctx context.Context, key string) (loop.Result, error) {
	return r.when(ctx, func(tx store.Tx) time.Time {
		k, ok := tables.Clusters.Get(tx, key)
		switch {
		case !ok || k.Status == ecs.ClusterActive:
			return time.Time{}
		case k.Status == ecs.ClusterDeleting:
			return k.StatusAt.Add(lostDeletion)
		}
		due := k.StatusAt.Add(r.options.StoppedRetention)
		if next := tx.Now().Add(time.Hour); next.After(due) && !tables.Vacant(tx, k) {
			return next // what was in it is younger
		}
		return due
	}, func(tx store.Tx) bool {
		k, _ := tables.Clusters.Get(tx, key)
		if k.Status == ecs.ClusterInactive {
			tables.Clusters.Delete(tx, key)
			return false
		}
		_, _ = tables.SettleDeletion(tx, k) // the client that is owed the refusal is gone
		return false
	})
}

// instance forgets a container instance, and its node's ledger with the last one.
func (r reaper) instance(ctx context.Context, key string) (loop.Result, error) {
	return r.when(ctx, func(tx store.Tx) time.Time {
		s, ok := tables.InstanceStates.Get(tx, key)
		if !ok || s.Status != ecs.InstanceInactive {
			return time.Time{}
		}
		due := s.InactiveAt.Add(r.options.StoppedRetention)
		if next := tx.Now().Add(time.Minute); next.After(due) && tables.StatusByHost.Count(tx, tables.Is(key, tables.Live)) > 0 {
			return next // its tasks are being given up
		}
		return due
	}, func(tx store.Tx) bool {
		if i, ok := tables.Instances.Get(tx, key); ok {
			ledger := tables.LedgerKey(i.Region, i.Node)
			if tables.InstancesByNode.Count(tx, ledger) == 1 {
				tables.Ledgers.Get(tx, ledger)
				tables.Ledgers.Delete(tx, ledger)
			}
			tables.Instances.Delete(tx, key)
		}
		tables.InstanceStates.Delete(tx, key)
		return false
	})
}

func (r reaper) token(ctx context.Context, key string) (loop.Result, error) {
	return r.when(ctx, func(tx store.Tx) time.Time {
		t, ok := tables.Tokens.Get(tx, key)
		if !ok {
			return time.Time{}
		}
		return t.At.Add(tokenLife)
	}, func(tx store.Tx) bool {
		tables.Tokens.Delete(tx, key)
		return false
	})
}
