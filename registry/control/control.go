// Package control runs the loops of the registry wing: lifecycle policies, and the removal of what nobody refers to.
//
// Guarantees:
//
//   - An image that a policy expires is deleted only if it still is as it was when that was decided.
//   - Content goes when no repository refers to it and it was neither pushed nor touched for the retention. A push that goes
//     on at the same time loses nothing: package blobs says why.
//   - What a deleted repository held goes in steps that may be cut off anywhere.
package control

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/berth-ecs/berth/blobs"
	"github.com/berth-ecs/berth/loop"
	"github.com/berth-ecs/berth/store"
)

// Config describes the loops.
type Config struct {
	Blobs     blobs.Sweeper         // required
	Retention time.Duration         // optional; of content that nobody refers to, and of unfinished uploads; 24 h
	Pressed   func() bool           // optional; says that the disk is full, so that an hour must do
	Now       func() time.Time      // optional; of the blobs' clock: time.Now
	Log       *slog.Logger          // optional
	Metrics   *loop.Metrics         // optional
	Removed   prometheus.Registerer // optional
}

// underPressure is the retention when the disk is full: a push takes less between its first layer and its manifest.
const underPressure = time.Hour

// Loops are the wing's loops, ready to run.
type Loops struct {
	Config
	removed *prometheus.CounterVec
}

// New checks the configuration.
func New(c Config) (*Loops, error) {
	if c.Blobs == nil || c.Retention < 0 {
		return nil, errors.New("registry: control: Blobs is required, and Retention must not be negative")
	}
	c.Retention = cmp.Or(c.Retention, 24*time.Hour)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	l := &Loops{Config: c, removed: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "berth_registry_removed_total", Help: "What the registry's loops removed, by kind: image, layer, blob, upload, record.",
	}, []string{"kind"})}
	if c.Removed != nil {
		if err := c.Removed.Register(l.removed); err != nil {
			return nil, fmt.Errorf("registry: control: %w", err)
		}
	}
	return l, nil
}

// Run runs the loops on a store that leads, until ctx ends (nil) or leadership does (the error).
func (l *Loops) Run(ctx context.Context, s store.Store) error {
	return loop.RunAll(ctx, l.Log, l.Metrics, lifecycles{l, s}.config(), sweeper{l, s}.config())
}
