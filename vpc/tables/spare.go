package tables

import (
	"iter"
	"net/netip"
	"time"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
)

// space is a range of addresses that have records while somebody has them and while they rest.
type space struct {
	first   netip.Addr
	n       uint64
	free    func(a netip.Addr) (free bool, since time.Time) // an address without a record is free since the zero time
	records func(block netip.Addr) int                      // how many records a block has
	resting iter.Seq2[netip.Addr, time.Time]                // the records of free addresses
}

const (
	// tries is how many addresses are looked at by chance: they find one unless nearly all have records.
	tries = 16
	// blockBits are those of the blocks whose records are counted.
	blockBits = 24
	blockSize = 1 << (32 - blockBits)
)

// block is the first address of the block that an address is in, as the indexes have it.
func block(a netip.Addr) netip.Addr {
	return netip.PrefixFrom(a, blockBits).Masked().Addr()
}

// spare is an address that nobody has: one that nobody had or that has rested, else the one that is free for longest. However full the range is, it
// looks at few addresses by chance, then at the number of records of blocks and into one that has room, and at those that rest only when every
// address has a record. Those who look at the same time look at different ones.
func (s space) spare(tx store.Tx) (netip.Addr, bool) {
	left := tries
	for i := range vpc.Walk(tx.NewID(), s.n) {
		a := vpc.Nth(s.first, i)
		if free, since := s.free(a); free && tx.Now().Sub(since) >= vpc.RestTime {
			return a, true
		}
		if left--; left == 0 {
			break
		}
	}
	if a, ok := s.unknown(tx); ok {
		return a, true
	}
	return s.rested()
}

// unknown is an address without a record.
func (s space) unknown(tx store.Tx) (netip.Addr, bool) {
	if s.n == 0 {
		return netip.Addr{}, false
	}
	start, last := block(s.first), vpc.Nth(s.first, s.n-1)
	blocks := (distance(start, last) + blockSize) / blockSize
	for i := range vpc.Walk(tx.NewID(), blocks) {
		from := vpc.Nth(start, i*blockSize)
		to := vpc.Nth(from, blockSize-1)
		b := from
		if from.Less(s.first) {
			from = s.first
		}
		if last.Less(to) {
			to = last
		}
		size := distance(from, to) + 1
		if uint64(s.records(b)) >= size {
			continue
		}
		for j := range vpc.Walk(tx.NewID(), size) {
			a := vpc.Nth(from, j)
			if free, since := s.free(a); free && since.IsZero() {
				return a, true
			}
		}
	}
	return netip.Addr{}, false
}

// rested is the address that is free for longest.
func (s space) rested() (longest netip.Addr, ok bool) {
	var at time.Time
	for a, since := range s.resting {
		if !ok || since.Before(at) {
			longest, at, ok = a, since, true
		}
	}
	return longest, ok
}

// distance is how many addresses b comes after a.
func distance(a, b netip.Addr) uint64 {
	n := uint64(0)
	x, y := a.As4(), b.As4()
	for i := range x {
		n = n<<8 + uint64(y[i]) - uint64(x[i])
	}
	return n
}
