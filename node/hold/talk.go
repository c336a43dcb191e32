package hold

import (
	"context"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/berth-ecs/berth/internal/failpoint"
	"github.com/berth-ecs/berth/node/hold/logfile"
)

const (
	maxCloseWait = time.Minute
	shimLogWait  = time.Second // its shim has ended
)

// talk answers one request.
func (s *server) talk(ctx context.Context, c *net.UnixConn) error {
	var req request
	handed, err := receive(c, &req)
	if err != nil {
		return err
	}
	a := answer{Version: Version, Pid: os.Getpid()}
	var give *os.File
	switch {
	case req.Op == opQuit:
		defer s.quit()
	case req.Version != Version && req.Op != opHello:
		a.Error = fmt.Sprintf("hold: version %d was asked of version %d", req.Version, Version)
	default:
		if give, err = s.handle(req, handed, &a); err != nil {
			a.Error = err.Error()
		}
	}
	if handed != nil && (req.Op != opKeep || a.Error != "") {
		handed.Close()
	}
	if err := send(c, a, give); err != nil {
		return err
	}
	if req.Op == opWatch {
		stop := context.AfterFunc(ctx, func() { c.Close() })
		defer stop()
		var b [1]byte
		_, _ = c.Read(b[:]) // until either side ends
	}
	return nil
}

func (s *server) handle(req request, handed *os.File, a *answer) (give *os.File, err error) {
	switch req.Op {
	case opHello:
		s.mu.Lock()
		defer s.mu.Unlock()
		a.Keys, a.More = page(slices.Sorted(maps.Keys(s.listeners)), req.Key)
		return nil, nil
	case opWatch:
		return nil, nil
	case opOpen:
		return nil, s.openContainer(req, a)
	case opClose:
		wait := min(time.Duration(req.WaitMS)*time.Millisecond, maxCloseWait)
		return nil, s.finish(req.Container, wait)
	case opLog:
		key := shimPrefix + req.ID
		a.Path = filepath.Join(s.c.fifoDir(), key, logfile.Stderr)
		return nil, s.open(key, meta{Task: req.ID, Name: shimLog, Streams: []string{logfile.Stderr}})
	case opLogDone:
		return nil, s.finish(shimPrefix+req.ID, shimLogWait)
	case opRemove:
		return nil, s.remove(req.Task)
	case opKeep:
		return nil, s.keep(req.Key, handed)
	case opListener:
		s.mu.Lock()
		defer s.mu.Unlock()
		give = s.listeners[req.Key]
		a.Found = give != nil
		return give, nil
	case opForget:
		return nil, s.forget(req.Key)
	}
	return nil, fmt.Errorf("hold: unknown request %q", req.Op)
}

func (s *server) openContainer(req request, a *answer) error {
	task, _, ok := strings.Cut(req.Container, "-")
	if !ok || strings.HasPrefix(req.Container, shimPrefix) {
		return fmt.Errorf("hold: container id %q must be the task id, a dash and a number", req.Container)
	}
	dir := filepath.Join(s.c.fifoDir(), req.Container)
	a.Stdout, a.Stderr = filepath.Join(dir, logfile.Stdout), filepath.Join(dir, logfile.Stderr)
	return s.open(req.Container, meta{Task: task, Name: req.Name, Streams: []string{logfile.Stdout, logfile.Stderr}})
}

func (s *server) remove(task string) error {
	defer failpoint.Around(failpoint.HoldRemove)()
	if !idRule.MatchString(task) {
		return fmt.Errorf("hold: task %q must be letters, digits, - and _", task)
	}
	return os.RemoveAll(filepath.Join(s.c.LogDir(), task))
}

func (s *server) keep(key string, f *os.File) error {
	defer failpoint.Around(failpoint.HoldKeep)()
	if f == nil {
		return fmt.Errorf("hold: keep %q: no socket came with it", key)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if old := s.listeners[key]; old != nil {
		old.Close()
	}
	s.listeners[key] = f
	return nil
}

func (s *server) forget(key string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.listeners[key]
	if f == nil {
		return nil
	}
	delete(s.listeners, key)
	return f.Close()
}

// page is what of keys in order comes behind one, as far as a message holds it, and whether that is not all.
func page(keys []string, after string) ([]string, bool) {
	at, found := slices.BinarySearch(keys, after)
	if found {
		at++
	}
	keys = keys[at:]
	size := 0
	for i, k := range keys {
		if size += len(k) + len(`"",`); i > 0 && size > maxKeys {
			return keys[:i], true
		}
	}
	return keys, false
}
