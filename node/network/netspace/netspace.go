package netspace

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// locked runs f on a thread of its own that f may move between namespaces. The thread is given back only if it returned
// home; otherwise it ends with its goroutine.
func locked(f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		home, err := netns.Get()
		if err != nil {
			runtime.UnlockOSThread()
			done <- fmt.Errorf("netspace: own namespace: %w", err)
			return
		}
		defer func() { _ = home.Close() }()
		err = f()
		if back := netns.Set(home); back == nil {
			runtime.UnlockOSThread()
		}
		done <- err
	}()
	return <-done
}

// Inside runs f in a namespace.
func Inside(ns netns.NsHandle, f func() error) error {
	return locked(func() error {
		if err := netns.Set(ns); err != nil {
			return fmt.Errorf("netspace: enter namespace: %w", err)
		}
		return f()
	})
}

// InsideAt runs f in the namespace that is mounted at path.
func InsideAt(path string, f func() error) error {
	ns, err := netns.GetFromPath(path)
	if err != nil {
		return fmt.Errorf("netspace: namespace %s: %w", path, err)
	}
	defer func() { _ = ns.Close() }() // a descriptor
	return Inside(ns, f)
}

// New makes a namespace, runs setup in it and returns the only thing that keeps it alive: its descriptor.
func New(setup func(netns.NsHandle) error) (ns netns.NsHandle, err error) {
	err = locked(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("netspace: new namespace: %w", err)
		}
		var err error
		if ns, err = netns.Get(); err != nil {
			return fmt.Errorf("netspace: new namespace: %w", err)
		}
		if err := setup(ns); err != nil {
			_ = ns.Close()
			return err
		}
		return nil
	})
	return ns, err
}

// Mount makes a namespace outlive this process. The file must not exist.
func Mount(ns netns.NsHandle, path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDONLY, 0o444)
	if err != nil {
		return fmt.Errorf("netspace: namespace file: %w", err)
	}
	_ = f.Close()
	if err := unix.Mount(fmt.Sprintf("/proc/self/fd/%d", int(ns)), path, "none", unix.MS_BIND, ""); err != nil {
		_ = os.Remove(path)
		return fmt.Errorf("netspace: mount namespace on %s: %w", path, err)
	}
	return nil
}

// Unmount removes mount and file, as far as they exist.
func Unmount(path string) error {
	for {
		err := unix.Unmount(path, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW)
		if err == nil {
			continue // mounts may be stacked
		}
		if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOENT) {
			break
		}
		return fmt.Errorf("netspace: unmount %s: %w", path, err)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("netspace: %w", err)
	}
	return nil
}

// Mounted tells whether a path is a mounted namespace, not just the file one is mounted on.
func Mounted(path string) bool {
	var s unix.Statfs_t
	return unix.Statfs(path, &s) == nil && s.Type == unix.NSFS_MAGIC
}

// Sysctl writes one setting of the namespace the calling thread is in. A setting this kernel does not have is no error.
func Sysctl(value string, path ...string) error {
	file := filepath.Join(append([]string{"/proc/sys/net"}, path...)...)
	if err := os.WriteFile(file, []byte(value), 0o600); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("netspace: set %s to %s: %w", file, value, err)
	}
	return nil
}

// Sysctls writes pairs of path and value.
func Sysctls(pairs [][2]string) error {
	for _, p := range pairs {
		if err := Sysctl(p[1], p[0]); err != nil {
			return err
		}
	}
	return nil
}

// Names lists mounts and files in a directory, those whose names are such.
func Names(dir string, such func(string) bool) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("netspace: %w", err)
	}
	var out []string
	for _, e := range entries {
		if such(e.Name()) {
			out = append(out, e.Name())
		}
	}
	return out, nil
}

// Absent says whether an error says that something is not there: a link, a route, a neighbour, a rule.
func Absent(err error) bool {
	var notFound netlink.LinkNotFoundError
	return errors.As(err, &notFound) || errors.Is(err, unix.ENODEV) || errors.Is(err, unix.ESRCH) || errors.Is(err, unix.ENOENT)
}
