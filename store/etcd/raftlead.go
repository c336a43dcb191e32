package etcd

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/berth-ecs/berth/store"
)

const leaderKey = "l/leader"

// Lead implements store.Backend: the leader is the raft leader, and proves it by having written the guard key last.
func (b *embedded) Lead(ctx context.Context, run func(ctx context.Context, leader store.Guard) error) error {
	for {
		if err := b.awaitRaftLead(ctx); err != nil {
			return ignoreEnd(ctx, err)
		}
		guard, err := b.claim(ctx)
		if err != nil {
			if ctx.Err() == nil && b.ctx.Err() == nil && pause(ctx, time.Second) {
				continue
			}
			return ignoreEnd(ctx, err)
		}
		lost, err := b.lead(ctx, guard, run)
		if !lost {
			return ignoreEnd(ctx, err)
		}
	}
}

func (b *embedded) leads() bool { return b.server.Leader() == b.server.MemberID() }

func (b *embedded) awaitRaftLead(ctx context.Context) error {
	for {
		changed := b.server.LeaderChangedNotify()
		if b.leads() {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-b.ctx.Done():
			return store.ErrClosed
		}
	}
}

// claim writes the guard key anew: from here on no earlier leader's transaction passes.
func (b *embedded) claim(ctx context.Context) (store.Guard, error) {
	w := store.Write{Key: leaderKey, Value: []byte(b.startID)}
	rev, _, err := b.commit(ctx, store.Txn{Writes: []store.Write{w}})
	if err != nil {
		return store.Guard{}, fmt.Errorf("etcd: claim leadership: %w", err)
	}
	return store.Guard{Key: leaderKey, Mod: rev}, nil
}

// lead calls run until it returns; lost tells that leadership ended first.
func (b *embedded) lead(ctx context.Context, g store.Guard, run func(context.Context, store.Guard) error) (lost bool, err error) {
	rctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watcher := make(chan struct{})
	go func() {
		defer close(watcher)
		for b.leads() {
			changed := b.server.LeaderChangedNotify()
			if !b.leads() {
				break
			}
			select {
			case <-changed:
			case <-rctx.Done():
				return
			case <-b.ctx.Done():
				cancel(store.ErrClosed)
				return
			}
		}
		cancel(store.ErrNotLeader)
	}()
	err = run(rctx, g)
	lost = errors.Is(context.Cause(rctx), store.ErrNotLeader) && ctx.Err() == nil
	cancel(nil)
	<-watcher
	return lost, err
}

// ignoreEnd answers nil when ctx ended: that is how leading is meant to end.
func ignoreEnd(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil //nolint:nilerr // see above
	}
	return err
}

// pause waits and answers false when ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
