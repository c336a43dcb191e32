package runtime

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// boxNode is a node that keeps a sandbox ready.
func boxNode(t *testing.T) *node {
	t.Helper()
	n := newNode(t).sandbox()
	n.c.SpareSandboxes = 1
	n.reopen()
	t.Cleanup(func() { n.closeBoxes() })
	return n
}

// wantBox has a task of that size ask, and answers the sandbox that is made ahead for it.
func (n *node) wantBox(t Task) string {
	n.t.Helper()
	n.boxes.Take(sizeOf(t))
	n.wantSpare()
	return n.box()
}

// box waits for the one sandbox that is ready.
func (n *node) box() (name string) {
	n.t.Helper()
	n.until("a sandbox made ahead", func() bool {
		ready := n.boxes.Ready()
		if len(ready) == 1 {
			name = ready[0]
		}
		return len(ready) == 1
	})
	return name
}

// killed is as if this process was: it takes nothing with it. Nothing is being made when it is called.
func (n *node) killed() { n.boxes = nil }

// TestATaskTakesASandboxMadeAhead: it has its own name, size and limits, nothing of the one before it, and nothing of it is left.
func TestATaskTakesASandboxMadeAhead(t *testing.T) {
	t.Parallel()
	n := boxNode(t)
	img := n.busybox()
	size := Task{CPU: 1, MemoryMiB: 256}
	name := n.wantBox(size)
	for _, hostname := range []string{"first", "second"} {
		size.Sandbox, size.ID, size.CPUUnits = &Sandbox{Hostname: hostname}, "", 512
		task := n.task(size)
		if got := n.sandboxes().Of(task); got != name {
			t.Errorf("%s: the task has %s, not %s", hostname, got, name)
		}
		out, s := n.output(sh(task, `hostname; free -m | awk '/Mem/ {print $2}'; ls /tmp | wc -l; ip addr | grep -c inet; env | wc -l`, img))
		if s.ExitCode != 0 || !strings.HasPrefix(out, hostname+"\n256\n0\n2\n") {
			t.Errorf("%+v %q", s, out)
		}
		used, err := n.cg.Stats(n.taskCgroup(task))
		if err != nil || used.MemoryLimit != 256<<20 {
			t.Errorf("limit %d %v", used.MemoryLimit, err)
		}
		n.wantSpare()
		next := n.box()
		if next == name {
			t.Error("one is given away twice")
		}
		if err := n.Release(t.Context(), task); err != nil {
			t.Error(err)
		}
		if n.sandboxes().Has(task) || n.sandboxes().Has(name) {
			t.Error("something is left")
		}
		name = next
	}
	other := n.task(Task{CPU: 1, MemoryMiB: 300, Sandbox: &Sandbox{}})
	if n.sandboxes().Of(other) == name {
		t.Error("a task of another size took it")
	}
	if err := n.Release(t.Context(), other); err != nil {
		t.Error(err)
	}
	n.closeBoxes()
	n.checkNothingLeft()
}

// TestSandboxesMadeAheadAreSwept: the next process removes those that nobody took, and none that a task has.
func TestSandboxesMadeAheadAreSwept(t *testing.T) {
	t.Parallel()
	n := boxNode(t)
	img := n.busybox()
	size := Task{MemoryMiB: 128, Sandbox: &Sandbox{}}
	taken := n.wantBox(size)
	task := n.task(size)
	c := sh(task, "sleep 100", img)
	n.start(c)
	left := n.box()
	if n.sandboxes().Of(task) != taken {
		t.Fatal("the task did not take it")
	}
	n.killed()
	n.reopen()
	if n.sandboxes().Has(left) || !n.sandboxes().Has(taken) || n.stateOf(c.ID).Status != Running {
		t.Errorf("left %v, the task's %v %+v", n.sandboxes().Has(left), n.sandboxes().Has(taken), n.stateOf(c.ID))
	}
	if err := n.Release(t.Context(), task); err != nil {
		t.Error(err)
	}
	n.checkNothingLeft()
}

// TestADeadSandboxIsOfNoUse: a task whose sandbox made ahead was killed gets one that works, whatever of it was killed.
func TestADeadSandboxIsOfNoUse(t *testing.T) {
	for name, kill := range map[string]func(n *node, box string) []int{
		"runsc":    func(n *node, box string) []int { return n.named(box, "runsc-sandbox", "") },
		"the shim": func(n *node, box string) []int { return []int{n.shimOf(box)} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := boxNode(t)
			img := n.busybox()
			size := Task{MemoryMiB: 128, Sandbox: &Sandbox{}}
			box := n.wantBox(size)
			for _, pid := range kill(n, box) {
				if err := unix.Kill(pid, unix.SIGKILL); err != nil {
					t.Fatal(err)
				}
				n.until("its end", func() bool { return !alive(pid) })
			}
			task := n.task(size)
			if _, s := n.output(sh(task, "exit 7", img)); s.ExitCode != 7 {
				t.Errorf("%+v", s)
			}
			if err := n.Release(t.Context(), task); err != nil {
				t.Error(err)
			}
			n.until("the dead one is gone", func() bool { return !n.sandboxes().Has(box) })
			n.closeBoxes()
			n.checkNothingLeft()
		})
	}
}

// TestATakingThatWasCutOff: the task has the link, and its shim is not named after it.
func TestATakingThatWasCutOff(t *testing.T) {
	t.Parallel()
	n := boxNode(t)
	img := n.busybox()
	size := Task{MemoryMiB: 128, Sandbox: &Sandbox{}}
	name := n.wantBox(size)
	task := randomHex(16)
	if got, ok := n.boxes.Take(sizeOf(size)); !ok || got != name {
		t.Fatal(got, ok)
	}
	if err := n.sandboxes().Take(task, name); err != nil {
		t.Fatal(err)
	}
	n.reopen()
	if _, err := os.Stat(n.c.shims().Path(name)); err != nil {
		t.Fatal("it was swept:", err)
	}
	size.ID = task
	if err := n.Prepare(t.Context(), size); err != nil {
		t.Fatal(err)
	}
	if _, s := n.output(sh(task, "exit 7", img)); s.ExitCode != 7 {
		t.Errorf("%+v", s)
	}
	// And one whose task is not wanted any more goes whole.
	cut := n.wantBox(Task{MemoryMiB: 96})
	if err := n.sandboxes().Take(randomHex(16), cut); err != nil {
		t.Fatal(err)
	}
	n.killed()
	if err := n.Sweep(t.Context(), func(string) bool { return false }); err != nil {
		t.Fatal(err)
	}
	n.checkNothingLeft()
}
