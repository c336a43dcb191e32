package hold

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/node/hold/logfile"
)

// server is the process.
type server struct {
	c    Config
	quit context.CancelFunc

	mu        sync.Mutex
	outputs   map[string]*entry
	listeners map[string]*os.File
}

// entry is an output that is open, or on its way there or from there: whoever
// holds its lock decides.
type entry struct {
	mu sync.Mutex
	o  *output
}

// Main is the process itself: it adopts what an earlier one left, serves until
// ctx ends or a client asks it to, and leaves the FIFOs to the next.
func Main(ctx context.Context, c Config) error {
	c, err := c.check()
	if err != nil {
		return err
	}
	yield(c)
	debug.SetGCPercent(50) // a small heap: the collector's work is nothing, its room is
	if err := os.MkdirAll(c.fifoDir(), 0o700); err != nil {
		return err
	}
	lock, err := awaitLock(ctx, c.lockFile())
	if err != nil {
		return fmt.Errorf("hold: another one serves %s: %w", c.RunDir, err)
	}
	defer lock.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := &server{c: c, quit: cancel, outputs: map[string]*entry{}, listeners: map[string]*os.File{}}
	if err := s.adopt(); err != nil {
		return err
	}
	if err := os.Remove(c.socket()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	l, err := net.ListenUnix("unixpacket", &net.UnixAddr{Name: c.socket(), Net: "unixpacket"})
	if err != nil {
		return err
	}
	if err := os.Chmod(c.socket(), 0o600); err != nil {
		return err
	}
	if c.ReadyFD > 0 {
		if err := os.NewFile(uintptr(c.ReadyFD), "ready").Close(); err != nil {
			return err
		}
	}
	return s.serve(ctx, l)
}

func (s *server) serve(ctx context.Context, l *net.UnixListener) error {
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	var talks sync.WaitGroup
	for {
		c, err := l.AcceptUnix()
		if err != nil {
			asked := ctx.Err() != nil
			s.quit() // those who watch are told that we end
			talks.Wait()
			s.release()
			if asked {
				return nil
			}
			return err
		}
		talks.Go(func() {
			defer c.Close()
			if err := s.talk(ctx, c); err != nil {
				s.c.Log.Warn("conversation", "error", err)
			}
		})
	}
}

// release leaves the FIFOs to the next process.
func (s *server) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.outputs {
		e.mu.Lock()
		if e.o != nil {
			if err := e.o.release(); err != nil {
				s.c.Log.Warn("output", "error", err)
			}
			e.o = nil
		}
		e.mu.Unlock()
	}
}

// adopt opens every output an earlier process left. One that cannot be read is
// said and left alone: the others must not suffer.
func (s *server) adopt() error {
	entries, err := os.ReadDir(s.c.fifoDir())
	if err != nil {
		return err
	}
	for _, e := range entries {
		dir := filepath.Join(s.c.fifoDir(), e.Name())
		var m meta
		text, err := os.ReadFile(filepath.Join(dir, metaFile))
		if err == nil {
			err = json.Unmarshal(text, &m)
		}
		if err == nil {
			err = m.check()
		}
		var o *output
		if err == nil {
			o, err = openOutput(dir, m, s.c, s.limitsOf(m))
		}
		if err != nil {
			s.c.Log.Error("an output cannot be adopted", "dir", dir, "error", err)
			continue
		}
		s.outputs[e.Name()] = &entry{o: o}
	}
	return nil
}

// shimLog is the name of a shim's log among a task's; no container has it.
const (
	shimLog      = ".shim"
	shimPrefix   = "shim-"
	shimLogBytes = 256 << 10
)

func (s *server) limitsOf(m meta) logfile.Limits {
	if m.Name == shimLog {
		return logfile.Limits{MaxBytes: shimLogBytes, Files: 1}
	}
	return s.c.limits()
}

var idRule = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,254}$`)

func (m meta) check() error {
	if !idRule.MatchString(m.Task) {
		return fmt.Errorf("hold: task %q must be letters, digits, - and _", m.Task)
	}
	if m.Name != shimLog && !idRule.MatchString(m.Name) {
		return fmt.Errorf("hold: container name %q must be letters, digits, - and _", m.Name)
	}
	for _, name := range m.Streams {
		if name != logfile.Stdout && name != logfile.Stderr {
			return fmt.Errorf("hold: stream %q is neither stdout nor stderr", name)
		}
	}
	return nil
}

// lock answers the entry of key, locked.
func (s *server) lock(key string) *entry {
	for {
		s.mu.Lock()
		e := s.outputs[key]
		if e == nil {
			e = &entry{}
			s.outputs[key] = e
		}
		s.mu.Unlock()
		e.mu.Lock()
		s.mu.Lock()
		current := s.outputs[key] == e
		s.mu.Unlock()
		if current {
			return e
		}
		e.mu.Unlock() // it was finished while we waited
	}
}

// open makes the output called key unless it is there.
func (s *server) open(key string, m meta) error {
	if !idRule.MatchString(key) {
		return fmt.Errorf("hold: id %q must be letters, digits, - and _", key)
	}
	if err := m.check(); err != nil {
		return err
	}
	e := s.lock(key)
	defer e.mu.Unlock()
	if e.o != nil {
		return nil
	}
	o, err := openOutput(filepath.Join(s.c.fifoDir(), key), m, s.c, s.limitsOf(m))
	if err != nil {
		return err
	}
	e.o = o
	return nil
}

// finish ends the output called key; one that is not there has ended.
func (s *server) finish(key string, wait time.Duration) error {
	e := s.lock(key)
	defer e.mu.Unlock()
	var err error
	if e.o != nil {
		err = e.o.finish(wait)
		e.o = nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.outputs[key] == e {
		delete(s.outputs, key)
	}
	return err
}

// A process that was killed has its lock for a moment more, and nobody else would start us again.
const (
	dyingTime = time.Second
	lockEvery = 10 * time.Millisecond
)

// awaitLock is lockFile with patience for one who dies.
func awaitLock(ctx context.Context, path string) (*os.File, error) {
	for end := time.Now().Add(dyingTime); ; {
		f, err := lockFile(path)
		if !errors.Is(err, unix.EWOULDBLOCK) || time.Now().After(end) || !pause(ctx, lockEvery) {
			return f, err
		}
	}
}

func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
