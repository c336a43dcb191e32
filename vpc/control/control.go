// Package control runs the loops of the VPC wing: they take away what nothing needs any more.
//
// Guarantees:
//
//   - An interface goes when what it was made for is gone, whoever forgot to release it, and never before: whether it is gone is decided in the
//     transaction that deletes it.
//   - Addresses that have rested, deleted NAT gateways, client tokens and rules of deleted groups are forgotten.
//   - Everything is done in steps that may be cut off anywhere, and is found again at the next start.
package control

import (
	"context"
	"errors"
	"log/slog"

	"github.com/berth-ecs/berth/loop"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
)

// Owners tells of what another wing has interfaces for.
type Owners interface {
	// Tables are the names of the tables by which an owner's end is seen.
	Tables() []string
	// Ended answers an owner that a change of those tables ended.
	Ended(c store.Change) (h vpc.Home, owner string, ok bool)
	// Owned says whether an interface's owner needs it; true for owners that it does not know. It compares what it reads, at most 2 keys.
	Owned(tx store.Tx, i *vpc.Interface) bool
}

// Config describes the loops.
type Config struct {
	Owners  Owners        // required
	Log     *slog.Logger  // optional
	Metrics *loop.Metrics // optional
}

// Loops are the wing's loops, ready to run.
type Loops struct{ Config }

// New checks the configuration.
func New(c Config) (*Loops, error) {
	if c.Owners == nil {
		return nil, errors.New("vpc: control: Owners is required")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Loops{c}, nil
}

// Run runs the loops on a store that leads, until ctx ends (nil) or leadership does (the error).
func (l *Loops) Run(ctx context.Context, s store.Store) error {
	return loop.RunAll(ctx, l.Log, l.Metrics, owned{l, s}.config(), (&ageing{Loops: l, store: s}).config())
}
