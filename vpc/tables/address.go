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

// takeAny gives an interface an address of a subnet: one that nobody had or that has rested, else the one that has rested longest. 1 key.
func takeAny(tx store.Tx, s *vpc.Subnet, eni string) (netip.Addr, error) {
	first, n := vpc.Usable(s.CIDR)
	if FreeAddresses(tx, s) > 0 {
		spare, ok := pick(tx.Now(), vpc.Walk(tx.NewID(), n), func(i uint64) (bool, time.Time) {
			a, ok := Addresses.Peek(tx, AddressKey(&vpc.Address{Home: s.Home, Subnet: s.ID, Addr: vpc.Nth(first, i)}))
			if !ok {
				return true, time.Time{}
			}
			return a.Interface == "", a.FreedAt
		})
		if ok {
			return vpc.Nth(first, spare), own(tx, s, vpc.Nth(first, spare), eni)
		}
	}
	return netip.Addr{}, refuse("InsufficientFreeAddressesInSubnet", "The specified subnet does not have enough free addresses to satisfy the request.")
}

// pick is the first number that is free and has rested, else the one that is free for longest.
func pick(now time.Time, walk func(func(uint64) bool), look func(uint64) (free bool, since time.Time)) (n uint64, ok bool) {
	var rests time.Time
	for i := range walk {
		free, since := look(i)
		if free && now.Sub(since) >= vpc.RestTime {
			return i, true
		}
		if free && (!ok || since.Before(rests)) {
			n, rests, ok = i, since, true
		}
	}
	return n, ok
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
