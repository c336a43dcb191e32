package storage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/internal/failpoint"
	"github.com/berth-ecs/berth/node/runtime/keyed"
)

// Config says where they lie.
type Config struct {
	Dir    string // required: of the files
	Mounts string // required: a task's is mounted in it, under the task's id

	// Making is held while what is copied of a size is made. Required.
	Making *keyed.Mutex
}

const suffix = ".ext4"

func (c Config) file(task string) string { return filepath.Join(c.Dir, task+suffix) }

// Path is where a task's is mounted.
func (c Config) Path(task string) string { return filepath.Join(c.Mounts, task) }

// Has says whether a task has one, or something is left of it.
func (c Config) Has(task string) bool {
	_, err := os.Lstat(c.file(task))
	return err == nil
}

// Tasks are those that Has.
func (c Config) Tasks() (out []string, err error) {
	entries, err := os.ReadDir(c.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for _, e := range entries {
		if task, ok := strings.CutSuffix(e.Name(), suffix); ok && !strings.HasPrefix(task, blankPrefix) {
			out = append(out, task)
		}
	}
	return out, err
}

// options of the file systems. What is deleted leaves holes in the file; and nothing has to be written ahead in a file of holes.
const options = "discard,noinit_itable"

// Make makes a task's file system of so many GiB and mounts it, unless it is.
func (c Config) Make(ctx context.Context, task string, gib int64) error {
	path := c.Path(task)
	if err := os.MkdirAll(path, 0o755); err != nil {
		return err
	}
	switch there, err := mounted(path); {
	case err != nil:
		return err
	case there:
		return nil
	}
	blank, err := c.blank(ctx, gib)
	if err != nil {
		return fmt.Errorf("ephemeral storage: %w", err)
	}
	if err := copyHoles(c.file(task), blank); err != nil {
		return fmt.Errorf("ephemeral storage: %w", err)
	}
	failpoint.Hit(failpoint.StorageCopied)
	device, err := attach(c.file(task))
	if err != nil {
		return fmt.Errorf("ephemeral storage: %w", err)
	}
	defer func() { _ = device.Close() }() // from here on the mount holds it
	if err := unix.Mount(device.Name(), path, "ext4", 0, options); err != nil {
		return fmt.Errorf("ephemeral storage: mount %s: %w", device.Name(), err)
	}
	return nil
}

// mounted says whether something is mounted at a directory.
func mounted(dir string) (bool, error) {
	var at, above unix.Stat_t
	err := unix.Lstat(dir, &at)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err == nil {
		err = unix.Lstat(filepath.Dir(dir), &above)
	}
	if err != nil {
		return false, &fs.PathError{Op: "lstat", Path: dir, Err: err}
	}
	return at.Dev != above.Dev, nil
}

// Remove removes a task's file system with everything in it. Its containers are gone by then.
func (c Config) Remove(task string) error {
	path := c.Path(task)
	for there, err := mounted(path); there || err != nil; there, err = mounted(path) {
		if err != nil {
			return err
		}
		err := unix.Unmount(path, unix.UMOUNT_NOFOLLOW)
		if errors.Is(err, unix.EBUSY) { // somebody of the machine's looks at it
			err = unix.Unmount(path, unix.UMOUNT_NOFOLLOW|unix.MNT_DETACH)
		}
		if err != nil {
			return os.NewSyscallError("unmount "+path, err)
		}
	}
	if c.Has(task) {
		failpoint.Hit(failpoint.StorageGone)
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTEMPTY) {
			return err
		}
	}
	if err := os.Remove(c.file(task)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Usage is how much of a file system is used, and its size, in bytes.
type Usage struct{ Used, Size int64 }

// Usage is that of a task's; false when it has none.
func (c Config) Usage(task string) (Usage, bool) {
	there, err := mounted(c.Path(task))
	if err != nil || !there {
		return Usage{}, false
	}
	info, err := os.Stat(c.file(task))
	if err != nil {
		return Usage{}, false
	}
	var s unix.Statfs_t
	if err := unix.Statfs(c.Path(task), &s); err != nil {
		return Usage{}, false
	}
	size := sizeOf(info.Size())
	return Usage{Used: min(int64(s.Blocks-s.Bfree)*s.Bsize, size), Size: size}, true
}
