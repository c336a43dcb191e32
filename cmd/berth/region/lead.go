package region

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/berth-ecs/berth/store"
)

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
