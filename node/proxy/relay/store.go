package relay

import (
	"context"
	"log/slog"
	"maps"
	"sync"
)

// store is what servers said, in memory and, a moment later, on disk.
type store struct {
	shelf shelf
	log   *slog.Logger
	bell  chan struct{}

	mu    sync.Mutex
	all   map[Key]Resource
	dirty map[Key]bool // differ from the shelf
}

func openStore(s shelf, log *slog.Logger) (*store, error) {
	all, err := s.load()
	return &store{shelf: s, log: log, bell: make(chan struct{}, 1), all: all, dirty: map[Key]bool{}}, err
}

// apply takes a change, and answers what differs now.
func (s *store) apply(set []Resource, gone []Key) (changed []Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range set {
		if old, ok := s.all[r.Key]; !ok || old.Version != r.Version {
			s.all[r.Key], s.dirty[r.Key] = r, true
			changed = append(changed, r.Key)
		}
	}
	for _, k := range gone {
		if _, ok := s.all[k]; ok {
			delete(s.all, k)
			s.dirty[k] = true
			changed = append(changed, k)
		}
	}
	if len(changed) > 0 {
		ring(s.bell)
	}
	return changed
}

func (s *store) snapshot() map[Key]Resource {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.all)
}

// versions is what is there of a type, by name.
func (s *store) versions(of string) map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]string{}
	for k, r := range s.all {
		if k.Type == of {
			out[k.Name] = r.Version
		}
	}
	return out
}

// keep writes what changes to disk until ctx ends.
func (s *store) keep(ctx context.Context) error {
	for {
		s.flush()
		select {
		case <-s.bell:
		case <-ctx.Done():
			s.flush()
			return nil
		}
	}
}

func (s *store) flush() {
	s.mu.Lock()
	dirty := s.dirty
	s.dirty = map[Key]bool{}
	now := maps.Clone(s.all)
	s.mu.Unlock()
	for k := range dirty {
		var err error
		if r, ok := now[k]; ok {
			err = s.shelf.put(r)
		} else {
			err = s.shelf.drop(k)
		}
		if err != nil { // a full disk: servers say it again when this process begins anew
			s.log.Warn("what the proxy is told is not kept", "resource", k.Name, "error", err)
		}
	}
}

// ring wakes who waits; once is enough.
func ring(bell chan struct{}) {
	select {
	case bell <- struct{}{}:
	default:
	}
}
