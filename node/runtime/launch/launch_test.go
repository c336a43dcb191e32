package launch

import (
	"os"
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"
)

// state is one whose FIFO is there.
func state(t *testing.T) State {
	t.Helper()
	s := State(t.TempDir())
	if err := unix.Mkfifo(s.FIFO(), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

// waiting is a process that has the files open until it is told to end.
func waiting(t *testing.T, files ...*os.File) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("cat")
	cmd.ExtraFiles = files
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd
}

func TestWhoHoldsTheFIFOWaits(t *testing.T) {
	t.Parallel()
	s := state(t)
	fd, err := unix.Open(s.FIFO(), unix.O_PATH|unix.O_CLOEXEC, 0) // as runc gives it to init
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fd), "fifo")
	defer f.Close()
	if s.Past(uint32(waiting(t, f).Process.Pid)) {
		t.Error("init waits, and is said to run")
	}
	runs := uint32(waiting(t).Process.Pid)
	if !s.Past(runs) {
		t.Error("the program runs, and is said to wait")
	}
	for range 2 {
		if err := s.Finish(); err != nil {
			t.Error(err)
		}
	}
	if !s.Past(runs) {
		t.Error("without the FIFO the program is said to wait")
	}
}

// TestWhoEndedDoesNotRun: a zombie has no files open either.
func TestWhoEndedDoesNotRun(t *testing.T) {
	t.Parallel()
	s, cmd := state(t), waiting(t)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	var info unix.Siginfo
	if err := unix.Waitid(unix.P_PID, cmd.Process.Pid, &info, unix.WEXITED|unix.WNOWAIT, nil); err != nil {
		t.Fatal(err)
	}
	if s.Past(uint32(cmd.Process.Pid)) {
		t.Error("a zombie is said to run")
	}
	if err := os.RemoveAll(string(s)); err != nil {
		t.Fatal(err)
	}
	if s.Past(uint32(os.Getpid())) {
		t.Error("a container that runc does not know is said to run")
	}
}

func TestCutOff(t *testing.T) {
	t.Parallel()
	s := state(t)
	if s.CutOff(3) || !s.CutOff(255) {
		t.Error("with the FIFO: 255 is that of init, 3 is not")
	}
	if err := s.Finish(); err != nil {
		t.Fatal(err)
	}
	if s.CutOff(255) {
		t.Error("without the FIFO 255 is the program's")
	}
}
