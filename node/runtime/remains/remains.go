// Package remains finds and removes what is left of a container that containerd
// does not know.
//
// When containerd is killed inside the creation of a task, the shim may go on with
// it: containerd's successor does not know the task, and a runc container, its
// mount, its cgroup and its bundle appear after everybody has looked.
//
// Guarantee: Scrub answers nil only when nothing has come again for a while.
package remains

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	shimapi "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/containerd/containerd/v2/core/mount"
	"github.com/containerd/ttrpc"
	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/node/runtime/cgroup"
	"github.com/berth-ecs/berth/node/runtime/shim"
)

// Config says where an installation's containers leave things.
type Config struct {
	Name     string              // required: containerd's namespace
	Task     string              // required: what its shim is found by
	Cgroup   string              // required: the task's
	Cgroups  *cgroup.Hierarchy   // required
	Shims    shim.Config         // required
	StateDir string              // required: containerd's
	Runc     string              // required: the program
	RuncRoot string              // required
	State    func(string) string // optional: where the runtime keeps what it knows of a container, if not as runc does
	Foreign  bool                // containerd is not ours, and neither are its bundles
}

const (
	every     = 25 * time.Millisecond
	scrubTime = 10 * time.Second
	askTime   = 2 * time.Second // for one answer of a shim: what it waits for may be what else is removed here
)

// Bundle is the directory of a container's bundle.
func (c Config) Bundle(id string) string {
	return filepath.Join(c.StateDir, "io.containerd.runtime.v2.task", c.Name, id)
}

// RuncState is where runc keeps what it knows of a container.
func (c Config) RuncState(id string) string {
	if c.State != nil {
		return c.State(id)
	}
	return filepath.Join(c.RuncRoot, c.Name, id)
}

// Traced reports whether the kernel or runc still has anything of a container
// that containerd does not know.
func (c Config) Traced(id string) bool {
	children, _ := c.Cgroups.Children(c.Cgroup)
	if slices.Contains(children, id) {
		return true
	}
	for _, path := range []string{c.Bundle(id), c.RuncState(id)} {
		if _, err := os.Lstat(path); err == nil {
			return true
		}
	}
	return false
}

// Scrub removes what is left of a container whose task containerd does not know.
func (c Config) Scrub(ctx context.Context, id string) error {
	if !c.Traced(id) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, scrubTime)
	defer cancel()
	quiet := 0
	for {
		err := errors.Join(c.ScrubShim(ctx, id), c.scrubRunc(ctx, id), c.scrubCgroup(id), c.scrubBundle(id))
		if err == nil && !c.Traced(id) {
			if quiet++; quiet > 3 { // nothing came after it
				return nil
			}
		} else {
			quiet = 0
		}
		if !pause(ctx) {
			return fmt.Errorf("what is left of %s cannot be removed within %v: %w", id, scrubTime, cmp.Or(err, errComesAgain))
		}
	}
}

var errComesAgain = errors.New("something comes again and again")

// ScrubShim has the task's shim forget the container.
func (c Config) ScrubShim(ctx context.Context, id string) error {
	address, ok := c.Shims.Answering(c.Task)
	if !ok {
		return nil // no shim, nothing to forget
	}
	conn, err := shim.Dial(ctx, address)
	if err != nil {
		return nil // it has ended
	}
	client := ttrpc.NewClient(conn)
	defer func() { _ = client.Close() }() // a connection
	api := shimapi.NewTTRPCTaskClient(client)
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	if _, err := api.State(ctx, &shimapi.StateRequest{ID: id}); err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("the shim does not answer: %w", err)
		}
		return nil // it does not know the container
	}
	// containerd gives up a creation by removing the bundle, in which the shim has runc write its log.
	if !c.Foreign {
		if err := os.MkdirAll(c.Bundle(id), 0o711); err != nil {
			return err
		}
	}
	_, _ = api.Kill(ctx, &shimapi.KillRequest{ID: id, Signal: uint32(unix.SIGKILL), All: true})
	_, err = api.Delete(ctx, &shimapi.DeleteRequest{ID: id})
	return err
}

func (c Config) scrubRunc(ctx context.Context, id string) error {
	if _, err := os.Lstat(c.RuncState(id)); err != nil {
		return nil //nolint:nilerr // runc knows nothing of it
	}
	out, err := exec.CommandContext(ctx, c.Runc, "--root", filepath.Dir(c.RuncState(id)), "delete", "--force", id).CombinedOutput()
	if err != nil {
		// A state that was not written to its end cannot be deleted by runc.
		if rerr := os.RemoveAll(c.RuncState(id)); rerr != nil {
			return fmt.Errorf("runc delete: %w: %s", err, out)
		}
	}
	return nil
}

func (c Config) scrubCgroup(id string) error {
	path := c.Cgroup + "/" + id
	children, err := c.Cgroups.Children(path) // its checks, and what a privileged container made
	for _, child := range children {
		err = errors.Join(err, c.killIn(path+"/"+child))
	}
	return errors.Join(err, c.killIn(path), c.Cgroups.Remove(path))
}

func (c Config) killIn(path string) error {
	pids, err := c.Cgroups.Processes(path)
	for _, pid := range pids {
		if kerr := unix.Kill(pid, unix.SIGKILL); kerr != nil && !errors.Is(kerr, unix.ESRCH) {
			err = errors.Join(err, kerr)
		}
	}
	return err
}

func (c Config) scrubBundle(id string) error {
	dir := c.Bundle(id)
	if _, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) || c.Foreign {
		return nil
	}
	if err := mount.UnmountAll(filepath.Join(dir, "rootfs"), unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.RemoveAll(dir)
}

// pause waits for a moment and reports whether ctx still runs.
func pause(ctx context.Context) bool {
	t := time.NewTimer(every)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
