package main

import (
	"context"
	"fmt"
	"os"

	"github.com/berth-ecs/berth/cmd/berth/background"
	"github.com/berth-ecs/berth/cmd/berth/health"
)

type statusCommand struct {
	Coverage bool `help:"List the AWS operations this berth serves."`
}

func (c statusCommand) Run(ctx context.Context, a *app) error {
	if c.Coverage {
		return a.parts.coverage(a.stdout)
	}
	pid, running, err := background.Running(a.settings.PIDFile())
	if err != nil {
		return fmt.Errorf("status: %w", err)
	}
	if !running {
		return fmt.Errorf("status: no region of installation %q runs here; start one with: %s up", a.settings.Name, os.Args[0])
	}
	report, err := health.Page(a.settings.Endpoint()).Report(ctx)
	if err != nil {
		return fmt.Errorf("status: process %d runs but %s does not answer: %w", pid, a.settings.Endpoint(), err)
	}
	a.printf("installation  %s (process %d, version of this command %s)\n", a.settings.Name, pid, version)
	a.printf("endpoint      %s  region %s  account %s\n", a.settings.Endpoint(), a.settings.Region, a.settings.Account)
	if !report.Ready {
		a.printf("state         not ready: %s\n", health.Doing(report))
		return nil
	}
	a.printf("state         ready\n\n")
	return a.clusters(ctx)
}
