package envoy

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/node/runtime/daemon"
)

const (
	restartDelayMin = 50 * time.Millisecond
	restartDelayMax = 5 * time.Second
	steady          = time.Minute // an Envoy that lived so long resets the waits
	leisure         = time.Minute // of an Envoy that has nothing to do: the next load balancer may come soon
	stopTimeout     = 10 * time.Second
	logEvery        = time.Minute
	maxLog          = 16 << 20
)

// Supervisor keeps one Envoy running while it is wanted.
type Supervisor struct {
	c Config

	mu      sync.Mutex
	pid     int // 0: none runs
	wanted  bool
	changed chan struct{} // closed when wanted is another
}

// New makes a Supervisor. Nothing runs before Want.
func New(c Config) *Supervisor { return &Supervisor{c: c, changed: make(chan struct{})} }

// Want says whether an Envoy has something to do. One that has not ends after a while.
func (s *Supervisor) Want(is bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wanted != is {
		s.wanted = is
		close(s.changed)
		s.changed = make(chan struct{})
	}
}

func (s *Supervisor) wants() (is bool, changed <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.wanted, s.changed
}

// until waits until an Envoy is wanted, or is not, and says whether ctx still runs.
func (s *Supervisor) until(ctx context.Context, want bool) bool {
	for {
		is, changed := s.wants()
		if is == want {
			return ctx.Err() == nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}

// unwanted waits until no Envoy has been wanted for a while, and says whether ctx still runs.
func (s *Supervisor) unwanted(ctx context.Context) bool {
	for s.until(ctx, false) {
		_, changed := s.wants()
		t := time.NewTimer(cmp.Or(s.c.Leisure, leisure))
		select {
		case <-t.C:
			return true
		case <-changed:
		case <-ctx.Done():
		}
		t.Stop()
	}
	return false
}

// Pid is Envoy's, 0 while none runs.
func (s *Supervisor) Pid() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pid
}

func (s *Supervisor) setPid(pid int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pid = pid
}

// Run adopts the Envoy of the process before, or starts one when it is wanted, and keeps it running while it is, until ctx ends. It goes on then.
func (s *Supervisor) Run(ctx context.Context) error {
	p := adopt(s.c)
	if p != nil {
		_ = p.Close()
	}
	go s.boundLog(ctx)
	for delay := restartDelayMin; p != nil || s.until(ctx, true); delay = min(2*delay, restartDelayMax) {
		p = nil
		began := time.Now()
		if err := s.serve(ctx); err != nil {
			s.c.Log.Warn("Envoy cannot be started", "error", err)
		}
		if time.Since(began) > steady {
			delay = restartDelayMin
		}
		if !pause(ctx, delay) {
			return nil
		}
	}
	return nil
}

// serve waits for the end of an Envoy, which it starts unless one runs, and ends it itself when it is not wanted any more.
func (s *Supervisor) serve(ctx context.Context) error {
	p, err := s.ensure()
	if err != nil {
		return err
	}
	defer func() { _ = p.Close() }()
	s.setPid(p.Pid)
	defer s.setPid(0)
	while, over := context.WithCancel(ctx)
	var rest sync.WaitGroup
	rest.Go(func() {
		if s.unwanted(while) {
			s.c.Log.Info("Envoy has nothing to do; it ends", "pid", p.Pid)
			if err := end(while, p); err != nil && while.Err() == nil {
				s.c.Log.Warn("Envoy does not end", "pid", p.Pid, "error", err)
			}
		}
	})
	err = p.Wait(ctx)
	over()
	rest.Wait()
	if is, _ := s.wants(); is && err == nil {
		s.c.Log.Warn("Envoy ended; starting it again", "pid", p.Pid)
	}
	return nil
}

func (s *Supervisor) ensure() (*daemon.Process, error) {
	unlock, err := daemon.LockFile(filepath.Join(s.c.RunDir, "envoy.lock"))
	if err != nil {
		return nil, err
	}
	defer unlock()
	if p := adopt(s.c); p != nil {
		return p, nil
	}
	return start(s.c)
}

// adopt answers the Envoy that runs with our configuration, whatever program it was started of; nil: none does.
func adopt(c Config) *daemon.Process {
	for _, pid := range daemon.CommandLines(func(args []string) bool { return len(args) > 2 && args[1] == "-c" && args[2] == c.bootstrap() }) {
		if p, err := daemon.OpenProcess(pid); err == nil {
			return p
		}
	}
	return nil
}

// Stop ends the Envoy of a directory for good. Nobody supervises it any more.
func Stop(ctx context.Context, c Config) error {
	for {
		p := adopt(c)
		if p == nil {
			break
		}
		err := end(ctx, p)
		_ = p.Close()
		if err != nil {
			return err
		}
	}
	for _, f := range []string{c.admin(), c.Socket(), c.bootstrap()} {
		if err := os.Remove(f); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func end(ctx context.Context, p *daemon.Process) error {
	defer func() { _ = p.Close() }()
	for _, signal := range []unix.Signal{unix.SIGTERM, unix.SIGKILL} {
		if err := p.Signal(signal); err != nil && !errors.Is(err, unix.ESRCH) {
			return err
		}
		once, cancel := context.WithTimeout(ctx, stopTimeout)
		err := p.Wait(once)
		cancel()
		if err == nil || ctx.Err() != nil {
			return err
		}
	}
	return errors.New("an Envoy that was killed does not end")
}

// boundLog keeps the log from filling the disk. Envoy appends: it goes on at the beginning.
func (s *Supervisor) boundLog(ctx context.Context) {
	for {
		if info, err := os.Stat(s.c.logFile()); err == nil && info.Size() > maxLog {
			if err := os.Truncate(s.c.logFile(), 0); err != nil {
				s.c.Log.Warn("Envoy's log cannot be made short", "error", err)
			}
		}
		if !pause(ctx, logEvery) {
			return
		}
	}
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
