package installation

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
)

// Role is a process that a test may kill and begin again.
type Role string

// The processes of an installation. Up is server and node in one; it is there when the installation is not Split.
const (
	Up     Role = "up"
	Server Role = "server"
	Node   Role = "node"
)

func (i *Installation) roles() []Role {
	if i.options.Alone {
		return []Role{Server}
	}
	if i.options.Split {
		return []Role{Server, Node}
	}
	return []Role{Up}
}

func (r Role) args() []string {
	if r == Up {
		return []string{"up", "--foreground"}
	}
	return []string{string(r)}
}

// process is one that is started again and again with the same arguments; all its lives write one log.
type process struct {
	exe  string
	args []string
	env  []string
	log  string

	cmd  *exec.Cmd
	done chan struct{}
}

// Begin starts a process that does not run, with more of an environment than the installation's if that is given.
func (i *Installation) Begin(r Role, environ ...string) error {
	p := i.processes[r]
	if p == nil {
		return fmt.Errorf("this installation has no process %q", r)
	}
	f, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	p.cmd = exec.Command(p.exe, p.args...)
	p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = slices.Concat(p.env, environ), f, f
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := p.cmd.Start(); err != nil {
		return err
	}
	p.done = make(chan struct{})
	go func() { defer close(p.done); _ = p.cmd.Wait() }()
	return nil
}

// Kill ends a process with SIGKILL and waits until it is gone.
func (i *Installation) Kill(r Role) {
	if p := i.processes[r]; p != nil {
		p.kill()
	}
}

// Stop ends a process with SIGTERM and waits until it is gone.
func (i *Installation) Stop(ctx context.Context, r Role) error {
	p := i.processes[r]
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%s does not end: %w", r, ctx.Err())
	}
}

// Ended is closed when the process that was begun last has ended.
func (i *Installation) Ended(r Role) <-chan struct{} { return i.processes[r].done }

// PID is a process's.
func (i *Installation) PID(r Role) int { return i.processes[r].cmd.Process.Pid }

func (p *process) kill() {
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Kill()
	<-p.done
}

// LastLog is the end of each process's log.
func (i *Installation) LastLog(lines int) string {
	var b strings.Builder
	for _, r := range i.roles() {
		text, _ := os.ReadFile(i.processes[r].log)
		all := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
		fmt.Fprintf(&b, "--- %s\n%s\n", r, strings.Join(all[max(0, len(all)-lines):], "\n"))
	}
	return b.String()
}

var program struct {
	sync.Once
	path string
	err  error
}

// Program builds the program once in a test process and answers its path. BERTH_TEST_PROGRAM names another one.
func Program(ctx context.Context) (string, error) {
	if path := os.Getenv("BERTH_TEST_PROGRAM"); path != "" {
		return path, nil
	}
	program.Do(func() {
		dir, err := os.MkdirTemp("", "berth-program-")
		if err != nil {
			program.err = err
			return
		}
		program.path = filepath.Join(dir, "berth")
		cmd := exec.CommandContext(ctx, "go", "build", "-o", program.path, "github.com/berth-ecs/berth/cmd/berth")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			program.err = fmt.Errorf("build berth: %w\n%s", err, out)
		}
	})
	return program.path, program.err
}

// Build builds the program again with another version into dir and answers its path. A level is that of a release; "" leaves it.
func Build(ctx context.Context, dir, version, level string) (string, error) {
	path := filepath.Join(dir, "berth")
	flags := "-s -w -X main.version=" + version
	if level != "" {
		flags += " -X github.com/berth-ecs/berth/internal/release.level=" + level
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-o", path, "-ldflags", flags, "github.com/berth-ecs/berth/cmd/berth")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build berth %s: %w\n%s", version, err, out)
	}
	return path, nil
}

// Use has a process be of another program from its next beginning on.
func (i *Installation) Use(r Role, exe string, before ...string) {
	p := i.processes[r]
	p.exe, p.args = exe, slices.Concat(before, r.args())
}

// Discard removes the program that Program built. Call it last in a TestMain.
func Discard() {
	if program.path != "" {
		_ = os.RemoveAll(filepath.Dir(program.path))
	}
}

// settings turns "name=value" into environment variables.
func settings(pairs []string) []string {
	var out []string
	for _, p := range pairs {
		name, value, _ := strings.Cut(p, "=")
		out = append(out, "BERTH_"+strings.ToUpper(strings.ReplaceAll(name, "-", "_"))+"="+value)
	}
	return out
}
