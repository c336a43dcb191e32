package tables

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
	aws "github.com/berth-ecs/berth/wire/shape"
)

// usedAddresses finds the IPv4 addresses of a subnet that interfaces have.
var usedAddresses = store.NewIndex(Addresses, "used", func(a *vpc.Address) []string {
	if a.Interface == "" || !a.Addr.Is4() {
		return nil
	}
	return []string{a.Subnet}
})

// FreeAddresses is how many addresses of a subnet interfaces may still get.
func FreeAddresses(tx store.Tx, s *vpc.Subnet) int {
	_, n := vpc.Usable(s.CIDR)
	return int(n) - usedAddresses.Count(tx, s.ID)
}

// recordsIn counts the IPv4 addresses of a block of a subnet that have records, restingIn finds those of a subnet that rest.
var (
	recordsIn = store.NewIndex(Addresses, "block", func(a *vpc.Address) []string {
		if !a.Addr.Is4() {
			return nil
		}
		return []string{blockOf(a.Subnet, block(a.Addr))}
	})
	restingIn = store.NewIndex(Addresses, "resting", func(a *vpc.Address) []string {
		if a.Interface != "" || !a.Addr.Is4() {
			return nil
		}
		return []string{a.Subnet}
	})
)

func blockOf(subnet string, b netip.Addr) string { return subnet + " " + b.String() }

// spaceOf are the addresses of a subnet.
func spaceOf(tx store.Tx, s *vpc.Subnet) space {
	first, n := vpc.Usable(s.CIDR)
	return space{
		first: first, n: n,
		free: func(a netip.Addr) (bool, time.Time) {
			r, ok := Addresses.Peek(tx, AddressKey(&vpc.Address{Home: s.Home, Subnet: s.ID, Addr: a}))
			if !ok {
				return true, time.Time{}
			}
			return r.Interface == "", r.FreedAt
		},
		records: func(b netip.Addr) int { return recordsIn.Count(tx, blockOf(s.ID, b)) },
		resting: func(yield func(netip.Addr, time.Time) bool) {
			for _, r := range restingIn.List(tx, s.ID, "") {
				if !yield(r.Addr, r.FreedAt) {
					return
				}
			}
		},
	}
}

// takeAny gives an interface an address of a subnet: one that nobody had or that has rested, else the one that has rested longest. 1 key.
func takeAny(tx store.Tx, s *vpc.Subnet, eni string) (netip.Addr, error) {
	if FreeAddresses(tx, s) > 0 {
		if a, ok := spaceOf(tx, s).spare(tx); ok {
			return a, own(tx, s, a, eni)
		}
	}
	return netip.Addr{}, refuse("InsufficientFreeAddressesInSubnet", "The specified subnet does not have enough free addresses to satisfy the request.")
}

// take gives an interface an address that was asked for, whether it has rested or not. 1 key.
func take(tx store.Tx, s *vpc.Subnet, a netip.Addr, eni string) error {
	within := s.CIDR.Contains(a)
	for _, b := range s.Blocks6 {
		within = within || b.CIDR.Contains(a)
	}
	switch {
	case !within:
		return refuse("InvalidParameterValue", "Address %s does not fall within the subnet's address range", a)
	case vpc.Reserved(s.CIDR, a):
		return refuse("InvalidParameterValue", "Address %s is in subnet's reserved address range", a)
	}
	return own(tx, s, a, eni)
}

// own writes who has an address; it compares that nobody has it. 1 key.
func own(tx store.Tx, s *vpc.Subnet, a netip.Addr, eni string) error {
	r := &vpc.Address{Home: s.Home, Subnet: s.ID, Addr: a, Interface: eni}
	if old, ok := Addresses.Get(tx, AddressKey(r)); ok && old.Interface != "" {
		return refuse("InvalidIPAddress.InUse", "Address %s is in use.", a)
	}
	Addresses.Put(tx, r)
	return nil
}

// take6 gives an interface an IPv6 address of the subnet's first block. 1 key: there are so many that the first try is free.
func take6(tx store.Tx, s *vpc.Subnet, eni string) (netip.Addr, error) {
	if len(s.Blocks6) == 0 {
		return netip.Addr{}, refuse("InvalidParameterValue", "The specified subnet does not have an IPv6 CIDR block")
	}
	a := vpc.Address6(s.Blocks6[0].CIDR, tx.NewID())
	return a, own(tx, s, a, eni)
}

// free ends what an interface has of an address, which then rests. 1 key.
func free(tx store.Tx, i *vpc.Interface, a netip.Addr) {
	r := &vpc.Address{Home: i.Home, Subnet: i.Subnet, Addr: a, FreedAt: tx.Now()}
	if old, ok := Addresses.Get(tx, AddressKey(r)); ok && old.Interface == i.ID {
		Addresses.Put(tx, r)
	}
}

// refuse is an error as EC2 words it.
func refuse(code, format string, args ...any) error {
	return &aws.Error{Code: code, Message: fmt.Sprintf(format, args...)}
}
