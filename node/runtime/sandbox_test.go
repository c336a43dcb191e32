package runtime

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/node/runtime/sandbox"
)

// sandbox skips a test where gVisor is not installed.
func (n *node) sandbox() *node {
	n.t.Helper()
	if !n.CanSandbox() {
		n.t.Skip("no " + sandbox.Program + ": make sandbox installs it")
	}
	return n
}

// boxed is a task with a sandbox, without an interface.
func (n *node) boxed(t Task) string {
	n.t.Helper()
	t.Sandbox = &Sandbox{Hostname: "ip-10-0-0-7"}
	return n.task(t)
}

func TestSandboxRunsContainers(t *testing.T) {
	t.Parallel()
	n := newNode(t).sandbox()
	img := n.busybox()
	task := n.boxed(Task{CPU: 1, MemoryMiB: 512})
	out, s := n.output(sh(task, "dmesg | head -1; echo hello $(hostname); exit 7", img))
	if s.ExitCode != 7 || s.OOMKilled || !strings.Contains(out, "hello ip-10-0-0-7\n") || !strings.Contains(out, "gVisor") {
		t.Errorf("state %+v, output %q", s, out)
	}
	other := second(sh(task, "sleep 100", img), 2)
	n.start(other)
	code, said, err := n.Exec(t.Context(), other.ID, []string{"/bin/sh", "-c", "echo in; exit 3"}, time.Minute)
	if code != 3 || string(said) != "in\n" || err != nil {
		t.Errorf("exec: %d %q %v", code, said, err)
	}
	if err := n.Kill(t.Context(), other.ID, "KILL"); err != nil {
		t.Error(err)
	}
	if s := n.exited(other.ID); s.ExitCode != 137 {
		t.Errorf("killed: %+v", s)
	}
	if err := n.Release(t.Context(), task); err != nil {
		t.Error(err)
	}
	n.checkNothingLeft()
}

// TestSandboxIsNobody: the process that a task's containers are threads of has no right on the machine, whoever they are inside.
func TestSandboxIsNobody(t *testing.T) {
	t.Parallel()
	n := newNode(t).sandbox()
	img, task := n.busybox(), n.boxed(Task{})
	c := sh(task, "id -u > /ready/it; sleep 100", img)
	n.startReady(c)
	found := n.named(task, "runsc-sandbox", "")
	if len(found) == 0 {
		t.Fatal("there is no sandbox")
	}
	for _, pid := range found {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"\nUid:\t65534\t65534\t65534\t65534\n", "\nGid:\t65534\t65534\t65534\t65534\n", "\nNoNewPrivs:\t1\n", "\nSeccomp:\t2\n"} {
			if !strings.Contains(string(text), want) {
				t.Errorf("process %d lacks %q:\n%s", pid, want, text)
			}
		}
		own, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/user", pid))
		if machine, _ := os.Readlink("/proc/self/ns/user"); err != nil || own == machine {
			t.Errorf("process %d is in the machine's user namespace: %v", pid, err)
		}
	}
}

// TestSandboxSharesLocalhostOnly: containers of a task share their network, and see neither each other's processes nor files.
func TestSandboxSharesLocalhostOnly(t *testing.T) {
	t.Parallel()
	n := newNode(t).sandbox()
	img, task := n.busybox(), n.boxed(Task{})
	server := sh(task, "echo secret > /mine; touch /ready/it; while :; do echo hello | nc -l -p 8080; done", img)
	n.startReady(server)
	client := second(sh(task, "nc 127.0.0.1 8080 < /dev/null; ls /mine; ps | grep -c nc -l || true", img), 2)
	out, s := n.output(client)
	if s.ExitCode != 0 || !strings.HasPrefix(out, "hello\n") || strings.Contains(out, "secret") || strings.Contains(out, "\n/mine") {
		t.Errorf("%+v %q", s, out)
	}
}

// TestSandboxContainersRestart: one is started anew in the same sandbox, on the same files, while the other runs on.
func TestSandboxContainersRestart(t *testing.T) {
	t.Parallel()
	n := newNode(t).sandbox()
	img, task := n.busybox(), n.boxed(Task{})
	other := second(sh(task, "sleep 100", img), 2)
	n.start(other)
	c := sh(task, `echo x >> /lives; exit $(wc -l < /lives)`, img)
	n.start(c)
	for life := 1; life < 3; life++ {
		if s := n.exited(c.ID); s.ExitCode != life {
			t.Fatalf("life %d: %+v", life, s)
		}
		if err := n.Renew(t.Context(), c.ID); err != nil {
			t.Fatal(err)
		}
		if _, _, err := n.Start(t.Context(), c.ID); err != nil {
			t.Fatal(err)
		}
	}
	if s := n.exited(c.ID); s.ExitCode != 3 || n.stateOf(other.ID).Status != Running {
		t.Errorf("%+v, the other %+v", s, n.stateOf(other.ID))
	}
}

