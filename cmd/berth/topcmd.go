package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/berth-ecs/berth/cmd/berth/top"
)

// topCommand shows every cluster, unless --cluster, which is a setting, was given with it.
type topCommand struct {
	Once     bool          `help:"Show it once and end."`
	Interval time.Duration `help:"How often to ask again." default:"2s"`
}

func (c topCommand) Run(ctx context.Context, a *app) error {
	signer, err := a.rootSigner("ecs")
	if err != nil {
		return fmt.Errorf("top: %w", err)
	}
	if c.Interval < 100*time.Millisecond {
		return fmt.Errorf("top: --interval %v is shorter than 100ms", c.Interval)
	}
	source := top.Source{Endpoint: a.settings.Endpoint(), Cluster: chosenCluster(a), Signer: signer}
	page, err := source.Get(ctx)
	if err != nil {
		return fmt.Errorf("top: %s: %w", a.settings.Endpoint(), err)
	}
	if c.Once {
		return top.Render(a.stdout, page)
	}
	return top.Watch(ctx, a.stdout, source.Get, c.Interval)
}

// chosenCluster is the cluster of the command line. The node's setting says elsewhere where it registers, and hides nothing here.
func chosenCluster(a *app) string {
	given := slices.ContainsFunc(a.args, func(s string) bool { return s == "--cluster" || strings.HasPrefix(s, "--cluster=") })
	if !given {
		return ""
	}
	return a.settings.Cluster
}
