// Package control runs the loops of Cloud Map: operations, health that was told, health checks, and what is over.
//
// Guarantees:
//
//   - An operation goes SUBMITTED, PENDING, then SUCCESS together with what it changes, or FAIL with nothing changed; whoever leads finishes
//     what another began, and does it once.
//   - What was told of an instance's health counts when its time has come, and not before.
//   - Instances are checked every 30 seconds, each for itself; only a change of health is written.
//   - Nothing is polled: the loops wake for changes and at times that records say.
package control

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/berth-ecs/berth/cloudmap"
	"github.com/berth-ecs/berth/loop"
	"github.com/berth-ecs/berth/store"
)

// VPCs tells which there are.
type VPCs interface {
	// HasVPC says whether an account has a VPC. It compares what it reads, 1 key.
	HasVPC(tx store.Tx, h cloudmap.Home, id string) bool
}

// Config describes the loops.
type Config struct {
	VPCs    VPCs                   // required
	Reaches func(addr string) bool // optional; whether health checks may go to an address: to all
	Dial    Dial                   // optional; how they do: a net.Dialer
	Log     *slog.Logger           // optional
	Metrics *loop.Metrics          // optional
	Checked prometheus.Registerer  // optional; where health checks are counted
}

// Dial opens a connection to an address and port.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// Loops are the wing's loops, ready to run.
type Loops struct {
	Config
	checked *prometheus.CounterVec
}

// New checks the configuration.
func New(c Config) (*Loops, error) {
	if c.VPCs == nil {
		return nil, errors.New("cloudmap: control: VPCs is required")
	}
	if c.Reaches == nil {
		c.Reaches = func(string) bool { return true }
	}
	if c.Dial == nil {
		c.Dial = (&net.Dialer{}).DialContext
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	l := &Loops{Config: c, checked: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "berth_cloudmap_checks_total", Help: "Health checks of instances by result: passed or failed.",
	}, []string{"result"})}
	if c.Checked != nil {
		if err := c.Checked.Register(l.checked); err != nil {
			return nil, fmt.Errorf("cloudmap: control: %w", err)
		}
	}
	return l, nil
}

// Run runs the loops on a store that leads, until ctx ends (nil) or leadership does (the error).
func (l *Loops) Run(ctx context.Context, s store.Store) error {
	return loop.RunAll(ctx, l.Log, l.Metrics, operations{l, s}.config(), told{s}.config(), newChecks(l, s).config(), ageing{s, keptMost}.config())
}
