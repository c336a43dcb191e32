package store

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/berth-ecs/berth/internal/failpoint"
)

// Update implements Store.
func (e *Engine) Update(ctx context.Context, fn func(Tx) error) error {
	return e.update(ctx, nil, fn)
}

// attempt is one Update over its runs.
type attempt struct {
	e      *Engine
	leader *Guard
	origin *origin
	fresh  bool // the snapshot is known to hold everything acknowledged before the Update began
	runs   int
	leave  func() // leaves the line this Update stands in; nil when in none
}

func (e *Engine) update(ctx context.Context, leader *Guard, fn func(Tx) error) error {
	a := &attempt{e: e, leader: leader, origin: e.origin()}
	defer func() {
		if a.leave != nil {
			a.leave()
		}
	}()
	for {
		if err := e.ended(); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return fmt.Errorf("%w: %d runs: %w", ErrConflict, a.runs, context.Cause(ctx))
		}
		done, err := a.run(ctx, fn)
		if done || err != nil {
			return err
		}
		a.runs++
	}
}

// run is one run of fn and its commit; done is false when it has to run again.
func (a *attempt) run(ctx context.Context, fn func(Tx) error) (done bool, err error) {
	snap := a.e.snap.Load()
	own := newOverlay(a.e.layout)
	err = fn(&tx{snap: snap, origin: a.origin, own: own})
	own.done = true
	if err != nil {
		return a.refuse(ctx, snap, err)
	}
	txn, err := own.txn(snap)
	if err != nil {
		return a.refuse(ctx, snap, err)
	}
	txn.Leader = a.leader
	if len(txn.Writes) == 0 {
		return a.readOnly(ctx, snap, own)
	}
	key := own.stale(a.e.snap.Load(), snap)
	if key == "" && a.leave == nil {
		key = a.e.lines.busy(txn.Guards)
	}
	if key != "" { // no need to ask
		a.standInLine(ctx, key)
		return false, nil
	}
	return a.commit(ctx, snap, own, txn)
}

// commit writes, and waits until the snapshot shows the outcome.
func (a *attempt) commit(ctx context.Context, snap *snapshot, own *overlay, txn Txn) (done bool, err error) {
	if a.e.opts.Ahead {
		defer a.e.ahead.start(a.e.layout, txn.Writes)()
	}
	defer passes(txn)()
	rev, ok, err := a.e.backend.Commit(ctx, txn)
	switch {
	case err != nil && ctx.Err() != nil:
		return true, fmt.Errorf("store: commit: %w: %w", err, context.Cause(ctx))
	case err != nil:
		return true, fmt.Errorf("store: commit: %w", err)
	}
	if err := a.e.reach(ctx, rev); err != nil {
		if ok {
			return true, fmt.Errorf("store: written at revision %d, not seen yet: %w", rev, err)
		}
		return true, fmt.Errorf("%w: %w", ErrConflict, err)
	}
	if !ok {
		a.lost(ctx, own.stale(a.e.snap.Load(), snap))
	}
	return ok, nil
}

// passes are the failpoints around a commit; their kind is what tables it writes.
func passes(txn Txn) (after func()) {
	if !failpoint.On() {
		return func() {}
	}
	var tables []string
	for _, w := range txn.Writes {
		if name, ok := strings.CutPrefix(w.Key, tableHead); ok {
			name, _, _ = strings.Cut(name, "/")
			tables = append(tables, name)
		}
	}
	return failpoint.Around(failpoint.Commit.Kind(tables))
}

// refuse answers an error that was decided on a fresh snapshot; else it makes the snapshot fresh and, unless that
// changed nothing, has fn decide again.
func (a *attempt) refuse(ctx context.Context, snap *snapshot, refusal error) (bool, error) {
	if a.fresh {
		return true, refusal
	}
	if err := a.e.freshen(ctx); err != nil {
		return true, fmt.Errorf("store: confirm %q: %w", refusal.Error(), err)
	}
	a.fresh = true
	if a.e.snap.Load().same(snap) {
		return true, refusal
	}
	return false, nil
}

// readOnly ends an Update that wrote nothing: what it read must hold now.
func (a *attempt) readOnly(ctx context.Context, snap *snapshot, own *overlay) (bool, error) {
	if len(own.reads) == 0 && len(own.fenced) == 0 {
		return true, nil
	}
	if err := a.e.freshen(ctx); err != nil {
		return true, fmt.Errorf("store: confirm reads: %w", err)
	}
	a.fresh = true
	return own.stale(a.e.snap.Load(), snap) == "", nil
}

// lost makes the next run likelier to win: first by standing in line, then, when it is another server that wins, by
// backing off.
func (a *attempt) lost(ctx context.Context, key string) {
	if a.leave != nil || key == "" {
		a.backoff(ctx)
		return
	}
	a.standInLine(ctx, key)
}

// standInLine waits behind the other Updates of this server that want the key, unless this one stands in a line already.
func (a *attempt) standInLine(ctx context.Context, key string) {
	if a.leave == nil {
		a.leave = a.e.lines.join(ctx, key)
	}
}

// backoff spreads writers that lost a race. The loser's snapshot already holds the winner, so waiting is only for the
// sake of other servers.
func (a *attempt) backoff(ctx context.Context) {
	limit := min(time.Millisecond<<min(a.runs, 6), 40*time.Millisecond)
	t := time.NewTimer(time.Duration(rand.Int64N(int64(limit)))) //nolint:gosec // jitter
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	case <-a.e.ctx.Done():
	}
}
