// Package daemon runs the containerd of an installation: a process in a session of
// its own that outlives whoever started it.
//
// Guarantees: one containerd serves one directory, also when two processes start
// it at once or one is killed while it does; a running one is adopted, a dead one
// is started again at once and without end; its configuration shares nothing with
// another containerd; its log has a bound, and what a dead one said last is in it. A runc from which containers can escape
// is refused.
package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Daemon is a supervised containerd.
type Daemon struct {
	c Config

	mu      sync.Mutex
	proc    *Process
	stopped bool // by Stop: do not start it again
	done    chan struct{}
}

const (
	restartDelayMin = 50 * time.Millisecond
	restartDelayMax = 5 * time.Second
	stopTimeout     = 10 * time.Second
)

func (d *Daemon) configFile() string { return filepath.Join(d.c.RunDir, "containerd.toml") }
func (d *Daemon) logFile() string    { return filepath.Join(d.c.DataDir, "containerd.log") }

// Open adopts the running containerd or starts one, and supervises it until ctx
// ends. The directories exist.
func Open(ctx context.Context, c Config) (*Daemon, error) {
	d := &Daemon{c: c, done: make(chan struct{})}
	if err := d.ensure(); err != nil {
		return nil, err
	}
	go d.supervise(ctx)
	go d.boundLog(ctx)
	return d, nil
}

// Wait returns when the supervision has ended.
func (d *Daemon) Wait() { <-d.done }

// Pid is containerd's.
func (d *Daemon) Pid() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.proc.Pid
}

// ensure makes d.proc a running containerd. The lock keeps two processes of one
// installation from starting two.
func (d *Daemon) ensure() error {
	unlock, err := LockFile(filepath.Join(d.c.RunDir, "containerd.lock"))
	if err != nil {
		return err
	}
	defer unlock()
	p, err := d.adopt()
	if err != nil {
		return err
	}
	if p == nil {
		if p, err = d.start(); err != nil {
			return fmt.Errorf("start containerd: %w", err)
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.proc != nil {
		_ = d.proc.Close() // it has ended
	}
	d.proc = p
	return nil
}

// adopt answers the containerd that runs with our configuration, else nil. It
// looks at the processes: a pid file is not written yet when its writer is killed
// at the wrong moment, and two containerds must not serve one directory. The program
// may have been another directory's then.
func (d *Daemon) adopt() (*Process, error) {
	for _, pid := range CommandLines(func(args []string) bool {
		return len(args) > 2 && filepath.Base(args[0]) == "containerd" && args[2] == d.configFile()
	}) {
		p, err := OpenProcess(pid)
		if errors.Is(err, unix.ESRCH) {
			continue
		}
		return p, err
	}
	return nil, nil
}

func (d *Daemon) start() (*Process, error) {
	if err := os.WriteFile(d.configFile(), []byte(Text(d.c)), 0o600); err != nil {
		return nil, err
	}
	out, err := os.OpenFile(d.logFile(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600) // what a dead one said last stays
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd := exec.Command(filepath.Join(d.c.BinDir, "containerd"), "--config", d.configFile(), "--log-level", "warn") //nolint:noctx // it outlives us
	cmd.Stdout, cmd.Stderr = out, out
	cmd.Dir = "/"
	// Our directory first, so that containerd finds our shim and runc.
	cmd.Env = append(EnvironWithout("PATH", "NOTIFY_SOCKET"), "PATH="+d.c.BinDir+":"+os.Getenv("PATH"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p, err := OpenProcess(cmd.Process.Pid)
	if err != nil {
		return nil, errors.Join(err, cmd.Process.Kill(), cmd.Wait())
	}
	go cmd.Wait() //nolint:errcheck // only reaps; supervise sees the end through the pidfd
	return p, nil
}

// supervise starts containerd anew whenever it ends. Containers do not notice:
// their shims run on and are attached again.
func (d *Daemon) supervise(ctx context.Context) {
	defer close(d.done)
	delay := restartDelayMin
	for {
		d.mu.Lock()
		p := d.proc
		d.mu.Unlock()
		began := time.Now()
		if err := p.Wait(ctx); err != nil {
			return
		}
		d.mu.Lock()
		stopped := d.stopped
		d.mu.Unlock()
		if stopped {
			return
		}
		d.c.Log.Warn("containerd ended; starting it again", "pid", p.Pid)
		if time.Since(began) > time.Minute {
			delay = restartDelayMin
		}
		for d.ensure() != nil {
			if !pause(ctx, delay) {
				return
			}
			delay = min(2*delay, restartDelayMax)
		}
		if !pause(ctx, delay) { // a containerd that dies at once is not started flat out
			return
		}
		delay = min(2*delay, restartDelayMax)
	}
}

// Stop ends containerd for good; containers are left to the caller.
func (d *Daemon) Stop(ctx context.Context) error {
	d.mu.Lock()
	d.stopped = true
	p := d.proc
	d.mu.Unlock()
	if p == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	if err := p.Signal(unix.SIGTERM); err != nil && !errors.Is(err, unix.ESRCH) {
		return err
	}
	if err := p.Wait(ctx); err != nil {
		if err := p.Signal(unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
			return err
		}
		if err := p.Wait(context.WithoutCancel(ctx)); err != nil {
			return err
		}
	}
	for _, f := range []string{d.c.Address, d.c.TTRPCAddress} {
		if err := os.Remove(f); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// pause waits for d and reports whether ctx still runs.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// EnvironWithout is this process's environment but for the named variables.
func EnvironWithout(names ...string) []string {
	var out []string
next:
	for _, v := range os.Environ() {
		for _, n := range names {
			if strings.HasPrefix(v, n+"=") {
				continue next
			}
		}
		out = append(out, v)
	}
	return out
}

// LockFile takes an exclusive lock that a killed process gives back.
func LockFile(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), f.Close())
	}
	return func() { f.Close() }, nil
}
