package dns

import (
	"net/netip"
	"sync"
)

// places are a bounded number of places, of which one address may have only some.
type places struct {
	all, each int

	mu sync.Mutex
	n  int
	by map[netip.Addr]int
}

func newPlaces(all, each int) *places {
	return &places{all: all, each: each, by: map[netip.Addr]int{}}
}

// enter takes a place if there is one.
func (p *places) enter(a netip.Addr) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.n >= p.all || p.by[a] >= p.each {
		return false
	}
	p.n++
	p.by[a]++
	return true
}

func (p *places) leave(a netip.Addr) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.n--
	if p.by[a]--; p.by[a] == 0 {
		delete(p.by, a)
	}
}
