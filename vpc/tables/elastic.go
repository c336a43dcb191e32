package tables

import (
	"net/netip"
	"slices"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
)

// Associate gives a private address of an interface the public address of an allocation, in place of any it had, and answers the
// association's id. An allocation that is associated elsewhere moves. The VPC has an internet gateway, which nobody detaches at the same time
// (Changed). 7 keys.
func Associate(tx store.Tx, e *vpc.Elastic, id string, private netip.Addr) (association string, err error) {
	if e.Association != "" {
		Disassociate(tx, e)
	}
	i, err := Interface(tx, e.Home, id)
	if err != nil {
		return "", err
	}
	at := slices.IndexFunc(i.Private, func(p vpc.Private) bool { return p.Addr == private })
	if at < 0 {
		return "", refuse("InvalidParameterValue", "Invalid value '%s' for PrivateIpAddress. The address is not assigned to interface '%s'.", private, i.ID)
	}
	if !ToGateway(tx, i.VPC) {
		return "", refuse("Gateway.NotAttached", "Network %s is not attached to any internet gateway", i.VPC)
	}
	Changed(tx, i.Home, i.VPC)
	unpublish(tx, i, i.Private[at])
	next := *i
	next.Private = slices.Clone(i.Private)
	association = vpc.KindElasticAssoc.NewID(tx.NewID())
	next.Private[at] = vpc.Private{Addr: private, Public: e.Addr, Elastic: e.ID, Association: association}
	Interfaces.Put(tx, &next)
	held := *e
	held.Interface, held.Private, held.Association = i.ID, private, association
	Elastics.Put(tx, &held)
	return association, nil
}

// Disassociate takes the public address of an allocation from the interface that has it. 2 keys.
func Disassociate(tx store.Tx, e *vpc.Elastic) {
	if i, ok := Interfaces.Get(tx, Key(e.Home, e.Interface)); ok {
		next := *i
		next.Private = slices.Clone(i.Private)
		for n, p := range next.Private {
			if p.Elastic == e.ID {
				next.Private[n] = vpc.Private{Addr: p.Addr}
			}
		}
		Interfaces.Put(tx, &next)
	}
	left := *e
	left.Interface, left.Private, left.Association = "", netip.Addr{}, ""
	Elastics.Put(tx, &left)
}
