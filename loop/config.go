package loop

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"log/slog"
	"time"

	"github.com/berth-ecs/berth/store"
)

// Result is what a Reconcile that did not fail wants next.
type Result struct {
	// After asks to be called again after this time; zero waits for the next change.
	After time.Duration
}

// Config describes one loop.
type Config struct {
	Name   string      // required; in logs and metrics
	Store  store.Store // required
	Tables []string    // required; names of the tables whose changes are watched

	// Dirty lists the keys that a change concerns; snapshot holds the change. Required.
	Dirty func(snapshot store.Tx, c store.Change) []string
	// All lists every key there is. Required.
	All func(snapshot store.Tx) iter.Seq[string]
	// Reconcile brings what key names one step closer. Required; it must return soon after ctx ends.
	Reconcile func(ctx context.Context, key string) (Result, error)

	Workers  int           // optional; 4
	Debounce time.Duration // optional; 2 ms; negative for none
	Resync   time.Duration // optional; 10 min
	Backoff  Backoff       // optional
	Log      *slog.Logger  // optional; discards
	Metrics  *Metrics      // optional; none are kept
}

// Backoff is the delay after a failure; it doubles with each in a row.
type Backoff struct {
	Min time.Duration // optional; 100 ms
	Max time.Duration // optional; 30 s
}

func (b Backoff) delay(failures int) time.Duration {
	d := b.Min
	for range failures - 1 {
		if d >= b.Max {
			break
		}
		d *= 2
	}
	return min(d, b.Max)
}

var errConfig = errors.New("loop: Name, Store, Tables, Dirty, All and Reconcile are required")

func (c Config) withDefaults() (Config, error) {
	if c.Name == "" || c.Store == nil || len(c.Tables) == 0 || c.Dirty == nil || c.All == nil || c.Reconcile == nil {
		return c, errConfig
	}
	c.Workers = cmp.Or(c.Workers, 4)
	c.Debounce = max(0, cmp.Or(c.Debounce, 2*time.Millisecond))
	c.Resync = cmp.Or(c.Resync, 10*time.Minute)
	c.Backoff.Min = cmp.Or(c.Backoff.Min, 100*time.Millisecond)
	c.Backoff.Max = cmp.Or(c.Backoff.Max, 30*time.Second)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	c.Log = c.Log.With("loop", c.Name)
	return c, nil
}