// TestSandboxLimitsAreHard: the task's memory is the sandbox's, whatever its containers say; a task that wants more ends for want of memory.
func TestSandboxLimitsAreHard(t *testing.T) {
	t.Parallel()
	n := newNode(t).sandbox()
	img, task := n.busybox(), n.boxed(Task{CPU: 0.5, MemoryMiB: 128})
	c := sh(task, `x=a; while :; do x="$x$x"; done`, img)
	c.MemoryMiB = 32
	other := second(sh(task, "sleep 100", img), 2)
	n.start(other)
	if used, err := n.Stats(t.Context(), other.ID); err != nil || used.Cgroup.Memory == 0 || used.Cgroup.MemoryLimit != 128<<20 {
		t.Errorf("stats: %+v %v", used, err)
	}
	n.start(c)
	if s := n.exited(c.ID); !s.OOMKilled || s.ExitCode != 137 {
		t.Errorf("victim: %+v", s)
	}
	if err := n.Kill(t.Context(), other.ID, "KILL"); err != nil {
		t.Error(err)
	}
	if s := n.exited(other.ID); s.OOMKilled || s.ExitCode != 137 {
		t.Errorf("the other container is called a victim: %+v", s)
	}
}

// TestSandboxSurvivesContainerd: what runs runs on, what ends meanwhile is told of with its code, and new containers join.
func TestSandboxSurvivesContainerd(t *testing.T) {
	t.Parallel()
	n := newNode(t).sandbox()
	img, task := n.busybox(), n.boxed(Task{})
	stays := sh(task, "sleep 100", img)
	n.start(stays)
	ends := second(sh(task, "touch /ready/it; sleep 0.3; exit 9", img), 2)
	n.startReady(ends)
	n.killDaemon()
	if s := n.exited(ends.ID); s.ExitCode != 9 {
		t.Errorf("ended meanwhile: %+v", s)
	}
	if s := n.stateOf(stays.ID); s.Status != Running {
		t.Errorf("running: %+v", s)
	}
	if _, s := n.output(second(sh(task, "exit 6", img), 3)); s.ExitCode != 6 {
		t.Errorf("joined later: %+v", s)
	}
	if err := n.Kill(t.Context(), stays.ID, "KILL"); err != nil {
		t.Error(err)
	}
	if s := n.exited(stays.ID); s.ExitCode != 137 {
		t.Errorf("killed: %+v", s)
	}
}

// victims are processes of a sandbox by what they are.
var victims = map[string]func(n *node, task string) []int{
	"runsc": func(n *node, task string) []int { return n.named(task, "runsc-sandbox", "") },
	"gofer": func(n *node, task string) []int { return n.named(task, "runsc-gofer", "/"+task+"-1/") },
	"the shim": func(n *node, _ string) (out []int) {
		for _, s := range n.c.shims().Processes() {
			out = append(out, s.Pid)
		}
		return out
	},
}

// named finds processes of a sandbox by the first word of their command line, and another.
func (n *node) named(task, name, part string) (out []int) {
	n.t.Helper()
	pids, err := n.cg.Processes(n.containerCgroup(task, sandbox.First(task)))
	if err != nil {
		n.t.Fatal(err)
	}
	for _, pid := range pids {
		if line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)); err == nil && strings.HasPrefix(string(line), name) && strings.Contains(string(line), part) {
			out = append(out, pid)
		}
	}
	return out
}

// TestKillOfASandboxsProcesses: the task's containers end, and nothing is left, whichever process is killed.
func TestKillOfASandboxsProcesses(t *testing.T) {
	for name, find := range victims {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t).sandbox()
			img, task := n.busybox(), n.boxed(Task{})
			c, other := sh(task, "while :; do cat /etc/passwd > /dev/null; sleep 0.01; done", img), second(sh(task, "sleep 100", img), 2)
			n.start(c)
			n.start(other)
			pids := find(n, task)
			if len(pids) == 0 {
				t.Fatal("there is none")
			}
			for _, pid := range pids {
				if err := unix.Kill(pid, unix.SIGKILL); err != nil {
					t.Fatal(err)
				}
			}
			if s := n.exited(c.ID); s.ExitCode == 0 {
				t.Errorf("%+v", s)
			}
			if name == "runsc" {
				if a, b := n.stateOf(c.ID), n.exited(other.ID); a.ExitCode != 137 || b.ExitCode != 137 || a.OOMKilled {
					t.Errorf("%+v, %+v", a, b)
				}
			}
			if err := n.Release(t.Context(), task); err != nil {
				t.Error(err)
			}
			n.checkNothingLeft()
		})
	}
}
