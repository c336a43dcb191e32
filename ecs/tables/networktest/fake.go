// Package networktest has a virtual network in memory for the tests of what starts and ends tasks, and the conformance suite of the port that it
// implements.
//
// The double is hostile: it gives the first free address of a subnet, so that launches at the same time want the same one.
package networktest

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
)

// Interface is an interface of the double.
type Interface struct {
	ecs.InterfaceWish
	ID   string
	Addr netip.Addr
}

// Address says who has an address.
type Address struct {
	ecs.Home
	Subnet    string
	Addr      netip.Addr
	Interface string
}

// The tables of the double.
var (
	Interfaces = store.Define(store.Def[Interface]{Name: "networktest.interface", Version: 1,
		Key: func(i *Interface) string { return tables.At(i.Home).Key(i.ID) }})
	addresses = store.Define(store.Def[Address]{Name: "networktest.address", Version: 1,
		Key: func(a *Address) string { return tables.At(a.Home).Key(a.Subnet, a.Addr.String()) }})
)

// Schema is every table of the double.
func Schema() store.Schema { return store.Schema{Interfaces, addresses} }

// Network is a virtual network in memory. Subnets have addresses for as many interfaces as Free says; the nth is 10.0.n.0/24.
type Network struct {
	Subnets []ecs.Subnet
	Groups  []ecs.SecurityGroup
}

var _ tables.Network = Network{}

// Find implements tables.Network.
func (n Network) Find(tx store.Tx, h ecs.Home, subnets, groups []string) ([]ecs.Subnet, []ecs.SecurityGroup) {
	var found []ecs.Subnet
	for _, id := range subnets {
		if i := n.index(id); i >= 0 {
			s := n.Subnets[i]
			for range addresses.List(tx, tables.At(h).Prefix(id), "") {
				s.Free--
			}
			found = append(found, s)
		}
	}
	var known []ecs.SecurityGroup
	for _, id := range groups {
		if i := slices.IndexFunc(n.Groups, func(g ecs.SecurityGroup) bool { return g.ID == id }); i >= 0 {
			known = append(known, n.Groups[i])
		}
	}
	return found, known
}

// Attach implements tables.Network.
func (n Network) Attach(tx store.Tx, w ecs.InterfaceWish) (*ecs.Interface, error) {
	i := n.index(w.Subnet)
	if i < 0 {
		return nil, fmt.Errorf("networktest: no subnet %s", w.Subnet)
	}
	id := "eni-" + tx.NewID()[:17]
	for host := range n.Subnets[i].Free {
		a := &Address{Home: w.Home, Subnet: w.Subnet, Addr: netip.AddrFrom4([4]byte{10, 0, byte(i), byte(4 + host)}), Interface: id}
		if _, taken := addresses.Get(tx, tables.At(w.Home).Key(w.Subnet, a.Addr.String())); taken {
			continue
		}
		addresses.Put(tx, a)
		Interfaces.Put(tx, &Interface{InterfaceWish: w, ID: id, Addr: a.Addr})
		return n.made(i, id, a.Addr), nil
	}
	return nil, fmt.Errorf("networktest: %s is full", w.Subnet)
}

func (n Network) made(subnet int, id string, a netip.Addr) *ecs.Interface {
	b := a.As4()
	router := netip.AddrFrom4([4]byte{10, 0, b[2], 1})
	return &ecs.Interface{
		ID: id, Subnet: n.Subnets[subnet].ID, VPC: n.Subnets[subnet].VPC, MAC: fmt.Sprintf("0a:00:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3]),
		Private: a, DNSName: fmt.Sprintf("ip-10-0-%d-%d.ec2.internal", b[2], b[3]), Gateway: netip.PrefixFrom(router, 24),
		Servers: []netip.Addr{netip.MustParseAddr("10.0.0.2")}, Search: []string{"ec2.internal"},
	}
}

// Release implements tables.Network.
func (n Network) Release(tx store.Tx, h ecs.Home, id string) {
	key := tables.At(h).Key(id)
	i, ok := Interfaces.Get(tx, key)
	if !ok {
		return
	}
	address := tables.At(h).Key(i.Subnet, i.Addr.String())
	addresses.Get(tx, address)
	addresses.Delete(tx, address)
	Interfaces.Delete(tx, key)
}

func (n Network) index(subnet string) int {
	return slices.IndexFunc(n.Subnets, func(s ecs.Subnet) bool { return s.ID == subnet })
}
