package rules

import (
	"fmt"
	"net/netip"
	"slices"

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

// claims are who has what only one can have: the first id. A second one's is left out, and all else of the VPC goes on.
type claims[K comparable] map[K]string

func (c claims[K]) take(id string, what K) error {
	if other, taken := c[what]; taken && other != id {
		return fmt.Errorf("rules: %s: %v is that of %s", id, what, other)
	}
	c[what] = id
	return nil
}

// usable says whether a gateway's addresses are and are nobody else's.
func usable(n nodeconf.NAT, taken claims[netip.Addr]) error {
	if !n.Public.IsValid() { // it is being made
		return nil
	}
	if !n.Private.Is4() || !n.Public.Is4() {
		return fmt.Errorf("rules: NAT gateway %s: addresses %s and %s", n.ID, n.Private, n.Public)
	}
	if err := taken.take(n.ID, n.Private); err != nil {
		return err
	}
	return taken.take(n.ID, n.Public)
}

// addressed says whether an interface's addresses are what rules can be made of.
func addressed(i nodeconf.Interface) error {
	for _, a := range ownedBy(i) {
		if !a.addr.Is4() {
			return fmt.Errorf("rules: interface %s: address %s", i.ID, a.addr)
		}
	}
	for _, a := range i.Public {
		if !slices.Contains(i.Addresses, a.Private) {
			return fmt.Errorf("rules: interface %s: %s is the public address of %s, which it does not have", i.ID, a.Public, a.Private)
		}
	}
	return nil
}
