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
	"golang.org/x/sys/unix"
	"gvisor.dev/gvisor/pkg/shim/v1"
)

// A program that makes a container as far as the service can tell.
const maker = `#!/bin/sh
while [ $# -gt 0 ]; do
	if [ "$1" = --pid-file ]; then printf %s "$PPID" >"$2"; fi
	shift
done
`

// nowhere is where events go.
type nowhere struct{}

func (nowhere) Publish(context.Context, string, events.Event) error { return nil }
func (nowhere) Close() error                                        { return nil }

// Who read a container's output went while it was made: nobody waits for them, and the lock that gVisor's service holds is free again.
func TestOutputThatNobodyReads(t *testing.T) {
	bin, bundle := t.TempDir(), t.TempDir()
	write(t, filepath.Join(bin, "runsc"), maker, 0o700)
	write(t, filepath.Join(bundle, "config.json"), "{}", 0o600)
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	reap(t)
	ctx, sd := shutdown.WithShutdown(namespaces.WithNamespace(t.Context(), "t"))
	inner, err := v1.NewShimRedirector(ctx, publisher{nowhere{}}, sd)
	if err != nil {
		t.Fatal(err)
	}
	r := &task.CreateTaskRequest{ID: "c", Bundle: bundle, Stdout: filepath.Join(bundle, "out"), Stderr: filepath.Join(bundle, "err")}
	for _, name := range []string{r.Stdout, r.Stderr} {
		if err := unix.Mkfifo(name, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := &service{TaskServiceExt: inner, lives: map[process]*life{}}
	// What follows the output is the cgroup of what was made, which only root may watch.
	if _, err := s.Create(ctx, r); err != nil && (os.Geteuid() == 0 || strings.Contains(err.Error(), "opening")) {
		t.Error(err)
	}
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
