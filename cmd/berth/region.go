package main

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/berth-ecs/berth/cmd/berth/background"
)

type serverCommand struct{}

func (serverCommand) Run(ctx context.Context, a *app) error {
	return ended("server", a.parts.runServer(ctx, a.settings, component(a.log, "server")))
}

type nodeCommand struct{}

func (nodeCommand) Run(ctx context.Context, a *app) error {
	return ended("node", a.parts.runNode(ctx, a.settings, component(a.log, "node")))
}

type holdCommand struct {
	Args []string `arg:"" optional:"" passthrough:""`
}

func (c holdCommand) Run(ctx context.Context, a *app) error {
	return ended("hold", a.parts.runHold(ctx, a.settings, component(a.log, "hold"), c.Args))
}

// foreground runs a server and a node in this process until ctx ends or one of them fails.
func (a *app) foreground(ctx context.Context) error {
	release, err := background.Hold(a.settings.PIDFile())
	if err != nil {
		return err
	}
	defer release()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return serverCommand{}.Run(ctx, a) })
	group.Go(func() error { return nodeCommand{}.Run(ctx, a) })
	return group.Wait()
}

// ended says which part failed; being told to stop is no failure.
func ended(part string, err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return nil
	}
	return fmt.Errorf("%s: %w", part, err)
}
