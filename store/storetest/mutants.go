package storetest

import (
	"context"
	"strings"
	"sync/atomic"

	"github.com/berth-ecs/berth/store"
)

// Mutant breaks one guarantee of an implementation that keeps it. The suite must fail on every one.
type Mutant struct {
	Name    string
	Backend func(store.Backend) store.Backend // nil: as it is
	Sink    func(store.Sink) store.Sink       // nil: as it is
}

// Mutants are the known-bad implementations.
func Mutants() []Mutant {
	return []Mutant{
		{Name: "drops every guard", Backend: commits(func(t *store.Txn) { t.Guards = nil })},
		{Name: "drops the guard of absence", Backend: commits(func(t *store.Txn) { t.Guards = keepGuards(t.Guards, isPresence) })},
		{Name: "drops the last guard", Backend: commits(func(t *store.Txn) { t.Guards = t.Guards[:max(0, len(t.Guards)-1)] })},
		{Name: "drops the fence", Backend: commits(func(t *store.Txn) { t.Guards = keepGuards(t.Guards, isRecord) })},
		{Name: "drops the leader's guard", Backend: commits(func(t *store.Txn) { t.Leader = nil })},
		{Name: "writes without the last key", Backend: commits(func(t *store.Txn) { t.Writes = t.Writes[:max(1, len(t.Writes)-1)] })},
		{Name: "reads a stale revision", Backend: func(b store.Backend) store.Backend { return staleReader{b} }},
		{Name: "answers before the snapshot is there", Backend: func(b store.Backend) store.Backend { return hasty{b} }},
		{Name: "loses an event now and then", Sink: func(s store.Sink) store.Sink { return &lossy{Sink: s} }},
		{Name: "loses deletions", Sink: func(s store.Sink) store.Sink { return undeleting{s} }},
		{Name: "tears a commit in two", Sink: func(s store.Sink) store.Sink { return tearing{s} }},
	}
}

func isPresence(g store.Guard) bool { return g.Mod != 0 }
func isRecord(g store.Guard) bool   { return strings.HasPrefix(g.Key, "t/") }

func keepGuards(gs []store.Guard, keep func(store.Guard) bool) []store.Guard {
	var out []store.Guard
	for _, g := range gs {
		if keep(g) {
			out = append(out, g)
		}
	}
	return out
}

// commits changes each transaction on its way.
func commits(change func(*store.Txn)) func(store.Backend) store.Backend {
	return func(b store.Backend) store.Backend { return changed{b, change} }
}

type changed struct {
	store.Backend
	change func(*store.Txn)
}

func (c changed) Commit(ctx context.Context, t store.Txn) (int64, bool, error) {
	c.change(&t)
	return c.Backend.Commit(ctx, t)
}

type staleReader struct{ store.Backend }

func (s staleReader) Revision(ctx context.Context) (int64, error) {
	_, err := s.Backend.Revision(ctx)
	return 0, err
}

type hasty struct{ store.Backend }

func (h hasty) Commit(ctx context.Context, t store.Txn) (int64, bool, error) {
	_, ok, err := h.Backend.Commit(ctx, t)
	return 0, ok, err
}

type lossy struct {
	store.Sink
	n atomic.Int64
}

func (l *lossy) Apply(revision int64, events []store.KV) error {
	if l.n.Add(1)%7 == 0 {
		events = nil
	}
	return l.Sink.Apply(revision, events)
}

type undeleting struct{ store.Sink }

func (u undeleting) Apply(revision int64, events []store.KV) error {
	var kept []store.KV
	for _, e := range events {
		if e.Value != nil {
			kept = append(kept, e)
		}
	}
	return u.Sink.Apply(revision, kept)
}

type tearing struct{ store.Sink }

func (t tearing) Apply(revision int64, events []store.KV) error {
	half := len(events) / 2
	if err := t.Sink.Apply(revision-1, events[:half]); err != nil {
		return err
	}
	return t.Sink.Apply(revision, events[half:])
}
