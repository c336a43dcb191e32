package enter

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// stuck is a helper that was stopped after its first command, and what runs another one.
func stuck(t *testing.T) (h *Helper, run func() error) {
	t.Helper()
	h = built(t)
	pid := contained(t).Process.Pid
	place := Place{PID: pid, Member: cgroupOf(t, pid), Kill: "/dev/null"}
	run = func() error {
		done := make(chan error, 1)
		go func() {
			_, err := h.Run(t.Context(), place, Rights{Cwd: "/"}, Command{Args: []string{"/bin/true"}, Timeout: 5 * time.Second, Out: io.Discard})
			done <- err
		}()
		select {
		case err := <-done:
			return err
		case <-time.After(20 * time.Second):
			t.Fatal("it waits for a helper that does not move")
			return nil
		}
	}
	if err := run(); err != nil {
		t.Fatal(err)
	}
	if err := unix.Kill(h.PID(), unix.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	for !stopped(t, h.PID()) { // until then it still takes requests
		runtime.Gosched()
	}
	h.grace = 100*time.Millisecond - 5*time.Second // a command that would take no time
	t.Cleanup(func() { h.grace = answerGrace })
	return h, run
}

func stopped(t *testing.T, pid int) bool {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, state, _ := strings.Cut(string(stat), ") ")
	return strings.HasPrefix(state, "T")
}

// A helper that does not answer is given up: its request has another way, the next one another helper.
func TestAHelperThatDoesNotAnswer(t *testing.T) {
	h, run := stuck(t)
	old := h.PID()
	if err := run(); !errors.Is(err, ErrUnable) {
		t.Errorf("%v; want one that asks for another way", err)
	}
	h.grace = answerGrace
	if err := run(); err != nil || h.PID() == old {
		t.Errorf("the next: %v, helper %d, then %d", err, old, h.PID())
	}
}

// A helper that takes no request any more holds up nobody.
func TestAHelperThatTakesNothing(t *testing.T) {
	h, run := stuck(t)
	h.grace = answerGrace
	for err := error(nil); err == nil; {
		if err = h.conn.SetWriteDeadline(time.Now().Add(50 * time.Millisecond)); err == nil {
			_, _, err = h.conn.WriteMsgUnix([]byte{1}, nil, nil)
		}
	}
	old := h.PID()
	if err := run(); err != nil || h.PID() == old {
		t.Errorf("%v, helper %d, then %d", err, old, h.PID())
	}
}
