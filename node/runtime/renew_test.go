package runtime

import (
	"errors"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestRenew: a container's next life has the last one's files, output and place, and is told of like any other.
func TestRenew(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	task := n.task(Task{})
	c := sh(task, `echo x >> /lives; echo $(wc -l < /lives); [ $(wc -l < /lives) -ge 4 ] || exit 5`, n.busybox())
	path, text := n.pipe()
	c.Stdout = path
	keep, err := os.OpenFile(path, os.O_RDWR, 0) // as hold does
	if err != nil {
		t.Fatal(err)
	}
	n.start(c)
	for range 3 {
		if s := n.exited(c.ID); s.ExitCode != 5 {
			t.Fatalf("state %+v", s)
		}
		for range 2 { // idempotent
			if err := n.Renew(t.Context(), c.ID); err != nil {
				t.Fatal(err)
			}
		}
		if s := n.stateOf(c.ID); s.Status != Created || len(s.Labels) > 0 {
			t.Errorf("renewed: %+v", s)
		}
		if _, _, err := n.Start(t.Context(), c.ID); err != nil {
			t.Fatal(err)
		}
	}
	if s := n.exited(c.ID); s.ExitCode != 0 {
		t.Errorf("state %+v", s)
	}
	keep.Close()
	if out := strings.Fields(text()); strings.Join(out, " ") != "1 2 3 4" {
		t.Errorf("output %q", out)
	}
	if err := n.Release(t.Context(), task); err != nil {
		t.Error(err)
	}
	if err := n.Renew(t.Context(), c.ID); !errors.Is(err, ErrNotFound) {
		t.Errorf("of one that is gone: %v", err)
	}
	n.checkNothingLeft()
}

// TestRenewAcrossDeaths: containerd is killed in the middle of renewals; what comes of them is a container that runs.
func TestRenewAcrossDeaths(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	task := n.task(Task{})
	c := sh(task, "exec sleep 100", n.busybox())
	pid := n.start(c)
	for range 4 {
		if err := unix.Kill(pid, unix.SIGKILL); err != nil {
			t.Fatal(err)
		}
		n.exited(c.ID)
		done := make(chan error, 1)
		go func() { done <- n.Renew(t.Context(), c.ID) }()
		n.killDaemon()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		var err error
		if pid, _, err = n.Start(t.Context(), c.ID); err != nil {
			t.Fatal(err)
		}
		if err := n.Renew(t.Context(), c.ID); err != nil {
			t.Errorf("of one that runs: %v", err)
		}
		if s := n.stateOf(c.ID); s.Status != Running || s.Pid != pid {
			t.Fatalf("state %+v, started %d", s, pid)
		}
	}
	if err := n.Release(t.Context(), task); err != nil {
		t.Error(err)
	}
}
