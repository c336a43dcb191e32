package loop

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/berth-ecs/berth/store"
)

// RunAll runs a wing's loops side by side, with one log and the same metrics, until ctx ends (nil) or one of them ends with an error: that ends the others.
func RunAll(ctx context.Context, log *slog.Logger, m *Metrics, loops ...Config) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, c := range loops {
		c.Log, c.Metrics = log, m
		group.Go(func() error { return Run(ctx, c) })
	}
	return group.Wait()
}

// Run runs the loop until ctx ends (nil), or its store closes or no longer leads (the error).
func Run(ctx context.Context, c Config) error {
	c, err := c.withDefaults()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	r := &runner{
		Config: c, queue: newQueue(c.Backoff),
		batches: make(chan store.Batch), done: make(chan outcome), lost: make(chan error, 1),
	}
	sub := c.Store.Watch(ctx, c.Tables...)
	listened := make(chan struct{})
	go func() {
		defer close(listened)
		r.listen(ctx, sub)
	}()
	err = r.run(ctx)
	cancel()
	sub.Close()
	for r.busy > 0 {
		if late := r.finish(<-r.done); err == nil {
			err = late
		}
	}
	<-listened
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}

// runner is owned by the goroutine of Run, but for its channels.
type runner struct {
	Config
	queue   *queue
	busy    int
	batches chan store.Batch
	done    chan outcome
	lost    chan error
}

type outcome struct {
	key   string
	r     Result
	err   error
	spent time.Duration
}

// listen hands on the batches of the subscription.
func (r *runner) listen(ctx context.Context, sub store.Subscription) {
	for {
		b, err := sub.Next(ctx)
		if err != nil {
			r.lost <- err
			return
		}
		select {
		case r.batches <- b:
		case <-ctx.Done():
			return
		}
	}
}

func (r *runner) run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	resync := time.NewTicker(r.Resync)
	defer resync.Stop()
	for {
		r.dispatch(ctx, timer)
		r.Metrics.waiting(r.Name, r.queue.waiting())
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-r.lost:
			return r.lostWatch(ctx, err)
		case b := <-r.batches:
			r.take(b)
		case o := <-r.done:
			if err := r.finish(o); err != nil {
				return err
			}
		case <-timer.C:
		case <-resync.C:
			if err := r.Store.View(ctx, store.Any, func(tx store.Tx) error { r.markAll(tx); return nil }); err != nil {
				return fmt.Errorf("loop %s: resync: %w", r.Name, err)
			}
		}
	}
}

func (r *runner) lostWatch(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("loop %s: watch: %w", r.Name, err)
}

// take marks what a batch concerns.
func (r *runner) take(b store.Batch) {
	if b.Resync {
		r.markAll(b.Snapshot)
		return
	}
	at := time.Now().Add(r.Debounce)
	for _, c := range b.Changes {
		for _, key := range r.Dirty(b.Snapshot, c) {
			r.queue.mark(key, at)
		}
	}
}

func (r *runner) markAll(snapshot store.Tx) {
	now := time.Now()
	for key := range r.All(snapshot) {
		r.queue.mark(key, now)
	}
}

// dispatch starts workers for what is due, and sets the timer for what will be.
func (r *runner) dispatch(ctx context.Context, timer *time.Timer) {
	for r.busy < r.Workers {
		now := time.Now()
		key, at, ok := r.queue.next(now)
		if !ok {
			if !at.IsZero() {
				timer.Reset(at.Sub(now))
			}
			return
		}
		r.busy++
		r.Metrics.started(r.Name, now.Sub(at))
		go func() {
			start := time.Now()
			res, err := r.Reconcile(ctx, key)
			r.done <- outcome{key: key, r: res, err: err, spent: time.Since(start)}
		}()
	}
}

// finish books what a worker returned. Its error ends the loop: the store takes no more writes from here.
func (r *runner) finish(o outcome) error {
	r.busy--
	failures := r.queue.done(o.key, o.r, o.err, time.Now())
	r.Metrics.finished(r.Name, o.spent, o.err)
	switch {
	case o.err == nil || errors.Is(o.err, context.Canceled):
		return nil
	case errors.Is(o.err, store.ErrNotLeader), errors.Is(o.err, store.ErrClosed):
		return fmt.Errorf("loop %s: %w", r.Name, o.err)
	}
	r.Log.Warn("reconcile failed", "key", o.key, "failures", failures, "retry_in", r.Backoff.delay(failures), "err", o.err)
	return nil
}
