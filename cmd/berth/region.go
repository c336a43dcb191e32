package main

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/berth-ecs/berth/cmd/berth/background"
	"github.com/berth-ecs/berth/internal/ready"
)

type serverCommand struct{}

func (serverCommand) Run(ctx context.Context, a *app) error {
	state := &ready.State{}
	a.notify(ctx, state)
	return ended("server", a.parts.runServer(ctx, a.process("server", state)))
}

type nodeCommand struct{}

func (nodeCommand) Run(ctx context.Context, a *app) error {
	state := &ready.State{}
	a.notify(ctx, state)
	return ended("node", a.parts.runNode(ctx, a.process("node", state)))
}

type holdCommand struct {
	Args []string `arg:"" optional:""`
}

func (c holdCommand) Run(ctx context.Context, a *app) error {
	return ended("hold", a.parts.runHold(ctx, a.process("hold", &ready.State{}), c.Args))
}

// process is the context of one part of this process.
func (a *app) process(part string, state *ready.State) process {
	return process{settings: a.settings, log: a.log.With("part", part), ready: state}
}

// foreground runs a server and a node in this process until ctx ends or one of them fails.
func (a *app) foreground(ctx context.Context) error {
	release, err := background.Hold(a.settings.PIDFile())
	if err != nil {
		return err
	}
	defer release()
	// Both are announced first, or the region would be ready before the node has said that it is there.
	var state ready.State
	state.Wait("server", "starting")
	state.Wait("node", "waiting for the server")
	a.notify(ctx, &state)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return ended("server", a.parts.runServer(ctx, a.process("server", &state))) })
	group.Go(func() error { return ended("node", a.parts.runNode(ctx, a.process("node", &state))) })
	return group.Wait()
}

// ended says which part failed; being told to stop is no failure.
func ended(part string, err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return nil
	}
	return fmt.Errorf("%s: %w", part, err)
}
