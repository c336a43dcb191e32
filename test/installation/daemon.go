package installation

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// KillContainerd ends the node's containerd with SIGKILL; the node starts it again.
func (i *Installation) KillContainerd() error {
	return i.killDaemon("containerd", func(args []string) bool { return filepath.Base(args[0]) == "containerd" })
}

// KillHold ends the process that holds the containers' output with SIGKILL; the node starts it again.
func (i *Installation) KillHold() error {
	return i.killDaemon("hold", func(args []string) bool { return len(args) > 1 && args[1] == "hold" })
}

// KillShims ends every container's shim with SIGKILL, as a power cut does.
func (i *Installation) KillShims() error {
	return i.killDaemon("shims", func(args []string) bool { return filepath.Base(args[0]) == "containerd-shim-runc-v2" })
}

// killDaemon looks at the processes: a pid file may be old, or not written yet.
func (i *Installation) killDaemon(what string, is func(args []string) bool) error {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return err
	}
	var killed []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		line, _ := os.ReadFile(filepath.Join("/proc", e.Name(), "cmdline"))
		if !bytes.Contains(line, []byte(i.RunDir)) { // names are random, so none begins another
			continue
		}
		var args []string
		for a := range bytes.SplitSeq(bytes.TrimRight(line, "\x00"), []byte{0}) {
			args = append(args, string(a))
		}
		if !is(args) {
			continue
		}
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("kill %s %d: %w", what, pid, err)
		}
		killed = append(killed, pid)
	}
	return gone(killed)
}

// gone waits until killed processes have ended; one that nobody collected has.
func gone(pids []int) error {
	deadline := time.Now().Add(10 * time.Second)
	for _, pid := range pids {
		for alive(pid) {
			if time.Now().After(deadline) {
				return fmt.Errorf("process %d does not end", pid)
			}
			<-time.After(time.Millisecond)
		}
	}
	return nil
}

func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	rest := stat[bytes.LastIndexByte(stat, ')')+1:]
	return !bytes.HasPrefix(rest, []byte(" Z"))
}
