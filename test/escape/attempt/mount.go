package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/test/escape/aim"
)

// mounting mounts something at a directory of its own.
func mounting(source, kind string, flags uintptr) func(aim.Aim) error {
	return func(aim.Aim) error {
		dir, err := os.MkdirTemp("", "")
		if err != nil {
			return err
		}
		defer os.Remove(dir)
		if err := unix.Mount(source, dir, kind, flags, ""); err != nil {
			return err
		}
		return unix.Unmount(dir, unix.MNT_DETACH)
	}
}

// controlGroups mounts a hierarchy of control groups and opens what would have the machine run a program, or move a process.
func controlGroups(aim.Aim) error {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		return err
	}
	defer os.Remove(dir)
	err = unix.Mount("cgroup", dir, "cgroup", 0, "memory")
	if err != nil && !errors.Is(err, unix.EPERM) && !errors.Is(err, unix.EACCES) {
		err = unix.Mount("cgroup2", dir, "cgroup2", 0, "")
	}
	if err != nil {
		return err
	}
	defer func() { _ = unix.Unmount(dir, unix.MNT_DETACH) }()
	for _, name := range []string{"release_agent", "cgroup.procs"} {
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_WRONLY, 0)
		if err == nil {
			return f.Close()
		}
	}
	return errors.New("it has nothing to write to")
}

// writeControlGroup opens a limit of a group that is mounted already.
func writeControlGroup(aim.Aim) error {
	last := fmt.Errorf("%w: /sys/fs/cgroup", errAbsent)
	for _, pattern := range []string{"/sys/fs/cgroup/*/cgroup.procs", "/sys/fs/cgroup/cgroup.procs"} {
		found, _ := filepath.Glob(pattern)
		for _, p := range found {
			f, err := os.OpenFile(p, os.O_WRONLY, 0)
			if err == nil {
				return f.Close()
			}
			last = err
		}
	}
	return last
}

// writable takes away that a mount is for reading only.
func writable(path string) func(aim.Aim) error {
	return func(aim.Aim) error {
		return unix.Mount("", path, "", unix.MS_REMOUNT|unix.MS_BIND, "")
	}
}

// uncover takes away what lies over a path.
func uncover(path string) func(aim.Aim) error {
	return func(aim.Aim) error {
		if err := privateMounts(); err != nil {
			return err
		}
		return unix.Unmount(path, unix.MNT_DETACH)
	}
}

// privateMounts gives this process mounts of its own where it may, so that others' attempts are not disturbed.
func privateMounts() error {
	if err := unix.Unshare(unix.CLONE_NEWNS | unix.CLONE_FS); err != nil && !errors.Is(err, unix.EPERM) {
		return err
	}
	return nil
}

// pivot makes another directory the root.
func pivot(aim.Aim) error {
	if err := privateMounts(); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		return err
	}
	err = unix.Mount(dir, dir, "", unix.MS_BIND, "")
	if err == nil {
		err = unix.PivotRoot(dir, dir)
	}
	return err
}

// openMount takes a copy of a mount by the newer calls.
func openMount(aim.Aim) error {
	fd, err := unix.OpenTree(unix.AT_FDCWD, "/", unix.OPEN_TREE_CLONE)
	if err == nil {
		_ = unix.Close(fd)
	}
	return err
}

func openFileSystem(aim.Aim) error {
	fd, err := unix.Fsopen("tmpfs", unix.FSOPEN_CLOEXEC)
	if err == nil {
		_ = unix.Close(fd)
	}
	return err
}

// changeMount changes a mount's attributes.
func changeMount(aim.Aim) error {
	return unix.MountSetattr(unix.AT_FDCWD, "/sys", 0, &unix.MountAttr{Attr_clr: unix.MOUNT_ATTR_RDONLY})
}
