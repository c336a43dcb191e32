package installation

import (
	"bytes"
	"context"
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

// KillEnvoy ends the node's Envoy with SIGKILL; the node starts it again.
func (i *Installation) KillEnvoy() error {
	return i.killDaemon("Envoy", func(args []string) bool {
		return len(args) > 2 && args[1] == "-c" && args[2] == filepath.Join(i.RunDir, "proxy", "bootstrap.json")
	})
}

// KillShims ends every container's shim with SIGKILL, as a power cut does.
func (i *Installation) KillShims() error {
	return i.killDaemon("shims", func(args []string) bool {
		name := filepath.Base(args[0])
		return name == "containerd-shim-runc-v2" || name == "containerd-shim-berth-v1"
	})
}

// Stacks has containerd and the node write to their logs what each of their goroutines is at. It ends the node.
func (i *Installation) Stacks(ctx context.Context) error {
	pids, err := i.daemons(func(args []string) bool { return filepath.Base(args[0]) == "containerd" })
	for _, pid := range pids {
		_ = syscall.Kill(pid, syscall.SIGUSR1) // it may have ended
	}
	r := i.roles()[len(i.roles())-1]
	p := i.processes[r]
	if p.cmd == nil {
		return err
	}
	_ = p.cmd.Process.Signal(syscall.SIGQUIT) // it may have ended
	select {
	case <-p.done:
	case <-ctx.Done():
	case <-time.After(5 * time.Second):
		return fmt.Errorf("%s does not end", r)
	}
	return err
}

// killDaemon looks at the processes: a pid file may be old, or not written yet.
func (i *Installation) killDaemon(what string, is func(args []string) bool) error {
	pids, err := i.daemons(is)
	if err != nil {
		return err
	}
	for _, pid := range pids {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("kill %s %d: %w", what, pid, err)
		}
	}
	return gone(pids)
}

// daemons finds processes of this installation.
func (i *Installation) daemons(is func(args []string) bool) ([]int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	var found []int
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
		if is(args) {
			found = append(found, pid)
		}
	}
	return found, nil
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
