// Package volume makes the volumes of tasks on this machine, as Docker's driver
// "local" does, and takes away those that go with their task.
//
// Guarantees:
//
//   - Every verb is idempotent: a node that is killed in one asks for it again.
//   - Only an empty directory is removed where something may be mounted, so that what
//     a volume leads to is never removed with it.
//   - A shared volume is what it was made as; who asks for another one under its name
//     is refused.
package volume

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/node/agent/plan"
)

// made is what is written down of a shared volume.
type made struct {
	Labels     map[string]string `json:",omitzero"`
	DriverOpts map[string]string `json:",omitzero"`
}

// specFile is where it is written down. No volume's name begins with a dot.
func specFile(path string) string {
	return filepath.Join(filepath.Dir(path), ".made", filepath.Base(path))
}

// Make makes a volume: its directory, and what is mounted there.
func Make(v plan.Volume) error {
	opts := v.DriverOpts
	if v.Shared {
		known, err := provision(v)
		if err != nil {
			return err
		}
		opts = known.DriverOpts
	}
	_, err := os.Stat(v.Path)
	switch {
	case err == nil:
	case errors.Is(err, fs.ErrNotExist) && v.Make:
		err = os.MkdirAll(v.Path, 0o755)
	case errors.Is(err, fs.ErrNotExist):
		err = fmt.Errorf("volume %q: not found, and autoprovision is off", v.Name)
	}
	if err != nil || len(opts) == 0 {
		return err
	}
	return mount(v.Path, opts)
}

// provision writes a shared volume down, or compares it with what is written down. One that lies there without a word is
// whatever it is.
func provision(v plan.Volume) (made, error) {
	want := made{Labels: v.Labels, DriverOpts: v.DriverOpts}
	text, err := os.ReadFile(specFile(v.Path))
	if err == nil {
		var have made
		if err := json.Unmarshal(text, &have); err != nil {
			return have, fmt.Errorf("volume %q: %w", v.Name, err)
		}
		if v.Make && (!maps.Equal(have.Labels, want.Labels) || !maps.Equal(have.DriverOpts, want.DriverOpts)) {
			return have, fmt.Errorf("volume %q: exists with other labels or driver options", v.Name)
		}
		return have, nil
	}
	if !errors.Is(err, fs.ErrNotExist) || !v.Make {
		return made{}, ignoreMissing(err)
	}
	if _, err := os.Stat(v.Path); err == nil {
		return made{}, nil
	}
	if err := os.MkdirAll(filepath.Dir(specFile(v.Path)), 0o700); err != nil {
		return want, err
	}
	if text, err = json.Marshal(want); err != nil {
		return want, err
	}
	next := specFile(v.Path) + ".new"
	if err := os.WriteFile(next, text, 0o600); err != nil {
		return want, err
	}
	return want, os.Rename(next, specFile(v.Path))
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Unmount takes away what is mounted for a volume. Nothing mounted is not an error.
func Unmount(path string) error {
	for {
		there, err := mounted(path)
		if !there || err != nil {
			return err
		}
		// Of one that a killed node made it is not sure that it is private.
		if err := unix.Mount("", path, "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
			return fmt.Errorf("make %s private: %w", path, err)
		}
		if err := unix.Unmount(path, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW); err != nil {
			return fmt.Errorf("unmount %s: %w", path, err)
		}
	}
}

// Release takes away the mounts of a task's own volumes.
func Release(dataDir, taskID string) error {
	dir := plan.Mounts(dataDir, taskID)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return ignoreMissing(err)
	}
	errs := []error{}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if err := Unmount(path); err != nil {
			errs = append(errs, err)
			continue
		}
		errs = append(errs, os.Remove(path)) // never what is in it
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return ignoreMissing(os.Remove(dir))
}

// Sweep takes away the mounts of tasks that keep does not want, and of shared volumes that nobody uses.
func Sweep(dataDir string, keep func(taskID string) bool, used func(path string) bool) error {
	entries, err := os.ReadDir(filepath.Dir(plan.Mounts(dataDir, "x")))
	errs := []error{ignoreMissing(err)}
	for _, e := range entries {
		if !keep(e.Name()) {
			errs = append(errs, Release(dataDir, e.Name()))
		}
	}
	dir := plan.SharedVolumes(dataDir)
	shared, err := mountsBelow(dir)
	errs = append(errs, err)
	for _, path := range shared {
		// What is mounted within a volume goes with it, and stays with it.
		if path = filepath.Join(dir, first(dir, path)); !used(path) {
			errs = append(errs, Unmount(path))
		}
	}
	return errors.Join(errs...)
}

// first is the name in dir that leads to path.
func first(dir, path string) string {
	rest, _ := filepath.Rel(dir, path) // path lies in dir
	name, _, _ := strings.Cut(rest, "/")
	return name
}
