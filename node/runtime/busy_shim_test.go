package runtime

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// containerd leaves a container out of its list whose shim does not answer in time. It has not ended for that.
func TestAContainerOfABusyShimRuns(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	c := sh(n.task(Task{}), "sleep 100", n.busybox())
	n.start(c)
	shims := n.c.shims().Processes()
	signal := func(s unix.Signal) {
		for _, p := range shims {
			if err := unix.Kill(p.Pid, s); err != nil {
				t.Error(err)
			}
		}
	}
	signal(unix.SIGSTOP)
	t.Cleanup(func() { signal(unix.SIGCONT) })
	for _, p := range shims {
		n.until("standstill", func() bool { return stopped(t, p.Pid) })
	}
	type answer struct {
		list []State
		err  error
	}
	got := make(chan answer, 1)
	go func() {
		list, err := n.List(t.Context())
		got <- answer{list, err}
	}()
	n.until("containerd leaves it out", func() bool {
		text, _ := os.ReadFile(filepath.Join(n.c.DataDir, "containerd.log"))
		return strings.Contains(string(text), "converting task to protobuf")
	})
	signal(unix.SIGCONT)
	if a := <-got; a.err != nil || len(a.list) != 1 || a.list[0].Status != Running {
		t.Errorf("%+v %v", a.list, a.err)
	}
	if err := n.Kill(t.Context(), c.ID, "KILL"); err != nil {
		t.Error(err)
	}
	n.exited(c.ID)
}

// stopped: one thread is told that the process is to stop, and the others go on until that one has run.
func stopped(t *testing.T, pid int) bool {
	t.Helper()
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	if err != nil || len(threads) == 0 {
		t.Fatalf("threads of %d: %v %v", pid, threads, err)
	}
	for _, file := range threads {
		text, err := os.ReadFile(file)
		if err == nil && !strings.Contains(string(text), ") T ") {
			return false
		}
	}
	return true
}

// A container in a sandbox that was made and not started goes, though nothing ever closes its output; its neighbour stays.
func TestSandboxDeletesWhatWasNotStarted(t *testing.T) {
	t.Parallel()
	n := newNode(t).sandbox()
	img, task := n.busybox(), n.boxed(Task{})
	other := second(sh(task, "sleep 100", img), 2)
	n.start(other)
	c := sh(task, "echo never", img)
	var said func() string
	c.Stdout, said = n.pipe()
	c.Stderr, _ = n.pipe()
	if err := n.Create(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if err := n.Delete(t.Context(), c.ID); err != nil {
		t.Fatal(err)
	}
	if s, text := n.stateOf(other.ID), said(); s.Status != Running || text != "" {
		t.Errorf("the other %+v; it said %q", s, text)
	}
	c.Stderr = "" // nobody reads there any more
	out, s := n.output(c)
	if s.ExitCode != 0 || out != "never\n" {
		t.Errorf("made anew: %+v %q", s, out)
	}
}
