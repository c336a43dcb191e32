// Package vpcs serves the metadata endpoint inside of each VPC that the node takes part in.
//
// What is guaranteed:
//
//   - A VPC's endpoint comes with its router and goes with it, and answers about tasks of that VPC only: two VPCs may have the same addresses.
//   - What is kept of a socket while this process is replaced is let go of with its VPC.
package vpcs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync"

	"github.com/berth-ecs/berth/node/metadata"
	"github.com/berth-ecs/berth/nodeconf"
)

// Config is what Servers need.
type Config struct {
	// Listen takes over the listening socket of a VPC that is kept, or makes one. Required.
	Listen func(ctx context.Context, vpc string) (net.Listener, error)
	// Forget lets go of what is kept. Required.
	Forget  func(ctx context.Context, vpc string) error
	Handler func(vpc string) http.Handler // required
	Log     *slog.Logger                  // required
}

// Servers are those of a node. Changes come one at a time.
type Servers struct {
	cfg  Config
	life context.Context //nolint:containedctx // of the goroutines that serve
	end  context.CancelFunc
	wg   sync.WaitGroup

	want map[string]bool
	open map[string]func() // ends one and waits for it
}

// New makes Servers that know no VPC.
func New(c Config) *Servers {
	life, end := context.WithCancel(context.Background())
	return &Servers{cfg: c, life: life, end: end, want: map[string]bool{}, open: map[string]func(){}}
}

// Apply follows a change of the node's configuration. What failed is tried again by the next one, also by one that changes nothing.
func (s *Servers) Apply(ctx context.Context, d nodeconf.Delta) error {
	if d.From == 0 {
		clear(s.want)
	}
	for id := range d.Set.VPCs {
		s.want[id] = true
	}
	for _, k := range d.Gone {
		if k.Kind == "VPCs" {
			delete(s.want, k.ID)
		}
	}
	var errs error
	for _, id := range slices.Sorted(maps.Keys(s.open)) {
		if !s.want[id] {
			errs = errors.Join(errs, s.drop(ctx, id))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(s.want)) {
		if s.open[id] == nil {
			errs = errors.Join(errs, s.serve(ctx, id))
		}
	}
	return errs
}

func (s *Servers) serve(ctx context.Context, id string) error { //nolint:contextcheck // what it serves goes on until Close
	l, err := s.cfg.Listen(ctx, id)
	if err != nil {
		return fmt.Errorf("metadata of %s: %w", id, err)
	}
	life, end := context.WithCancel(s.life)
	done := make(chan struct{})
	s.wg.Go(func() {
		defer close(done)
		if err := metadata.Serve(life, l, s.cfg.Handler(id)); err != nil {
			s.cfg.Log.Error("the metadata endpoint of a VPC ended", "vpc", id, "error", err)
		}
	})
	s.open[id] = func() { end(); <-done }
	return nil
}

func (s *Servers) drop(ctx context.Context, id string) error {
	if err := s.cfg.Forget(ctx, id); err != nil {
		return fmt.Errorf("metadata of %s: %w", id, err)
	}
	s.open[id]()
	delete(s.open, id)
	return nil
}

// Close ends serving. What is kept stays.
func (s *Servers) Close() {
	s.end()
	s.wg.Wait()
}
