package storage

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/containerd/containerd/v2/core/mount"
)

// layer is a container's directory of what it writes.
func (c Config) layer(id string) string { return filepath.Join(c.Path(id[:32]), "rootfs", id) }

// Root is a container's root: the image's layers as the mounts of a read-only view have them, topmost first, and above them what the
// container writes to the task's file system.
func (c Config) Root(id string, layers []string, view []mount.Mount) ([]mount.Mount, error) {
	if there, err := mounted(c.Path(id[:32])); err != nil || !there {
		return nil, errors.Join(err, fmt.Errorf("the ephemeral storage of task %s is not mounted", id[:32]))
	}
	upper, work := filepath.Join(c.layer(id), "upper"), filepath.Join(c.layer(id), "work")
	for _, dir := range []string{upper, work} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, err
		}
	}
	options := []string{"workdir=" + work, "upperdir=" + upper, "lowerdir=" + strings.Join(layers, ":")}
	for _, m := range view {
		if m.Type != "overlay" { // one layer alone is bound
			continue
		}
		for _, o := range m.Options {
			if !strings.HasPrefix(o, "lowerdir=") && o != "ro" && !slices.Contains(options, o) {
				options = append(options, o)
			}
		}
	}
	return []mount.Mount{{Type: "overlay", Source: "overlay", Options: options}}, nil
}

// Drop removes what a container wrote to its root.
func (c Config) Drop(id string) error {
	if there, err := mounted(c.Path(id[:32])); err != nil || !there {
		return err
	}
	if err := os.RemoveAll(c.layer(id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
