package runtime

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestACutOffStartIsMadeAnew: a container whose init ended before its first instruction never ran.
func TestACutOffStartIsMadeAnew(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	c := sh(n.task(Task{}), "test -e /ready/again && exit 3; exit 255", n.busybox())
	dir := t.TempDir()
	c.Mounts = []Mount{{Source: dir, Target: "/ready"}}
	n.start(c)
	if s := n.exited(c.ID); s.ExitCode != 255 {
		t.Fatalf("state %+v", s)
	}
	// What `runc start` leaves when it is killed between opening the FIFO and its end.
	if err := unix.Mkfifo(n.launch(c.ID).FIFO(), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "again"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if list, err := n.List(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("listed: %+v, %v", list, err)
	}
	if _, _, err := n.Start(t.Context(), c.ID); !Unavailable(err) {
		t.Errorf("start: %v; want one that asks to look again", err)
	}
	n.start(c)
	if s := n.exited(c.ID); s.ExitCode != 3 {
		t.Errorf("made anew: %+v", s)
	}
}

// TestALostAnswerOfStart: the container ran and ended before it was asked again.
func TestALostAnswerOfStart(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	c := sh(n.task(Task{}), "exit 3", n.busybox())
	n.start(c)
	n.exited(c.ID)
	if _, _, err := n.Runtime.start(t.Context(), c.ID, true); err != nil {
		t.Errorf("asked again: %v", err)
	}
	if _, _, err := n.Runtime.start(t.Context(), c.ID, false); err == nil {
		t.Error("a container that has ended was started")
	}
}

// TestDeleteOfWhatNeverStarted does not wait for output that cannot end by itself.
func TestDeleteOfWhatNeverStarted(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	c := sh(n.task(Task{}), "true", n.busybox())
	out, _ := n.pipe()
	c.Stdout = out
	if err := n.Create(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	if err := n.Delete(t.Context(), c.ID); err != nil {
		t.Error(err)
	}
	if took := time.Since(begun); took > 9*time.Second { // the shim waits 10 s
		t.Errorf("it took %v", took)
	}
}

// TestCreationWithoutItsBundle: containerd that gives up a creation removes the bundle of a container its shim still knows.
func TestCreationWithoutItsBundle(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	c := sh(n.task(Task{}), "exit 3", n.busybox())
	if err := n.Create(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	n.killDaemon() // its successor forgets a task that has no bundle
	if err := os.RemoveAll(n.remains(c.TaskID).Bundle(c.ID)); err != nil && !errors.Is(err, unix.EBUSY) {
		t.Fatal(err)
	}
	// containerd may be removing it still, which is why the shim is asked until it has forgotten.
	if err := n.remains(c.TaskID).Scrub(t.Context(), c.ID); err != nil {
		t.Errorf("the shim does not forget it: %v", err)
	}
	n.start(c)
	if s := n.exited(c.ID); s.ExitCode != 3 {
		t.Errorf("made anew: %+v", s)
	}
}

// TestSweepOfAShimWithoutAddress: a node that is killed while it starts a shim has not written down where that listens.
func TestSweepOfAShimWithoutAddress(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	task := n.task(Task{})
	n.start(sh(task, "sleep 100", n.busybox()))
	if err := os.Remove(filepath.Join(n.c.shims().Path(task), "address")); err != nil {
		t.Fatal(err)
	}
	if err := n.Sweep(t.Context(), func(string) bool { return false }); err != nil {
		t.Error(err)
	}
	n.until("end of the shim", func() bool { return len(n.c.shims().Processes()) == 0 })
}
