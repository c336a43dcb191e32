package enter

import (
	"bytes"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"
)

// What the node ignores, a check does not.
func TestACheckIgnoresNoSignal(t *testing.T) {
	signal.Ignore(syscall.SIGHUP, syscall.SIGINT, syscall.SIGUSR2)
	t.Cleanup(func() { signal.Reset(syscall.SIGHUP, syscall.SIGINT, syscall.SIGUSR2) })
	h := built(t)
	pid := contained(t).Process.Pid
	place := Place{PID: pid, Member: cgroupOf(t, pid), Kill: "/dev/null"}
	var out bytes.Buffer
	_, err := h.Run(t.Context(), place, Rights{Cwd: "/"}, Command{Args: []string{"/bin/grep", "^Sig", "/proc/self/status"}, Timeout: time.Minute, Out: &out})
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(strings.TrimSpace(out.String()), "\n") {
		name, value, _ := strings.Cut(line, ":")
		if (name == "SigIgn" || name == "SigBlk") && strings.Trim(strings.TrimSpace(value), "0") != "" {
			t.Errorf("the check has %s", line)
		}
	}
	if !strings.Contains(out.String(), "SigIgn:") {
		t.Errorf("output %q", out.String())
	}
}
