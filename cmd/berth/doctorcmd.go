package main

import (
	"context"
	"fmt"

	"github.com/berth-ecs/berth/cmd/berth/background"
	"github.com/berth-ecs/berth/cmd/berth/doctor"
)

type doctorCommand struct{}

func (doctorCommand) Run(ctx context.Context, a *app) error {
	_, running, err := background.Running(a.settings.PIDFile())
	if err != nil {
		return fmt.Errorf("doctor: %w", err)
	}
	facts := doctor.Gather(ctx, a.settings, doctor.Sources{Firewalls: a.parts.firewalls, Running: running})
	failures := 0
	for _, f := range doctor.Examine(facts) {
		a.printf("%-5s %-12s %s\n", f.Level, f.Check, f.Text)
		if f.Remedy != "" {
			a.printf("%-5s %-12s   -> %s\n", "", "", f.Remedy)
		}
		if f.Level == doctor.Fail {
			failures++
		}
	}
	if failures > 0 {
		return fmt.Errorf("doctor: %d of the checks failed: tasks will not run right until that is mended", failures)
	}
	return nil
}
