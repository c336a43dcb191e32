package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/berth-ecs/berth/cmd/berth/background"
	"github.com/berth-ecs/berth/cmd/berth/tryout"
	"github.com/berth-ecs/berth/internal/ready"
)

type downCommand struct {
	Purge   bool          `help:"Also remove the data directory: records, images, keys, logs."`
	Timeout time.Duration `help:"How long the region may take to stop before it is killed." default:"30s"`
}

func (c downCommand) Run(ctx context.Context, a *app) error {
	patience, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	stopped, err := background.Stop(patience, a.settings.PIDFile())
	if err != nil {
		return fmt.Errorf("down: %w", err)
	}
	if stopped {
		a.printf("region    stopped\n")
	} else {
		a.printf("region    did not run\n")
	}
	if err := c.rest(ctx, a); err != nil {
		return fmt.Errorf("down: %w", err)
	}
	if err := removeAll(a.settings.RunDir); err != nil {
		return fmt.Errorf("down: %w", err)
	}
	if !c.Purge {
		a.printf("data      kept in %s (remove it with --purge)\n", a.settings.DataDir)
		return nil
	}
	if err := removeAll(a.settings.DataDir); err != nil {
		return fmt.Errorf("down: %w", err)
	}
	a.printf("data      removed\n")
	return nil
}

// rest takes down what outlives the region's process on purpose, the containers.
func (c downCommand) rest(ctx context.Context, a *app) error {
	if tryout.There(a.settings.DataDir) {
		r, err := a.tryout()
		if err == nil {
			err = r.Down(ctx, c.Purge)
		}
		if err == nil {
			a.printf("machines  nothing of them is left running\n")
		}
		return err
	}
	err := a.parts.destroy(ctx, a.process("down", &ready.State{}))
	if err == nil {
		a.printf("node      nothing of it is left running\n")
	}
	return err
}

// removeAll removes a directory unless something is mounted below it: what is behind a volume is not ours to remove. The kernel
// tells where things really are, and blanks in its own way.
func removeAll(dir string) error {
	real, err := filepath.EvalSymlinks(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return os.RemoveAll(dir)
	}
	if err != nil {
		return err
	}
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return err
	}
	plain := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
	for line := range strings.Lines(string(mounts)) {
		if f := strings.Fields(line); len(f) > 1 && strings.HasPrefix(plain.Replace(f[1]), real+"/") {
			return fmt.Errorf("%s is still mounted: unmount it, and say it again", plain.Replace(f[1]))
		}
	}
	return os.RemoveAll(dir)
}
