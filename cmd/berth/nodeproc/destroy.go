package nodeproc

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/berth-ecs/berth/internal/config"
	"github.com/berth-ecs/berth/node/agent/volume"
	"github.com/berth-ecs/berth/node/hold"
	"github.com/berth-ecs/berth/node/network"
	"github.com/berth-ecs/berth/node/proxy"
	"github.com/berth-ecs/berth/node/runtime"
	"github.com/berth-ecs/berth/node/runtime/load"
)

// Destroy removes what a stopped node left running: containers, containerd, hold, the network. It may be called again after
// it failed, and on a machine where there is nothing.
func Destroy(ctx context.Context, c Config) error {
	if _, err := os.Stat(c.Settings.RunDir); errors.Is(err, os.ErrNotExist) {
		// An Envoy is known by where its directory was. Beside it, another installation may have the name, with directories of its own.
		return errors.Join(proxy.Stop(ctx, proxyConfig(c)), unsettle(ctx, c.Settings.Name))
	}
	return errors.Join(destroy(ctx, c), endHeld(ctx, c.Settings.Name), unsettle(ctx, c.Settings.Name))
}

func destroy(ctx context.Context, c Config) error {
	// A network that was left broken need not be mended to be removed, so this is not open.
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	h, err := hold.Start(ctx, holdConfig(c, exe))
	if err != nil {
		return fmt.Errorf("hold: %w", err)
	}
	return errors.Join(
		removeContainers(ctx, c, h),
		proxy.Stop(ctx, proxyConfig(c)),
		removeClouds(ctx, c),
		network.Remove(ctx, networkConfig(c)),
		h.Shutdown(ctx),
	)
}

// removeContainers ends every container, what is mounted for their volumes, and then containerd.
func removeContainers(ctx context.Context, c Config, h *hold.Client) error {
	r, err := runtime.Open(ctx, runtimeConfig(c, h))
	if err != nil {
		return err
	}
	none := func(string) bool { return false }
	return errors.Join(
		sweep(ctx, r),
		volume.Sweep(c.Settings.DataDir, none, none),
		endStarts(ctx, c.Settings.Name, h),
		r.Shutdown(ctx),
	)
}

const (
	sweeps     = 5
	sweepEvery = 500 * time.Millisecond
)

// sweep ends every container. One that was just being made or ending when we looked goes when we look again.
func sweep(ctx context.Context, r *runtime.Runtime) (err error) {
	for range sweeps {
		if err = r.Sweep(ctx, func(string) bool { return false }); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(sweepEvery):
		}
	}
	return err
}

// Load puts the images of an archive into the node's image store.
func Load(ctx context.Context, s config.Settings, archive string) error {
	f, err := os.Open(archive)
	if err != nil {
		return fmt.Errorf("load images: %w", err)
	}
	defer f.Close()
	_, err = load.Archive(ctx, baseRuntimeConfig(s).Socket(), s.Name, f)
	return err
}
