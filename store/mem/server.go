package mem

import (
	"context"
	"fmt"

	"github.com/berth-ecs/berth/store"
)

// server is the Backend of one Store. Its fields after faults are guarded by the space's lock.
type server struct {
	space  *space
	sink   store.Sink
	faults Faults
	paused bool
	held   []delivery
	at     int64 // revision the sink has
}

// delivery is one commit that a paused feed holds back.
type delivery struct {
	revision int64
	events   []store.KV
}

const leaderKey = "l/leader"

// Commit implements store.Backend.
func (s *server) Commit(ctx context.Context, t store.Txn) (int64, bool, error) {
	if err := s.delay(ctx); err != nil {
		return 0, false, err
	}
	sp := s.space
	sp.mu.Lock()
	defer sp.mu.Unlock()
	if t.Leader != nil && !sp.holds(*t.Leader) {
		return 0, false, store.ErrNotLeader
	}
	if s.faults.Conflict != nil && s.faults.Conflict(t) {
		return sp.revision, false, nil
	}
	for _, g := range t.Guards {
		if !sp.holds(g) {
			return sp.revision, false, nil
		}
	}
	sp.deliver(sp.commit(t.Writes))
	return sp.revision, true, nil
}

// Revision implements store.Backend.
func (s *server) Revision(ctx context.Context) (int64, error) {
	if err := s.delay(ctx); err != nil {
		return 0, err
	}
	s.space.mu.Lock()
	defer s.space.mu.Unlock()
	return s.space.revision, nil
}

func (s *server) delay(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if s.faults.Delay == nil {
		return nil
	}
	return s.faults.Delay(ctx)
}

// Lead implements store.Backend: whoever has the token leads, and writes the guard key anew.
func (s *server) Lead(ctx context.Context, run func(ctx context.Context, leader store.Guard) error) error {
	select {
	case <-ctx.Done():
		return nil
	case <-s.space.leading:
	}
	defer func() { s.space.leading <- struct{}{} }()
	sp := s.space
	sp.mu.Lock()
	sp.deliver(sp.commit([]store.Write{{Key: leaderKey, Value: []byte("mem")}}))
	guard := store.Guard{Key: leaderKey, Mod: sp.revision}
	sp.mu.Unlock()
	if err := run(ctx, guard); err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}

// Close implements store.Backend.
func (s *server) Close() error {
	s.space.mu.Lock()
	defer s.space.mu.Unlock()
	delete(s.space.servers, s)
	return nil
}

// receive is called with the space's lock held.
func (s *server) receive(d delivery) {
	if s.paused {
		s.held = append(s.held, d)
		return
	}
	if d.revision <= s.at {
		return // a Reset has delivered it
	}
	s.at = d.revision
	var err error
	if s.faults.LoseWatch != nil && s.faults.LoseWatch(d.revision) {
		s.at = s.space.revision
		err = s.sink.Reset(s.at, s.space.all())
	} else {
		err = s.sink.Apply(d.revision, d.events)
	}
	if err != nil {
		s.sink.Fail(fmt.Errorf("mem: feed: %w", err))
	}
}

func (s *server) pause(on bool) {
	s.space.mu.Lock()
	defer s.space.mu.Unlock()
	s.paused = on
	held := s.held
	if !on {
		s.held = nil
		for _, d := range held {
			s.receive(d)
		}
	}
}
