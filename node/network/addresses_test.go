package network

import (
	"net/netip"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestAddressesRest(t *testing.T) {
	now := time.Unix(1000, 0)
	p := newAddressPool(netip.MustParsePrefix("10.0.0.0/29"), 0) // 10.0.0.2 to 10.0.0.6
	var got []netip.Addr
	for range 5 {
		a, err := p.take(now)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, a)
	}
	if got[0].String() != "10.0.0.2" || got[4].String() != "10.0.0.6" {
		t.Errorf("took %v", got)
	}
	if _, err := p.take(now); err == nil {
		t.Error("took a sixth of five")
	}
	p.free(got[3], now)
	p.free(got[1], now.Add(time.Second))
	if a, err := p.take(now.Add(2 * time.Second)); err != nil || a != got[3] {
		t.Errorf("under pressure: %v, %v; want the one that rested longest, %v", a, err, got[3])
	}
	if a, err := p.take(now.Add(time.Second + restTime)); err != nil || a != got[1] {
		t.Errorf("after its rest: %v, %v; want %v", a, err, got[1])
	}
}

// An address has one owner, is never special, and does not return before its rest unless nothing else is left.
func TestAddressPoolProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bits := rapid.IntRange(25, 29).Draw(t, "bits")
		subnet := netip.PrefixFrom(netip.MustParseAddr("10.9.8.0"), bits)
		p := newAddressPool(subnet, rapid.Uint32().Draw(t, "start"))
		capacity := 1<<(32-bits) - 3
		now := time.Unix(0, 0)
		used, freed := map[netip.Addr]bool{}, map[netip.Addr]time.Time{}
		t.Repeat(map[string]func(*rapid.T){
			"take": func(t *rapid.T) {
				resting := 0
				for _, at := range freed {
					if at.Add(restTime).After(now) {
						resting++
					}
				}
				a, err := p.take(now)
				if err != nil {
					if len(used) != capacity {
						t.Fatalf("%v with %d of %d used", err, len(used), capacity)
					}
					return
				}
				if used[a] || !subnet.Contains(a) || a == subnet.Addr() || a == subnet.Addr().Next() || a.Next() == lastOf(subnet).Next() {
					t.Fatalf("took %v", a)
				}
				if at, ok := freed[a]; ok && at.Add(restTime).After(now) && len(used)+resting < capacity {
					t.Fatalf("%v came back before its rest with others free", a)
				}
				used[a] = true
				delete(freed, a)
			},
			"free": func(t *rapid.T) {
				for a := range used {
					p.free(a, now)
					delete(used, a)
					freed[a] = now
					break
				}
			},
			"wait": func(t *rapid.T) { now = now.Add(time.Duration(rapid.IntRange(1, 90).Draw(t, "s")) * time.Second) },
		})
	})
}

func lastOf(p netip.Prefix) netip.Addr {
	a := p.Addr()
	for p.Contains(a.Next()) {
		a = a.Next()
	}
	return a
}
