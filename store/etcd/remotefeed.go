package etcd

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/berth-ecs/berth/store"
)

// remoteFeed follows the prefix over a client. What ends a watch (history compacted, a server that forgot it) is answered
// by loading again; the store stays up while etcd does not answer.
type remoteFeed struct {
	b      *remote
	watch  clientv3.WatchChan
	ctx    context.Context // of the watch: progress requests must name the same stream
	cancel context.CancelFunc

	mu     sync.Mutex
	at     int64 // delivered
	wanted int64
	asks   chan struct{}
}

func (f *remoteFeed) reset(ctx context.Context) error {
	if f.cancel != nil {
		f.cancel()
	}
	rev, err := f.b.revision(ctx)
	if err != nil {
		return fmt.Errorf("etcd: load: %w", err)
	}
	if err := f.b.sink.Reset(rev, f.b.load(ctx, rev)); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.asks == nil {
		f.asks = make(chan struct{}, 1)
	}
	f.at = rev
	key, end := f.b.rangeOf()
	f.ctx, f.cancel = context.WithCancel(f.b.ctx)
	f.watch = f.b.client.Watch(clientv3.WithRequireLeader(f.ctx), string(key), clientv3.WithRange(string(end)),
		clientv3.WithRev(rev+1), clientv3.WithProgressNotify())
	return nil
}

// want makes the feed reach rev even when no event of ours carries it there: soon, or when it seems that none comes.
func (f *remoteFeed) want(rev int64, soon bool) {
	f.mu.Lock()
	f.wanted = max(f.wanted, rev)
	behind := f.at < f.wanted
	f.mu.Unlock()
	if behind && soon {
		select {
		case f.asks <- struct{}{}:
		default:
		}
	}
}

func (f *remoteFeed) behind() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.at < f.wanted
}

func (f *remoteFeed) run(ctx context.Context) {
	defer func() { f.cancel() }()
	// Asking again is for a notification that was not sent because the watch was catching up, and for a commit that turned
	// out to have no event.
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return
		case <-f.asks:
			f.ask(ctx)
		case <-again.C:
			f.ask(ctx)
		case r, ok := <-f.watch:
			err = f.take(r, ok)
		}
		if err != nil && !f.recover(ctx, err) {
			return
		}
	}
}

func (f *remoteFeed) ask(ctx context.Context) {
	if !f.behind() {
		return
	}
	if err := f.b.client.RequestProgress(clientv3.WithRequireLeader(f.ctx)); err != nil && ctx.Err() == nil {
		f.b.conf.Log.Debug("etcd: request progress", "error", err)
	}
}

var errWatchEnded = errors.New("watch ended")

// take delivers one response. Loading again helps against every error but store.ErrUnreadable.
func (f *remoteFeed) take(r clientv3.WatchResponse, ok bool) error {
	switch {
	case !ok:
		return errWatchEnded
	case r.CompactRevision != 0 || r.Canceled || r.Err() != nil:
		return fmt.Errorf("%w: %w", errWatchEnded, errors.Join(r.Err(), compacted(r.CompactRevision)))
	}
	rev, kvs := r.Header.Revision, []store.KV(nil)
	if len(r.Events) > 0 {
		rev, kvs = f.b.events(r.Events)
	}
	err := f.b.sink.Apply(rev, kvs)
	f.mu.Lock()
	f.at = max(f.at, rev)
	f.mu.Unlock()
	return err
}

func compacted(at int64) error {
	if at == 0 {
		return nil
	}
	return rpctypes.ErrCompacted
}

// recover loads again until that works; false ends the feed.
func (f *remoteFeed) recover(ctx context.Context, err error) bool {
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		if ctx.Err() != nil {
			return false
		}
		if errors.Is(err, store.ErrUnreadable) {
			f.b.sink.Fail(fmt.Errorf("etcd: feed: %w", err))
			return false
		}
		f.b.conf.Log.Warn("etcd: loading again", "reason", err)
		if err = f.reset(ctx); err == nil {
			return true
		}
		if !pause(ctx, wait) {
			return false
		}
	}
}
