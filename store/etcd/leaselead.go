package etcd

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"

	"github.com/berth-ecs/berth/store"
)

// leaseSeconds is how long a leader that vanished holds up the next. Whoever leads says every second that it is there; etcd itself, as it comes, takes
// as long to elect its own leader.
const leaseSeconds = 3

func (b *remote) election() string { return strings.TrimSuffix(b.prefix+leaderKey, "/") }

// leader answers the name of the server that leads, "" for none.
func (b *remote) leader(ctx context.Context) (string, error) {
	oldest := append(clientv3.WithFirstCreate(), clientv3.WithPrefix())
	resp, err := b.client.Get(ctx, b.election()+"/", oldest...)
	if err != nil || len(resp.Kvs) == 0 {
		return "", err
	}
	return string(resp.Kvs[0].Value), nil
}

// Lead implements store.Backend: the leader holds the oldest key of an election, bound to its lease.
func (b *remote) Lead(ctx context.Context, run func(ctx context.Context, leader store.Guard) error) error {
	for {
		lost, err := b.leadOnce(ctx, run)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // that is how leading is meant to end
		}
		if !lost {
			return err
		}
		b.conf.Log.Info("leadership lost", "reason", err)
		if !pause(ctx, time.Second) {
			return nil
		}
	}
}

// leadOnce waits to be elected and calls run; lost tells that it is worth competing again.
func (b *remote) leadOnce(ctx context.Context, run func(context.Context, store.Guard) error) (lost bool, err error) {
	session, err := concurrency.NewSession(b.client, concurrency.WithTTL(leaseSeconds), concurrency.WithContext(b.ctx))
	if err != nil {
		return b.ctx.Err() == nil, err
	}
	defer func() { _ = session.Close() }() // the lease runs out by itself
	election := concurrency.NewElection(session, b.election())
	if err := election.Campaign(ctx, cmp.Or(b.conf.Server, b.conf.Name)); err != nil {
		return b.ctx.Err() == nil, err
	}
	guard := store.Guard{Key: strings.TrimPrefix(election.Key(), b.prefix), Mod: election.Rev()}
	rctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stop := context.AfterFunc(session.Ctx(), func() { cancel(store.ErrNotLeader) })
	defer stop()
	err = run(rctx, guard)
	lost = errors.Is(context.Cause(rctx), store.ErrNotLeader)
	if !lost {
		resign, done := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer done()
		_ = election.Resign(resign) // else the lease runs out
	}
	return lost, err
}
