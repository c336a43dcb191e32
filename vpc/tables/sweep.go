package tables

import (
	"iter"
	"strings"
	"time"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
)

// MaxSwept is how many records a transaction of the sweeper compares and deletes.
const MaxSwept = 45

// The indexes of what rests.
const rests = "rests"

var (
	restingAddresses = store.NewIndex(Addresses, rests, func(a *vpc.Address) []string { return when(a.Interface == "") })
	restingPublic    = store.NewIndex(PublicAddresses, rests, func(a *vpc.PublicAddress) []string { return when(a.Owner == "") })
)

func when(yes bool) []string {
	if yes {
		return []string{rests}
	}
	return nil
}

// A Kind of records that end by themselves.
type Kind interface {
	// Over lists the keys of those that are over, and when the next one is; the zero time is never.
	Over(tx store.Tx) (keys []string, next time.Time)
	// Forget deletes one if it still is over. It compares 1 key and writes at most 2.
	Forget(tx store.Tx, key string)
}

// Kinds are all of them: addresses that have rested, NAT gateways that were deleted, client tokens.
func Kinds() map[string]Kind {
	return map[string]Kind{
		"addresses": ending[vpc.Address]{
			table: Addresses, list: func(tx store.Tx) iter.Seq2[string, *vpc.Address] { return restingAddresses.List(tx, rests, "") },
			end: func(_ store.Tx, a *vpc.Address) (time.Time, bool) {
				return a.FreedAt.Add(vpc.RestTime), a.Interface == ""
			},
		},
		"public addresses": ending[vpc.PublicAddress]{
			table: PublicAddresses, list: func(tx store.Tx) iter.Seq2[string, *vpc.PublicAddress] { return restingPublic.List(tx, rests, "") },
			end: func(_ store.Tx, a *vpc.PublicAddress) (time.Time, bool) {
				return a.FreedAt.Add(vpc.RestTime), a.Owner == ""
			},
		},
		"NAT gateways": ending[vpc.NATGateway]{
			table: NATGateways, list: func(tx store.Tx) iter.Seq2[string, *vpc.NATGateway] { return NATGateways.List(tx, "", "") },
			end: func(_ store.Tx, n *vpc.NATGateway) (time.Time, bool) {
				return n.DeletedAt.Add(vpc.DeletedLife), !n.DeletedAt.IsZero()
			},
			also: func(tx store.Tx, n *vpc.NATGateway) { Tags.Delete(tx, Key(n.Home, n.ID)) },
		},
		"client tokens": ending[vpc.Token]{
			table: Tokens, list: func(tx store.Tx) iter.Seq2[string, *vpc.Token] { return Tokens.List(tx, "", "") },
			end: func(_ store.Tx, t *vpc.Token) (time.Time, bool) { return t.At.Add(vpc.TokenLife), true },
		},
	}
}

// ending is a Kind of a table.
type ending[T any] struct {
	table *store.Table[T]
	list  func(tx store.Tx) iter.Seq2[string, *T] // at least those that end
	end   func(tx store.Tx, r *T) (at time.Time, ends bool)
	also  func(tx store.Tx, r *T) // optional: what goes with it
}

// Over implements Kind.
func (e ending[T]) Over(tx store.Tx) (keys []string, next time.Time) {
	for key, r := range e.list(tx) {
		at, ends := e.end(tx, r)
		switch {
		case !ends:
		case !at.After(tx.Now()):
			keys = append(keys, key)
		case next.IsZero() || at.Before(next):
			next = at
		}
	}
	return keys, next
}

// Forget implements Kind.
func (e ending[T]) Forget(tx store.Tx, key string) {
	r, ok := e.table.Get(tx, key)
	if !ok {
		return
	}
	if at, ends := e.end(tx, r); !ends || at.After(tx.Now()) {
		return
	}
	e.table.Delete(tx, key)
	if e.also != nil {
		e.also(tx, r)
	}
}

// Orphan is a security group that is gone and has rules.
type Orphan struct {
	Home  vpc.Home
	Group string
}

// Orphans are all of them: their deletion was cut off.
func Orphans(tx store.Tx) map[Orphan]bool {
	found := map[Orphan]bool{}
	for _, r := range Rules.List(tx, "", "") {
		if _, ok := SecurityGroups.Peek(tx, Key(r.Home, r.Group)); !ok {
			found[Orphan{r.Home, r.Group}] = true
		}
	}
	return found
}

// IsNAT says whether an owner of an interface is a NAT gateway.
func IsNAT(owner string) bool { return strings.HasPrefix(owner, vpc.KindNATGateway.Prefix+"-") }

// NATLives says whether a NAT gateway is there and was not deleted. 1 key.
func NATLives(tx store.Tx, h vpc.Home, id string) bool {
	n, ok := NATGateways.Get(tx, Key(h, id))
	return ok && n.DeletedAt.IsZero()
}
