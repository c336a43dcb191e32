package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/berth-ecs/berth/cmd/berth/background"
	"github.com/berth-ecs/berth/cmd/berth/doctor"
	"github.com/berth-ecs/berth/cmd/berth/health"
	"github.com/berth-ecs/berth/internal/config"
	"github.com/berth-ecs/berth/joining"
	"github.com/berth-ecs/berth/joining/client"
)

type doctorCommand struct{}

func (doctorCommand) Run(ctx context.Context, a *app) error {
	_, running, err := background.Running(a.settings.PIDFile())
	if err != nil {
		return fmt.Errorf("doctor: %w", err)
	}
	if !running {
		running = a.serves(ctx)
	}
	failures := 0
	for _, f := range a.parts.examine(ctx, a.settings, running) {
		a.printf("%s\n", f)
		if f.Level == doctor.Fail {
			failures++
		}
	}
	if failures > 0 {
		return fmt.Errorf("doctor: %d of the checks failed: tasks will not run right until that is mended", failures)
	}
	return nil
}

// serves tells whether this machine is a server of several, and its process answers: nobody holds a pid file for one that a supervisor runs.
func (a *app) serves(ctx context.Context) bool {
	m, err := client.Load(a.settings.DataDir)
	if err != nil || m.Role != joining.Server {
		return false
	}
	_, err = health.Page(a.settings.Endpoint()).Report(ctx)
	return err == nil
}

// joinedNode says what a machine is that joined as a node.
func joinedNode(s config.Settings) string {
	m, err := client.Load(s.DataDir)
	if err != nil || m.Role != joining.Node {
		return ""
	}
	return fmt.Sprintf("this machine is a node of the region %s of account %s: machine %s of berth machines, on a server", m.Home.Region, m.Home.Account, m.Machine)
}

// fit prints what is wrong with the machine and fails when a region could not start on it.
func (a *app) fit(ctx context.Context) error {
	blocked := false
	for _, f := range a.parts.examine(ctx, a.settings, false) {
		if f.Level == doctor.Fail {
			a.printf("%s\n", f)
		}
		blocked = blocked || f.Blocks()
	}
	if blocked {
		return errors.New("this machine cannot run a region yet: see above what to do")
	}
	return nil
}
