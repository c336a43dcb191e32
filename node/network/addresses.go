package network

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"
)

// restTime keeps a freed address out of use, so that peers which still send to it do not reach a stranger.
const restTime = 2 * time.Minute

// addressPool hands out the addresses of a subnet in turn. A freed address rests; when nothing else is left, the one
// that rested longest goes first, because a task that cannot start is worse than a short rest. Not safe for concurrent use.
type addressPool struct {
	subnet  netip.Prefix
	base    uint32
	size    uint32 // offsets 2 to size-2 may be given out: not the network, the gateway or the broadcast address
	cursor  uint32
	used    map[netip.Addr]bool
	resting map[netip.Addr]bool
	queue   []restingAddr // oldest first
}

type restingAddr struct {
	addr  netip.Addr
	until time.Time
}

// newAddressPool begins at the given offset: a random one makes up for the rest periods a restart forgets.
func newAddressPool(subnet netip.Prefix, start uint32) *addressPool {
	b := subnet.Addr().As4()
	size := uint32(1) << (32 - subnet.Bits())
	return &addressPool{
		subnet: subnet, base: binary.BigEndian.Uint32(b[:]), size: size, cursor: start % (size - 3),
		used: map[netip.Addr]bool{}, resting: map[netip.Addr]bool{},
	}
}

func (p *addressPool) at(offset uint32) netip.Addr {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], p.base+2+offset)
	return netip.AddrFrom4(b)
}

// claim marks an address an earlier process gave out.
func (p *addressPool) claim(a netip.Addr) { p.used[a] = true }

func (p *addressPool) take(now time.Time) (netip.Addr, error) {
	for len(p.queue) > 0 && !p.queue[0].until.After(now) {
		p.wake()
	}
	capacity := p.size - 3
	if uint32(len(p.used)) >= capacity {
		return netip.Addr{}, fmt.Errorf("network: no free address in %s: all %d are in use", p.subnet, capacity)
	}
	if uint32(len(p.used)+len(p.resting)) >= capacity {
		a := p.wake()
		p.used[a] = true
		return a, nil
	}
	for {
		a := p.at(p.cursor)
		p.cursor = (p.cursor + 1) % capacity
		if !p.used[a] && !p.resting[a] {
			p.used[a] = true
			return a, nil
		}
	}
}

func (p *addressPool) wake() netip.Addr {
	a := p.queue[0].addr
	p.queue = p.queue[1:]
	delete(p.resting, a)
	return a
}

func (p *addressPool) free(a netip.Addr, now time.Time) {
	if !p.used[a] {
		return
	}
	delete(p.used, a)
	p.resting[a] = true
	p.queue = append(p.queue, restingAddr{a, now.Add(restTime)})
}
