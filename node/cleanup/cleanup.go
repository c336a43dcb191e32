// Package cleanup removes the images that a node's tasks do not need any more.
//
// What is guaranteed: an image that a task has, or that is being pulled, is never removed. An image goes when it was unused for
// the minimum age, a few each time; when the disk is fuller than the pressure allows, at any age and until it is not.
package cleanup

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/berth-ecs/berth/node/runtime"
)

// Images is what removes them: node/runtime.
type Images interface {
	PruneImages(ctx context.Context, p runtime.Prune) (removed []string, err error)
}

// Config says when images go. The first four are the ECS agent's ECS_IMAGE_CLEANUP_INTERVAL, ECS_IMAGE_MINIMUM_CLEANUP_AGE,
// ECS_NUM_IMAGES_DELETE_PER_CYCLE; the fifth is berth's own.
type Config struct {
	Images     Images              // required
	Interval   time.Duration       // required; 0 turns it off
	MinimumAge time.Duration       // optional
	Most       int                 // required; images of one cycle
	Pressure   int                 // required; percent of the disk
	Used       func() (int, error) // required; percent of the disk
	Log        *slog.Logger        // required
}

// glance is how often the disk is looked at between the cycles.
const glance = time.Minute

// Run cleans up until ctx ends.
func Run(ctx context.Context, c Config) error {
	if c.Interval == 0 {
		<-ctx.Done()
		return nil
	}
	every := min(c.Interval, glance)
	tick := time.NewTicker(every)
	defer tick.Stop()
	for since := every; ; since += every {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if c.pressed() {
			c.relieve(ctx)
		}
		if since >= c.Interval {
			since = 0
			c.prune(ctx, c.MinimumAge)
		}
	}
}

func (c Config) pressed() bool {
	used, err := c.Used()
	if err != nil {
		c.Log.Warn("cannot see how full the disk is", "error", err)
	}
	return err == nil && used >= c.Pressure
}

// relieve removes what no task has, whatever its age, until the disk has room or nothing is left.
func (c Config) relieve(ctx context.Context) {
	for c.pressed() && c.prune(ctx, 0) > 0 {
	}
}

func (c Config) prune(ctx context.Context, age time.Duration) int {
	removed, err := c.Images.PruneImages(ctx, runtime.Prune{MinimumAge: age, Most: c.Most})
	if err != nil && ctx.Err() == nil {
		c.Log.Warn("some images could not be removed", "error", fmt.Errorf("clean up: %w", err))
	}
	for _, name := range removed {
		c.Log.Info("removed an image that no task uses", "image", name)
	}
	return len(removed)
}
