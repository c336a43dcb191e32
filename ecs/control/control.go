package control

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/loop"
	"github.com/berth-ecs/berth/store"
)

// Config describes the loops.
type Config struct {
	Wings   tables.Wings          // required by tasks with interfaces of their own, and by those that are found
	Held    Registrations         // required with Wings.Discovery
	Log     *slog.Logger          // optional; discards
	Metrics prometheus.Registerer // optional; none are kept
	Options Options
}

// Options are the choices of the operator. Zero means the default.
type Options struct {
	HealthyAfter      time.Duration // how long a task without a health check runs before it counts as healthy; 0
	StoppedRetention  time.Duration // how long what is over stays describable; 24 h
	StoppedPerCluster int           // how many STOPPED tasks of a cluster are kept; 20,000
	StoppedPerService int           // and of a service; 100
	Workers           int           // services reconciled side by side; 4
}

// eventsKept is how many events of a service are kept: ECS's number.
const eventsKept = 100

// tokenLife is how long a client token is remembered.
const tokenLife = 24 * time.Hour

func (o Options) withDefaults() (Options, error) {
	if o.HealthyAfter < 0 || o.StoppedRetention < 0 || o.StoppedPerCluster < 0 || o.StoppedPerService < 0 || o.Workers < 0 {
		return o, fmt.Errorf("control: options must not be negative: %+v", o)
	}
	o.StoppedRetention = cmp.Or(o.StoppedRetention, 24*time.Hour)
	o.StoppedPerCluster = cmp.Or(o.StoppedPerCluster, 20_000)
	o.StoppedPerService = cmp.Or(o.StoppedPerService, 100)
	o.Workers = cmp.Or(o.Workers, 4)
	return o, nil
}

// Loops are the wing's loops, ready to run.
type Loops struct {
	wings   tables.Wings
	held    Registrations
	log     *slog.Logger
	metrics *loop.Metrics
	options Options
}

// New checks the configuration.
func New(c Config) (*Loops, error) {
	o, err := c.Options.withDefaults()
	if err != nil {
		return nil, err
	}
	l := &Loops{wings: c.Wings, held: c.Held, log: c.Log, options: o}
	if l.log == nil {
		l.log = slog.New(slog.DiscardHandler)
	}
	if c.Metrics != nil {
		l.metrics = loop.NewMetrics(c.Metrics)
	}
	return l, nil
}

// Run runs the loops on a store that leads, until ctx ends (nil) or leadership does (the error). It is what store.Lead calls, any number
// of times.
func (l *Loops) Run(ctx context.Context, s store.Store) error {
	loops := []loop.Config{
		services{store: s, wings: l.wings, held: l.held, options: l.options}.config(),
		instances{store: s, wings: l.wings}.config(),
		reaper{store: s, options: l.options}.config(),
	}
	if l.held != nil {
		loops = append(loops, registrar{store: s, wings: l.wings, held: l.held}.config())
	}
	if l.wings.Balancing != nil {
		loops = append(loops, targets{store: s, wings: l.wings}.config())
	}
	return loop.RunAll(ctx, l.log, l.metrics, loops...)
}
