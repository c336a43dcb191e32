package runtime

import (
	"testing"

	"golang.org/x/sys/unix"
)

// A shim that hangs while a container is made, or goes, does not hold it for ever: the shim is ended, and the task has another.
func TestAShimThatHangsIsEnded(t *testing.T) {
	for name, boxed := range map[string]bool{"runc": false, "gVisor": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var task string
			n := newNode(t)
			if boxed {
				n = n.sandbox()
				task = n.boxed(Task{})
			} else {
				task = n.task(Task{})
			}
			c := sh(task, "exit 3", n.busybox())
			if err := n.Create(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			for _, p := range n.c.shims().Processes() {
				if p.Task == task {
					if err := unix.Kill(p.Pid, unix.SIGSTOP); err != nil {
						t.Fatal(err)
					}
					t.Cleanup(func() { _ = unix.Kill(p.Pid, unix.SIGCONT) })
				}
			}
			if err := n.Delete(t.Context(), c.ID); err != nil { // the first answer may be that the shim has ended
				if err := n.Delete(t.Context(), c.ID); err != nil {
					t.Fatal(err)
				}
			}
			if boxed {
				if err := n.Prepare(t.Context(), Task{ID: task, Sandbox: &Sandbox{}}); err != nil {
					t.Fatal(err)
				}
			}
			n.start(c)
			if s := n.exited(c.ID); s.ExitCode != 3 {
				t.Errorf("made anew: %+v", s)
			}
		})
	}
}
