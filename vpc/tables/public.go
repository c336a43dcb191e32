package tables

import (
	"net/netip"
	"time"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
)

// publicIn counts the public addresses of a block that have records.
var publicIn = store.NewIndex(PublicAddresses, "block", func(a *vpc.PublicAddress) []string { return []string{block(a.Addr).String()} })

// publicSpace are the addresses of the pool.
func publicSpace(tx store.Tx, pool netip.Prefix) space {
	first, n := public(pool)
	return space{
		first: first, n: n,
		free: func(a netip.Addr) (bool, time.Time) {
			r, ok := PublicAddresses.Peek(tx, PublicKey(&vpc.PublicAddress{Addr: a}))
			if !ok {
				return true, time.Time{}
			}
			return r.Owner == "", r.FreedAt
		},
		records: func(b netip.Addr) int { return publicIn.Count(tx, b.String()) },
		resting: func(yield func(netip.Addr, time.Time) bool) {
			if n == 0 {
				return
			}
			last := vpc.Nth(first, n-1)
			for _, r := range restingPublic.List(tx, rests, "") {
				// The pool may have been another one.
				if in := !r.Addr.Less(first) && !last.Less(r.Addr); in && !yield(r.Addr, r.FreedAt) {
					return
				}
			}
		},
	}
}

// TakePublic gives an owner (an interface's or an allocation's id) an address of the pool of public addresses. Its first and last address are
// given to nobody, unless that is all it has. 1 key.
func TakePublic(tx store.Tx, pool netip.Prefix, h vpc.Home, owner string) (netip.Addr, error) {
	a, ok := publicSpace(tx, pool).spare(tx)
	if !ok {
		return netip.Addr{}, refuse("InsufficientAddressCapacity", "Not enough available addresses to satisfy your minimum request.")
	}
	return a, TakeThis(tx, pool, &vpc.PublicAddress{Addr: a, Home: h, Owner: owner})
}

// TakeThis is TakePublic for an address that was asked for. 1 key.
func TakeThis(tx store.Tx, pool netip.Prefix, a *vpc.PublicAddress) error {
	old, taken := PublicAddresses.Get(tx, PublicKey(a))
	if !pool.Contains(a.Addr) || taken && old.Owner != "" {
		return refuse("InvalidAddress.NotFound", "The address '%s' is not available.", a.Addr)
	}
	PublicAddresses.Put(tx, a)
	return nil
}

// FreePublic ends what an owner has of a public address, which then rests; an address that somebody else has stays. 1 key.
func FreePublic(tx store.Tx, a netip.Addr, owner string) {
	old, ok := PublicAddresses.Get(tx, PublicKey(&vpc.PublicAddress{Addr: a}))
	if ok && old.Owner == owner {
		PublicAddresses.Put(tx, &vpc.PublicAddress{Addr: a, Home: old.Home, FreedAt: tx.Now()})
	}
}

func public(pool netip.Prefix) (first netip.Addr, n uint64) {
	if !pool.IsValid() || !pool.Addr().Is4() {
		return netip.Addr{}, 0
	}
	first, n = pool.Masked().Addr(), uint64(1)<<(32-pool.Bits())
	if n > 2 {
		return first.Next(), n - 2
	}
	return first, n
}
