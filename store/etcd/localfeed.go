package etcd

import (
	"context"
	"errors"
	"fmt"

	"go.etcd.io/etcd/server/v3/storage/mvcc"
)

// localFeed follows the embedded etcd's own watch stream, below its client API.
type localFeed struct {
	b      *embedded
	stream mvcc.WatchStream
}

// reset loads everything and watches from there.
func (f *localFeed) reset(ctx context.Context) error {
	if f.stream != nil {
		f.stream.Close()
	}
	rev, err := f.b.Revision(ctx)
	if err != nil {
		return fmt.Errorf("etcd: load: %w", err)
	}
	f.stream = f.b.server.Watchable().NewWatchStream()
	if _, err := f.stream.Watch(ctx, 0, []byte{0}, []byte{}, rev+1); err != nil {
		return fmt.Errorf("etcd: watch: %w", err)
	}
	return f.b.sink.Reset(rev, f.b.load(ctx, rev))
}

func (f *localFeed) run(ctx context.Context) {
	defer func() { f.stream.Close() }()
	for {
		if err := f.step(ctx); err != nil {
			if ctx.Err() == nil {
				f.b.sink.Fail(fmt.Errorf("etcd: feed: %w", err))
			}
			return
		}
	}
}

func (f *localFeed) step(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-f.b.server.StopNotify():
		return f.b.stopped(errors.New("etcd stopped"))
	case r, ok := <-f.stream.Chan():
		switch {
		case !ok:
			return errors.New("watch stream closed")
		case r.CompactRevision != 0: // too far behind: history is gone
			return f.reset(ctx)
		case len(r.Events) == 0:
			return f.b.sink.Apply(r.Revision, nil)
		}
		return f.deliver(ctx, r)
	}
}

// feedBatch bounds how many responses become one commit of the snapshot.
const feedBatch = 64

// deliver applies a response and those that are there already as one.
func (f *localFeed) deliver(ctx context.Context, r mvcc.WatchResponse) error {
	rev, kvs := f.b.events(r.Events)
	for range feedBatch {
		select {
		case r := <-f.stream.Chan():
			switch {
			case r.CompactRevision != 0:
				return f.reset(ctx)
			case len(r.Events) > 0:
				at, more := f.b.events(r.Events)
				rev, kvs = at, append(kvs, more...)
			}
			continue
		default:
		}
		break
	}
	return f.b.sink.Apply(rev, kvs)
}
