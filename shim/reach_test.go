package main

import (
	"context"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	task "github.com/containerd/containerd/api/runtime/task/v2"
	"github.com/containerd/containerd/v2/core/events"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/containerd/v2/pkg/shutdown"
	"github.com/containerd/containerd/v2/pkg/sys/reaper"
	"github.com/containerd/errdefs"
	"github.com/containerd/errdefs/pkg/errgrpc"
	"golang.org/x/sys/unix"
	"gvisor.dev/gvisor/pkg/shim/v1"
)

// A program that makes a container as far as the service can tell.
const maker = `#!/bin/sh
while [ $# -gt 0 ]; do
	if [ "$1" = --pid-file ]; then printf %s "PID" >"$2"; fi
	shift
done
`

// nowhere is where events go.
type nowhere struct{}

func (nowhere) Publish(context.Context, string, events.Event) error { return nil }
func (nowhere) Close() error                                        { return nil }

// Who read a container's output went while it was made: nobody waits for them, and the lock that gVisor's service holds is free again.
func TestOutputThatNobodyReads(t *testing.T) {
	s, r, ctx := begin(t, "$PPID")
	// What follows the output is the cgroup of what was made, which only root may watch.
	if _, err := s.Create(ctx, r); err != nil && (os.Geteuid() == 0 || strings.Contains(err.Error(), "opening")) {
		t.Error(err)
	}
}

// A creation that fails when gVisor's service knows the container already, as where its cgroup has been removed. Its deletion does not wait
// for the end of an output that nobody will ever write, with the lock that the container's state is told with.
func TestDeletionOfWhatWasMadeHalf(t *testing.T) {
	s, r, ctx := begin(t, "2147483647") // there is no such process
	if _, err := s.Create(ctx, r); err == nil || !strings.Contains(err.Error(), "cgroup") {
		t.Fatalf("created: %v", err)
	}
	if _, err := s.State(ctx, &task.StateRequest{ID: r.ID}); errdefs.IsNotFound(errgrpc.ToNative(err)) {
		t.Fatal(err)
	}
	if _, err := s.Delete(ctx, &task.DeleteRequest{ID: r.ID}); err != nil {
		t.Error(err)
	}
}

// begin is a service whose program makes containers that are the process pid, and a request for one.
func begin(t *testing.T, pid string) (*service, *task.CreateTaskRequest, context.Context) {
	t.Helper()
	bin, bundle := t.TempDir(), t.TempDir()
	write(t, filepath.Join(bin, "runsc"), strings.ReplaceAll(maker, "PID", pid), 0o700)
	write(t, filepath.Join(bundle, "config.json"), "{}", 0o600)
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	reap(t)
	r := &task.CreateTaskRequest{ID: "c", Bundle: bundle, Stdout: filepath.Join(bundle, "out"), Stderr: filepath.Join(bundle, "err")}
	for _, name := range []string{r.Stdout, r.Stderr} {
		if err := unix.Mkfifo(name, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, sd := shutdown.WithShutdown(namespaces.WithNamespace(t.Context(), "t"))
	inner, err := v1.NewShimRedirector(ctx, publisher{nowhere{}}, sd)
	if err != nil {
		t.Fatal(err)
	}
	return &service{TaskServiceExt: inner, lives: map[process]*life{}}, r, ctx
}

func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

// reap does what the shim's main function does: the service hears from it which programs have ended.
func reap(t *testing.T) {
	t.Helper()
	ended := make(chan os.Signal, 32)
	signal.Notify(ended, syscall.SIGCHLD)
	over := make(chan struct{})
	t.Cleanup(func() {
		signal.Stop(ended)
		close(over)
	})
	go func() {
		for {
			select {
			case <-ended:
				_ = reaper.Reap() // it says what it could not tell whom
			case <-over:
				return
			}
		}
	}()
}
