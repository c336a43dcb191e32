package daemon

import (
	"errors"
	"path/filepath"

	"github.com/berth-ecs/berth/internal/reserve"
)

// reserved is room on the disk in each of containerd's databases: a container on a full disk can be deleted all the same.
const reserved = 4 << 20

// Reserve keeps that room. containerd must have answered, so that the files are there; nil is a containerd not ours.
func (d *Daemon) Reserve() error {
	if d == nil {
		return nil
	}
	root := filepath.Join(d.c.DataDir, "containerd")
	return errors.Join(
		reserve.File(filepath.Join(root, "io.containerd.metadata.v1.bolt", "meta.db"), reserved),
		reserve.File(filepath.Join(root, "io.containerd.snapshotter.v1.overlayfs", "metadata.db"), reserved),
	)
}
