package enter

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// built is a helper of this tree.
func built(t *testing.T) *Helper {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	gcc, err := exec.LookPath("gcc")
	if err != nil {
		t.Skip("needs gcc")
	}
	path := filepath.Join(t.TempDir(), "berth-enter")
	source, err := os.Open("src/enter.c") // here, so that a change of it is seen to matter
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	cmd := exec.Command(gcc, "-Wall", "-Wextra", "-Werror", "-static", "-o", path, "-x", "c", "-")
	cmd.Stdin = source
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	h := Find(path)
	t.Cleanup(h.Close)
	return h
}

// full is a FIFO that nothing more can be written to.
func full(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "full")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
	for err == nil {
		_, err = unix.Write(fd, make([]byte, 4096))
	}
	return path
}

// processesIn are those of a process namespace.
func processesIn(t *testing.T, namespace string) (pids []int) {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*/ns/pid")
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range all {
		if to, err := os.Readlink(link); err == nil && to == namespace {
			pid, err := strconv.Atoi(strings.Split(link, "/")[2])
			if err != nil {
				t.Fatal(err)
			}
			pids = append(pids, pid)
		}
	}
	return pids
}

// cgroupOf is some cgroup of a process.
func cgroupOf(t *testing.T, pid int) string {
	t.Helper()
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cgroup")
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return line
}

// contained is a process with namespaces of its own, as the first one of a container has.
func contained(t *testing.T) *exec.Cmd {
	t.Helper()
	first := exec.Command("sleep", "1000")
	first.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Cloneflags: unix.CLONE_NEWPID | unix.CLONE_NEWNS | unix.CLONE_NEWIPC |
		unix.CLONE_NEWUTS | unix.CLONE_NEWNET | unix.CLONE_NEWCGROUP}
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = first.Process.Kill(), first.Wait() })
	return first
}

// Who may trace processes in a container finds none there that has the machine's rights, not even for a moment: the moment
// before it joins its cgroup lasts here.
func TestNothingInAContainerHasTheMachinesRights(t *testing.T) {
	h := built(t)
	first := contained(t)
	namespace, err := os.Readlink("/proc/" + strconv.Itoa(first.Process.Pid) + "/ns/pid")
	if err != nil {
		t.Fatal(err)
	}
	place := Place{PID: first.Process.Pid, Member: cgroupOf(t, first.Process.Pid), Join: []string{full(t)}, Kill: os.DevNull}
	done := make(chan error, 1)
	go func() {
		_, err := h.Run(t.Context(), place, Rights{Cwd: "/"}, Command{Args: []string{"/bin/true"}, Timeout: time.Second, Out: io.Discard})
		done <- err
	}()
	for {
		select {
		case err := <-done:
			if !errors.Is(err, ErrTimeout) {
				t.Error("it did not wait for its cgroup:", err)
			}
			return
		case <-time.After(20 * time.Millisecond):
		}
		if pids := processesIn(t, namespace); len(pids) != 1 {
			t.Errorf("in the container: %v beside %d", pids, first.Process.Pid)
		}
	}
}

// A process of the task's container 12 is none of its container 1.
func TestStill(t *testing.T) {
	for member, want := range map[string]bool{"/b/t/x-12": true, "/b/t/x-1": false, "/b/t": true} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "cgroup"), []byte("2:cpu:/b/t/x-12\n1:pids:/b/t/x-12\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := (Place{Member: member}).still(dir); (err == nil) != want {
			t.Errorf("%s: %v", member, err)
		}
	}
}
