package nodeproc

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/berth-ecs/berth/internal/config"
	"github.com/berth-ecs/berth/node/runtime"
)

// Destroy removes what a stopped node left running: containers, containerd, hold, the network. It may be called again after
// it failed, and on a machine where there is nothing.
func Destroy(ctx context.Context, c Config) error {
	if _, err := os.Stat(c.Settings.RunDir); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	m, err := open(ctx, c)
	if err != nil {
		return err
	}
	nothing := func(string) bool { return false }
	return errors.Join(
		m.network.Destroy(ctx),
		m.runtime.Sweep(ctx, nothing),
		m.runtime.Shutdown(ctx),
		m.hold.Shutdown(ctx),
	)
}

// Load puts the images of an archive into the node's image store.
func Load(ctx context.Context, s config.Settings, archive string) error {
	f, err := os.Open(archive)
	if err != nil {
		return fmt.Errorf("load images: %w", err)
	}
	defer f.Close()
	_, err = runtime.Import(ctx, runtimeConfig(s), f)
	return err
}
