package main

import (
	"context"
	"errors"
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
