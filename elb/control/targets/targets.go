// Package targets follows the targets of load balancers: what nodes say of them, how long they drain, and what is left of what is gone.
//
// Guarantees:
//
//   - A draining target goes when every node that serves its group has said that nothing of it is in flight there, when no load balancer has the group in
//     use any more, or when its group's deregistration delay is over, whichever is first, and never before. The delay counts from the deregistration,
//     whoever leads since.
//   - A target whose group or owner is gone goes at once. So does what a node said, when the node is gone; of a target that is gone, when the node had
//     time to hear of it.
//   - A node is heard of parts only that are on its machine. Only what changed is written, in transactions that have room for it.
//   - Everything is done in steps that may be cut off anywhere, and is found again at the next start.
package targets

import (
	"context"
	"errors"
	"log/slog"

	"github.com/berth-ecs/berth/elb/tables"
	"github.com/berth-ecs/berth/loop"
	"github.com/berth-ecs/berth/store"
)

// Owners tells of what another wing has targets for.
type Owners interface {
	// Tables are the names of the tables by which an owner's end is seen.
	Tables() []string
	// Ended answers an owner that a change of those tables ended.
	Ended(c store.Change) (owner string, ok bool)
	// Alive says whether an owner is still there; true for owners that it does not know. It compares what it reads, at most 2 keys.
	Alive(tx store.Tx, owner string) bool
}

// Config describes the loops.
type Config struct {
	Owners  Owners        // required
	Log     *slog.Logger  // optional
	Metrics *loop.Metrics // optional
}

// Loops are ready to run.
type Loops struct{ Config }

// New checks the configuration.
func New(c Config) (*Loops, error) {
	if c.Owners == nil {
		return nil, errors.New("elb: targets: Owners is required")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Loops{c}, nil
}

// Run runs the loops on a store that leads, until ctx ends (nil) or leadership does (the error).
func (l *Loops) Run(ctx context.Context, s store.Store) error {
	return loop.RunAll(ctx, l.Log, l.Metrics, draining{l, s}.config(), newWords(s).config())
}

// keysOf are the keys of the targets of a group that are to be looked at: those that drain, or all.
func keysOf(tx store.Tx, group string, all bool) (keys []string) {
	if !all && tables.TargetsDraining.Count(tx, "") == 0 {
		return nil
	}
	for key, t := range tables.TargetsByGroup.List(tx, group, "") {
		if all || !t.DrainingSince.IsZero() {
			keys = append(keys, key)
		}
	}
	return keys
}
