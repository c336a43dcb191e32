package tables

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
	"github.com/berth-ecs/berth/vpc"
)

// A subnet or pool in which nobody has only a few addresses gives exactly those, each once, and looks at few of the others; then it is full.
func TestTheLastAddressesAreFound(t *testing.T) {
	for _, cidr := range []string{"10.0.0.0/16", "10.0.3.128/25", "10.0.7.240/28"} {
		t.Run(cidr, func(t *testing.T) {
			s := mem.Open(Schema(), mem.Options{})
			defer s.Close()
			network(t, s, cidr)
			first, n := vpc.Usable(netip.MustParsePrefix(cidr))
			left := map[netip.Addr]bool{first: true, vpc.Nth(first, n-1): true, vpc.Nth(first, n/2): true}
			fill(t, s, first, n, left)
			for range len(left) {
				i, err := attach(t, s, Spec{Subnet: "subnet-0", Groups: []string{"sg-1"}})
				must(t, err)
				if a := i.Private[0].Addr; !left[a] {
					t.Errorf("%s was not free, or is given twice", a)
				} else {
					delete(left, a)
				}
			}
			if i, err := attach(t, s, Spec{Subnet: "subnet-0", Groups: []string{"sg-1"}}); err == nil {
				t.Errorf("a full subnet gave %s", i.Private[0].Addr)
			}
		})
	}
}

// fill gives everything in a range but some addresses to somebody.
func fill(t testing.TB, s *mem.Store, first netip.Addr, n uint64, but map[netip.Addr]bool) {
	t.Helper()
	for i := uint64(0); i < n; {
		must(t, s.Update(t.Context(), func(tx store.Tx) error {
			for end := min(n, i+80); i < end; i++ {
				if a := vpc.Nth(first, i); !but[a] {
					Addresses.Put(tx, &vpc.Address{Home: home, Subnet: "subnet-0", Addr: a, Interface: "eni-0"})
				}
			}
			return nil
		}))
	}
}

// Whatever is taken and rests, what is given is free; it is one that has not rested only when there is no other, and then the one that is free for longest.
func TestSpareAddresses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		prefix := netip.PrefixFrom(netip.MustParseAddr("10.0.4.0"), rapid.IntRange(22, 28).Draw(t, "bits"))
		first, n := vpc.Usable(prefix)
		freed := map[netip.Addr]time.Time{}
		taken := map[netip.Addr]bool{}
		busy := rapid.IntRange(0, 100).Draw(t, "busy")
		seed := rapid.Uint64().Draw(t, "seed")
		for i := range n {
			a := vpc.Nth(first, i)
			switch dice := (seed ^ i*2654435761) % 100; {
			case int(dice) < busy:
				taken[a] = true
			case dice%3 == 0 || busy == 100:
				freed[a] = now.Add(-time.Duration((seed+i*7919)%120) * time.Second)
			}
		}
		s := space{
			first: first, n: n,
			free:    func(a netip.Addr) (bool, time.Time) { return !taken[a], freed[a] },
			records: func(b netip.Addr) int { return countIn(taken, freed, b) },
			resting: func(yield func(netip.Addr, time.Time) bool) {
				for a, at := range freed {
					if !yield(a, at) {
						return
					}
				}
			},
		}
		checkSpare(t, s, now, taken, freed)
	})
}

func countIn(taken map[netip.Addr]bool, freed map[netip.Addr]time.Time, b netip.Addr) (n int) {
	for a := range taken {
		if block(a) == b {
			n++
		}
	}
	for a := range freed {
		if block(a) == b {
			n++
		}
	}
	return n
}

func checkSpare(t *rapid.T, s space, now time.Time, taken map[netip.Addr]bool, freed map[netip.Addr]time.Time) {
	m := mem.Open(Schema(), mem.Options{Now: func() time.Time { return now }})
	defer m.Close()
	err := m.Update(t.Context(), func(tx store.Tx) error {
		a, ok := s.spare(tx)
		if full := uint64(len(taken)) == s.n; ok == full {
			return fmt.Errorf("found %v (%s), full %v", ok, a, full)
		}
		if !ok {
			return nil
		}
		since, rests := freed[a]
		switch {
		case taken[a] || distance(s.first, a) >= s.n:
			return fmt.Errorf("%s is not free", a)
		case !rests || now.Sub(since) >= vpc.RestTime:
			return nil
		case uint64(len(taken)+len(freed)) < s.n:
			return fmt.Errorf("%s rests, and there are others that nobody had", a)
		}
		for _, at := range freed {
			if at.Before(since) {
				return fmt.Errorf("%s is free since %v, another since %v", a, since, at)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
