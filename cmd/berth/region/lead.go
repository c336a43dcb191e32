package region

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/berth-ecs/berth/cmd/berth/balancing"
	"github.com/berth-ecs/berth/ecs/control"
	"github.com/berth-ecs/berth/elb/control/balancers"
	"github.com/berth-ecs/berth/loop"
	"github.com/berth-ecs/berth/store"
)

// leading are the loops of every wing.
func leading(c Config, r rooms) ([]func(context.Context, store.Store) error, error) {
	loops, err := control.New(control.Config{
		Wings:   wings(c),
		Held:    registries{},
		Log:     c.Log.With("component", "control"),
		Metrics: r.metrics,
		Options: control.Options{HealthyAfter: c.Settings.HealthyAfter, StoppedRetention: c.Settings.StoppedRetention},
	})
	if err != nil {
		return nil, err
	}
	sweep, err := sweepers(c, r)
	if err != nil {
		return nil, err
	}
	discovery, err := newDiscovery(c, r)
	if err != nil {
		return nil, err
	}
	balanced, err := newTargets(c, r)
	if err != nil {
		return nil, err
	}
	nodes, err := newBalancers(c, r)
	if err != nil {
		return nil, err
	}
	return []func(context.Context, store.Store) error{loops.Run, r.images.loops.Run, sweep.Run, discovery.Run, balanced.Run, nodes.Run}, nil
}

// lead runs the loops of every wing while this server leads. A store has one leader: loops that competed for themselves would hold each
// other up.
func lead(ctx context.Context, s store.Store, loops ...func(context.Context, store.Store) error) error {
	return s.Lead(ctx, func(ctx context.Context, leader store.Store) error {
		group, ctx := errgroup.WithContext(ctx)
		for _, run := range loops {
			group.Go(func() error { return run(ctx, leader) })
		}
		return group.Wait()
	})
}

// newBalancers gives load balancers their nodes, while this server leads.
func newBalancers(c Config, r rooms) (*balancers.Loop, error) {
	n := balancing.Nodes{Wings: wings(c)}
	return balancers.New(balancers.Config{Tasks: n, Interfaces: n, Machines: n, Log: c.Log.With("component", "elb"), Metrics: loop.NewMetrics(r.metrics)})
}
