package runtime

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestTaskSharesNamespaces: containers see each other's processes, memory and queues; what keeps that up shows nothing of
// the machine, is adopted by the next process, and goes with the task.
func TestTaskSharesNamespaces(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	img := n.busybox()
	task := n.task(Task{SharePID: true, ShareIPC: true, ShmBytes: 80 << 20})
	with := func(c Container) Container {
		c.PID, c.IPC = ShareTask, ShareTask
		return c
	}
	n.startReady(with(second(sh(task, "echo seen > /dev/shm/x; touch /ready/it; exec sleep 4711", img), 1)))
	first, err := n.keeper().Pid(task)
	if err != nil || first == 0 {
		t.Fatal(first, err)
	}
	spy := with(second(sh(task, "ps | grep -c 'sleep 4711$'; cat /dev/shm/x; grep ' /dev/shm ' /proc/mounts | grep -o 'size=[0-9]*k'; "+
		"ls /proc/1/root/ 2>&1 | head -n1; stat -c %u /proc/1; wc -l < /proc/1/mountinfo; ls /proc/1/fd | wc -l", img), 2))
	spy.CapAdd = []string{"SYS_PTRACE"}
	out, s := n.output(spy)
	if want := "1\nseen\nsize=81920k\n65534\n1\n0\n"; s.ExitCode != 0 || out != want {
		t.Errorf("exit code %d, output %q, want %q", s.ExitCode, out, want)
	}
	if out, _ := n.output(second(sh(task, "ps | grep -c 'sleep 4711$'; ls /dev/shm", img), 3)); out != "0\n" {
		t.Errorf("one that does not share: %q", out)
	}

	// The next process finds it, and makes no second one.
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	n.open()
	if err := n.Sweep(t.Context(), func(id string) bool { return id == task }); err != nil {
		t.Error(err)
	}
	if err := n.Prepare(t.Context(), Task{ID: task, SharePID: true, ShareIPC: true}); err != nil {
		t.Error(err)
	}
	if again, err := n.keeper().Pid(task); err != nil || again != first {
		t.Errorf("pid %d became %d: %v", first, again, err)
	}
	// What it keeps ends with it.
	if err := unix.Kill(first, unix.SIGKILL); err != nil {
		t.Error(err)
	}
	if s := n.exited(task + "-1"); s.ExitCode != 137 {
		t.Errorf("state %+v", s)
	}
	if err := n.Create(t.Context(), with(second(sh(task, "true", img), 4))); err == nil || !strings.Contains(err.Error(), "shared namespaces has ended") {
		t.Errorf("create without it: %v", err)
	}
	// Its number may be another process's by now, whose namespaces nobody is to join.
	if err := n.Renew(t.Context(), task+"-1"); err == nil || !strings.Contains(err.Error(), "shared namespaces has ended") {
		t.Errorf("renewal without it: %v", err)
	}
	if err := n.Release(t.Context(), task); err != nil {
		t.Error(err)
	}
	n.checkNothingLeft()
	if left, _ := os.ReadDir(filepath.Join(n.c.RunDir, "shm")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// TestHostNamespaces: the machine's processes and shared memory, or none of the latter.
func TestHostNamespaces(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	img, task := n.busybox(), n.task(Task{})
	host := sh(task, "tr '\\0' ' ' < /proc/"+strconv.Itoa(os.Getpid())+"/cmdline | grep -c test; readlink /proc/self/ns/ipc", img)
	host.PID, host.IPC = ShareHost, ShareHost
	ipc, err := os.Readlink("/proc/self/ns/ipc")
	if err != nil {
		t.Fatal(err)
	}
	if out, s := n.output(host); out != "1\n"+ipc+"\n" {
		t.Errorf("%+v: %q", s, out)
	}
	none := second(sh(task, "grep -c ' /dev/shm ' /proc/mounts; readlink /proc/self/ns/ipc", img), 2)
	none.IPC = ShareNone
	if out, s := n.output(none); !strings.HasPrefix(out, "0\n") || strings.Contains(out, ipc) {
		t.Errorf("%+v: %q", s, out)
	}
}
