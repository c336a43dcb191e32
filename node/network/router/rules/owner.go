package rules

import (
	"fmt"
	"net/netip"

	"github.com/berth-ecs/berth/nodeconf"
)

// owned is an address that one interface has at most: with two, the kernel would refuse the transaction, and with it everything of the VPC.
type owned struct {
	addr   netip.Addr
	public bool
}

func ownedBy(i nodeconf.Interface) []owned {
	var out []owned
	for _, a := range i.Addresses {
		out = append(out, owned{a, false})
	}
	for _, a := range i.Public {
		out = append(out, owned{a.Public, true})
	}
	return out
}

// own takes an interface's addresses, all of them or none.
func (p *Plan) own(i nodeconf.Interface) error {
	seen := map[owned]bool{}
	for _, a := range ownedBy(i) {
		if other, taken := p.owners[a]; taken && other != i.ID {
			return fmt.Errorf("rules: interface %s: address %s is that of %s", i.ID, a.addr, other)
		}
		if seen[a] {
			return fmt.Errorf("rules: interface %s has address %s twice", i.ID, a.addr)
		}
		seen[a] = true
	}
	for a := range seen {
		p.owners[a] = i.ID
	}
	return nil
}

// disown gives back the addresses that an interface has as it was rendered.
func (p *Plan) disown(id string) {
	for _, a := range ownedBy(p.ifaces[id]) {
		if p.owners[a] == id {
			delete(p.owners, a)
		}
	}
}
