package background

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// Command is what Start runs.
type Command struct {
	Exe     string   // required
	Args    []string // required
	Env     []string // required; the whole environment
	LogFile string   // required; standard output and error are appended to it
}

// logBytes is the size from which a log makes room for a new one at the next start; one older log is kept, with ".1" behind
// its name.
const logBytes = 16 << 20

// Child is a process that Start started.
type Child struct {
	PID  int
	done chan error // receives once, when the process has ended
}

// Start runs c in a session of its own.
func Start(c Command) (*Child, error) {
	if err := os.MkdirAll(filepath.Dir(c.LogFile), 0o700); err != nil {
		return nil, fmt.Errorf("log file: %w", err)
	}
	if info, err := os.Stat(c.LogFile); err == nil && info.Size() >= logBytes {
		if err := os.Rename(c.LogFile, c.LogFile+".1"); err != nil {
			return nil, fmt.Errorf("log file: %w", err)
		}
	}
	log, err := os.OpenFile(c.LogFile, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("log file: %w", err)
	}
	defer log.Close()
	cmd := exec.Command(c.Exe, c.Args...) //nolint:noctx // it outlives the caller on purpose
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = c.Env, "/", log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", c.Exe, err)
	}
	child := &Child{PID: cmd.Process.Pid, done: make(chan error, 1)}
	go func() { child.done <- cmd.Wait() }()
	return child, nil
}

// Probe reports whether the process is ready and, if not, what it is waiting for.
type Probe func(ctx context.Context) (ready bool, doing string)

// pollEvery is short beside a start and long beside one probe on loopback.
const pollEvery = 50 * time.Millisecond

// Await returns when probe says ready. It fails when the process ends or ctx does; show hears of every change of what
// is waited for.
func (c *Child) Await(ctx context.Context, probe Probe, show func(doing string)) error {
	return await(ctx, c.done, probe, show)
}

// Await is the same for a process that somebody else started: its end is not noticed.
func Await(ctx context.Context, probe Probe, show func(doing string)) error {
	return await(ctx, nil, probe, show)
}

func await(ctx context.Context, done <-chan error, probe Probe, show func(doing string)) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	last := ""
	for {
		ready, doing := probe(ctx)
		if ready {
			return nil
		}
		if doing != "" && doing != last {
			show(doing)
			last = doing
		}
		select {
		case err := <-done:
			return ended(err)
		case <-ctx.Done():
			return fmt.Errorf("not ready in time, still %s", orElse(last, "starting"))
		case <-tick.C:
		}
	}
}

func ended(err error) error {
	if err == nil {
		return errors.New("the process ended before it was ready")
	}
	return fmt.Errorf("the process ended before it was ready: %w", err)
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
