package etcd

import (
	"context"
	"fmt"

	"github.com/berth-ecs/berth/store"
)

// Store is a store.Store in etcd.
type Store struct {
	*store.Engine
	status func(ctx context.Context) (Status, error)
	of     members // nil: not of ours
	leader func(ctx context.Context) (string, error)
}

var _ store.Store = (*Store)(nil)

// Open starts or reaches the etcd and returns when the snapshot holds everything that was acknowledged before. ctx
// bounds the opening only.
func Open(ctx context.Context, c Config) (*Store, error) {
	if err := c.complete(); err != nil {
		return nil, err
	}
	s := &Store{}
	var err error
	s.Engine, err = store.Open(c.Schema, store.Options{Now: c.Now, NewID: c.NewID, Ahead: true}, func(sink store.Sink) (store.Backend, error) {
		b, err := connect(ctx, c, sink)
		if err != nil {
			return nil, err
		}
		s.status = b.status
		s.of, _ = b.(members)
		if r, ok := b.(*remote); ok {
			s.leader = r.leader
		}
		return b, nil
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

type backend interface {
	store.Backend
	status(ctx context.Context) (Status, error)
}

func connect(ctx context.Context, c Config, sink store.Sink) (backend, error) {
	if c.DataDir != "" {
		return openEmbedded(ctx, c, sink)
	}
	return openRemote(ctx, c, sink)
}

// Status is what an operator wants to know of the etcd.
type Status struct {
	Version     string
	Revision    int64
	SizeBytes   int64 // of the file
	InUseBytes  int64 // of it, what is not free pages
	QuotaBytes  int64 // 0: unknown (external)
	NoSpace     bool  // writes are refused until there is room
	Leader      bool  // this server's member leads (embedded); false for external
	LastProblem string
}

// Leader is how the server that leads calls itself (Config.Server), of those that share an etcd; "" where none does, and for an embedded one.
func (s *Store) Leader(ctx context.Context) (string, error) {
	if s.leader == nil {
		return "", nil
	}
	name, err := s.leader(ctx)
	if err != nil {
		return "", fmt.Errorf("etcd: who leads: %w", err)
	}
	return name, nil
}

// Status asks the etcd.
func (s *Store) Status(ctx context.Context) (Status, error) {
	st, err := s.status(ctx)
	if err != nil {
		return Status{}, fmt.Errorf("etcd: status: %w", err)
	}
	return st, nil
}
