package runtime

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/node/hold"
	"github.com/berth-ecs/berth/node/hold/logfile"
)

// TestOutputAcrossDeaths: a container writes flat out while hold and containerd
// are killed; every line is in its log once, in order.
func TestOutputAcrossDeaths(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	h, err := hold.Start(t.Context(), hold.Config{Exe: os.Args[0], RunDir: n.c.RunDir, DataDir: n.c.DataDir, MaxBytes: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if log, err := os.ReadFile(n.c.DataDir + "/hold.log"); t.Failed() {
			t.Logf("hold's log: %v\n%s", err, log)
		}
		if err := h.Shutdown(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	// From here on shims log to hold.
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	n.c.ShimLog = h.Log // which ends with hold, before containerd does
	n.open()
	img := n.busybox()
	task := n.task(Task{})
	const lines = 60_000
	c := sh(task, fmt.Sprintf("seq 1 %d; echo done >&2", lines), img)
	f, err := h.Open(t.Context(), c.ID, "chatty")
	if err != nil {
		t.Fatal(err)
	}
	c.Stdout, c.Stderr = f.Stdout, f.Stderr
	n.start(c)
	for range 3 {
		pid := h.Pid()
		if err := unix.Kill(pid, unix.SIGKILL); err != nil {
			t.Error(err)
		}
		n.killDaemon()
		n.until("a new hold", func() bool { return h.Pid() != pid })
	}
	if s := n.exited(c.ID); s.ExitCode != 0 {
		t.Errorf("state %+v", s)
	}
	if err := h.Close(t.Context(), c.ID); err != nil {
		t.Error(err)
	}
	next, done := 1, false
	for l, err := range logfile.Read(t.Context(), n.c.DataDir+"/logs", task, "chatty") {
		if err != nil {
			t.Fatal(err)
		}
		switch text := string(l.Text); {
		case l.Stream == logfile.Stderr:
			done = strings.TrimSpace(text) == "done"
		case text != strconv.Itoa(next):
			t.Fatalf("line %d is %q", next, text)
		default:
			next++
		}
	}
	if next != lines+1 || !done {
		t.Errorf("%d lines of %d, done %v", next-1, lines, done)
	}
	if err := n.Release(t.Context(), task); err != nil {
		t.Error(err)
	}
}
