package runtime

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

	"github.com/berth-ecs/berth/node/runtime/shim"
)

// When containerd is killed inside the creation of a task, the shim may go on
// with it: containerd's successor does not know the task, and a runc container,
// its mount, its cgroup and its bundle appear after everybody has looked. The
// verbs below wait for that and take it away; they run only when a container
// without a task is found.

const (
	settleTime  = 400 * time.Millisecond // what a creation that goes on takes, generously
	settleEvery = 25 * time.Millisecond
	scrubTime   = 5 * time.Second
)

// settled waits for a creation that goes on and reports whether it became whole.
func (r *Runtime) settled(ctx context.Context, id string) (bool, error) {
	for end := time.Now().Add(settleTime); ; {
		whole, err := r.whole(ctx, id)
		if whole || err != nil || time.Now().After(end) || !r.traced(id) || !pause(ctx, settleEvery) {
			return whole, err
		}
	}
}

func (r *Runtime) bundle(id string) string {
	return filepath.Join(r.c.RunDir, "containerd", "io.containerd.runtime.v2.task", r.c.Name, id)
}

func (r *Runtime) runcState(id string) string { return filepath.Join(r.c.runcRoot(), r.c.Name, id) }

// traced reports whether the kernel or runc still has anything of a container
// that containerd does not know.
func (r *Runtime) traced(id string) bool {
	children, _ := r.cg.Children(r.taskCgroup(id[:32]))
	if slices.Contains(children, id) {
		return true
	}
	for _, path := range []string{r.bundle(id), r.runcState(id)} {
		if _, err := os.Lstat(path); err == nil {
			return true
		}
	}
	return false
}

// scrub removes what is left of a container whose task containerd does not know.
func (r *Runtime) scrub(ctx context.Context, id string) error {
	if !r.traced(id) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, scrubTime)
	defer cancel()
	quiet := 0
	for {
		err := errors.Join(r.scrubShim(ctx, id), r.scrubRunc(ctx, id), r.scrubCgroup(id), r.scrubBundle(id))
		if err == nil && !r.traced(id) {
			if quiet++; quiet > 3 { // nothing came after it
				return nil
			}
		} else {
			quiet = 0
		}
		if !pause(ctx, settleEvery) {
			return fmt.Errorf("what is left of %s cannot be removed within %v: %w", id, scrubTime, cmp.Or(err, errComesAgain))
		}
	}
}

var errComesAgain = errors.New("something comes again and again")

// scrubTask scrubs containers of a task that have not even a record any more.
func (r *Runtime) scrubTask(ctx context.Context, task string) error {
	children, err := r.cg.Children(r.taskCgroup(task))
	errs := []error{err}
	for _, id := range children {
		if containerIDRule.MatchString(id) {
			errs = append(errs, r.scrub(ctx, id))
		}
	}
	return errors.Join(errs...)
}

// scrubShim has the task's shim forget the container.
func (r *Runtime) scrubShim(ctx context.Context, id string) error {
	address, ok := r.c.shims().Answering(id[:32])
	if !ok {
		return nil // no shim, nothing to forget
	}
	conn, err := shim.Dial(ctx, address)
	if err != nil {
		return nil // it has ended
	}
	c := ttrpc.NewClient(conn)
	defer func() { _ = c.Close() }() // a connection
	api := shimapi.NewTTRPCTaskClient(c)
	if _, err := api.State(ctx, &shimapi.StateRequest{ID: id}); err != nil {
		return nil // it does not know the container
	}
	// containerd gives up a creation by removing the bundle, in which the shim has runc write its log.
	if r.c.Address == "" {
		if err := os.MkdirAll(r.bundle(id), 0o711); err != nil {
			return err
		}
	}
	_, _ = api.Kill(ctx, &shimapi.KillRequest{ID: id, Signal: uint32(unix.SIGKILL), All: true})
	_, err = api.Delete(ctx, &shimapi.DeleteRequest{ID: id})
	return err
}

func (r *Runtime) scrubRunc(ctx context.Context, id string) error {
	if _, err := os.Lstat(r.runcState(id)); err != nil {
		return nil //nolint:nilerr // runc knows nothing of it
	}
	out, err := exec.CommandContext(ctx, r.c.bin("runc"), "--root", filepath.Dir(r.runcState(id)), "delete", "--force", id).CombinedOutput()
	if err != nil {
		// A state that was not written to its end cannot be deleted by runc.
		if rerr := os.RemoveAll(r.runcState(id)); rerr != nil {
			return fmt.Errorf("runc delete: %w: %s", err, out)
		}
	}
	return nil
}

func (r *Runtime) scrubCgroup(id string) error {
	path := r.containerCgroup(id[:32], id)
	pids, err := r.cg.Processes(path)
	for _, pid := range pids {
		if kerr := unix.Kill(pid, unix.SIGKILL); kerr != nil && !errors.Is(kerr, unix.ESRCH) {
			err = errors.Join(err, kerr)
		}
	}
	return errors.Join(err, r.cg.Remove(path))
}

func (r *Runtime) scrubBundle(id string) error {
	dir := r.bundle(id)
	if _, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) || r.c.Address != "" {
		return nil
	}
	if err := mount.UnmountAll(filepath.Join(dir, "rootfs"), unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.RemoveAll(dir)
}
