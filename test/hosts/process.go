package hosts

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// Role is what a process of a host is.
type Role string

// The roles.
const (
	Server Role = "server"
	Node   Role = "node"
	Etcd   Role = "etcd" // one that somebody else runs
)

// process is begun again and again with the same arguments; all its lives write one log.
type process struct {
	exe  string // "": berth
	args []string
	cmd  *exec.Cmd
	done chan struct{}
}

func (h *Host) logPath(r Role) string { return filepath.Join(h.dir, string(r)+".log") }

// begin starts a process on the host.
func (h *Host) begin(r Role, args ...string) error {
	return h.beginProgram(r, "", args...)
}

func (h *Host) beginProgram(r Role, exe string, args ...string) error {
	h.processes[r] = &process{exe: exe, args: args}
	return h.again(r)
}

func (h *Host) again(r Role) error {
	p := h.processes[r]
	f, err := os.OpenFile(h.logPath(r), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	p.cmd = exec.Command(cmp.Or(p.exe, h.world.exe), append([]string{string(r)}, p.args...)...)
	p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = h.settings(), f, f
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := h.inside(p.cmd.Start); err != nil {
		return err
	}
	p.done = make(chan struct{})
	go func() { defer close(p.done); _ = p.cmd.Wait() }()
	return nil
}

// Kill ends a process with SIGKILL and waits until it is gone.
func (h *Host) Kill(r Role) {
	if p := h.processes[r]; p != nil && p.cmd != nil && p.done != nil {
		_ = p.cmd.Process.Kill() // it may have ended
		<-p.done
	}
}

// Stop ends a process with SIGTERM and waits until it is gone.
func (h *Host) Stop(ctx context.Context, r Role) error {
	p := h.processes[r]
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%s of %s does not end: %w", r, h.Name, ctx.Err())
	}
}

// Use has a process be of another berth from its next beginning on.
func (h *Host) Use(r Role, exe string) { h.processes[r].exe = exe }

// Await waits until a process has ended by itself.
func (h *Host) Await(ctx context.Context, r Role) error {
	select {
	case <-h.processes[r].done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%s of %s does not end: %w", r, h.Name, ctx.Err())
	}
}

// Again begins a process that has ended once more, as it was begun first.
func (h *Host) Again(r Role) {
	h.world.t.Helper()
	if err := h.again(r); err != nil {
		h.world.t.Fatal(err)
	}
}

func (h *Host) killAll() {
	for r := range h.processes {
		h.Kill(r)
	}
}

// LastLog is the end of each process's log.
func (h *Host) LastLog(lines int) string {
	var b strings.Builder
	for r := range h.processes {
		text, _ := os.ReadFile(h.logPath(r))
		all := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
		all = slices.DeleteFunc(all, func(l string) bool {
			return strings.Contains(l, "msg=request") || strings.Contains(l, "rejecting member add")
		})
		fmt.Fprintf(&b, "--- %s\n%s\n", r, strings.Join(all[max(0, len(all)-lines):], "\n"))
	}
	return b.String()
}

// Log is everything that a process has written.
func (h *Host) Log(r Role) string {
	text, _ := os.ReadFile(h.logPath(r)) // "" before it began
	return string(text)
}
