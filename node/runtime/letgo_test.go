package runtime

import (
	"io"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// cutOffLate does what `runc start` does, and is killed before its end: init is past the FIFO, and the shim calls created what
// runs, as after a death of containerd inside a start.
func (n *node) cutOffLate(id string) {
	n.t.Helper()
	if err := n.markStarted(id); err != nil {
		n.t.Fatal(err)
	}
	fifo, err := os.Open(n.launch(id).FIFO())
	if err != nil {
		n.t.Fatal(err)
	}
	defer fifo.Close()
	if text, err := io.ReadAll(fifo); err != nil || len(text) == 0 {
		n.t.Fatalf("init says %q, %v", text, err)
	}
}

// late is a container that was let go of by a start that was cut off, and that waits for TERM then.
func (n *node) late(code string) Container {
	n.t.Helper()
	c := sh(n.task(Task{}), "trap 'exit "+code+"' TERM; touch /ready/it; while :; do sleep 0.05; done", n.busybox())
	ready := n.ready(&c)
	if err := n.Create(n.t.Context(), c); err != nil {
		n.t.Fatal(err)
	}
	n.cutOffLate(c.ID)
	n.until("readiness of "+c.ID, ready)
	return c
}

// TestAStartCutOffLate: who finds a container that a start let go of before it was cut off takes it for running, does not
// start it again, and hears of its end.
func TestAStartCutOffLate(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	c := n.late("255") // as an init ends that nobody waits for
	s := n.stateOf(c.ID)
	if s.Status != Running || !alive(s.Pid) {
		t.Fatalf("it runs, and is listed as %+v", s)
	}
	begun := time.Now()
	pid, _, err := n.Start(t.Context(), c.ID)
	if err != nil || pid != s.Pid {
		t.Errorf("start: pid %d, %v; it runs as %d", pid, err, s.Pid)
	}
	if took := time.Since(begun); took > time.Minute {
		t.Errorf("start took %v", took)
	}
	if err := n.Create(t.Context(), c); err != nil || n.stateOf(c.ID).Pid != s.Pid {
		t.Errorf("create: %v, %+v", err, n.stateOf(c.ID))
	}
	events := n.Events(t.Context())
	<-events // a gap
	if err := n.Kill(t.Context(), c.ID, "TERM"); err != nil {
		t.Error(err)
	}
	if e := <-events; e.ID != c.ID || e.ExitCode != 255 {
		t.Errorf("event %+v", e)
	}
	if s := n.exited(c.ID); s.ExitCode != 255 {
		t.Errorf("at its end: %+v", s)
	}
}

// TestAStartOfTheLastProcess: the first process was killed inside the start, and the container ends before the next one starts
// it. Nobody waits for the news of that, so who asks is told to look.
func TestAStartOfTheLastProcess(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	c := n.late("3")
	pid := n.stateOf(c.ID).Pid
	if err := unix.Kill(pid, unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	n.exited(c.ID)
	if _, _, err := n.Start(t.Context(), c.ID); !Unavailable(err) {
		t.Errorf("start: %v; want one that asks to look again", err)
	}
	if s := n.stateOf(c.ID); s.Status != Stopped || s.ExitCode != 3 {
		t.Errorf("state %+v", s)
	}
}

// TestACreatedContainerIsNotRunning: init waits, whoever was told to start it.
func TestACreatedContainerIsNotRunning(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	c := sh(n.task(Task{}), "exit 4", n.busybox())
	if err := n.Create(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if err := n.markStarted(c.ID); err != nil { // and then it was killed
		t.Fatal(err)
	}
	if s := n.stateOf(c.ID); s.Status != Created {
		t.Errorf("state %+v", s)
	}
	if _, _, err := n.Start(t.Context(), c.ID); err != nil {
		t.Error(err)
	}
	if s := n.exited(c.ID); s.ExitCode != 4 {
		t.Errorf("at its end: %+v", s)
	}
}

// TestAShimEndsBeforeACreation: the last container of a task takes the shim with it, which answers for a moment still. A
// container that was to join it is made in another.
func TestAShimEndsBeforeACreation(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	task := n.task(Task{})
	c := sh(task, "exit 5", n.busybox())
	address, ok := n.c.shims().Answering(task)
	if !ok {
		t.Fatal("no shim")
	}
	if err := n.c.shims().Stop(t.Context(), task); err != nil {
		t.Fatal(err)
	}
	if err := n.createSandbox(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	mounts, err := n.prepareSnapshot(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if err := n.createRecord(t.Context(), c, nil); err != nil {
		t.Fatal(err)
	}
	if err := n.createTask(t.Context(), c, address, mounts); !Unavailable(err) {
		t.Errorf("creation: %v; want one that asks for another", err)
	}
	n.start(c)
	if s := n.exited(c.ID); s.ExitCode != 5 {
		t.Errorf("at its end: %+v", s)
	}
	for i := range 20 { // each takes the shim with it
		if err := n.Delete(t.Context(), c.ID); err != nil {
			t.Fatal(err)
		}
		c = second(c, i+2)
		n.start(c)
		n.exited(c.ID)
	}
}
