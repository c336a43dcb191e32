package vpcapi

import (
	"context"
	"net/netip"
	"slices"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/vpc/tables"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ec2"
)

// AssignPrivateIpAddresses gives an interface more private addresses.
func (a *API) AssignPrivateIpAddresses(ctx context.Context, c wire.Call, in *shape.AssignPrivateIpAddressesRequest) (*shape.AssignPrivateIpAddressesResult, error) {
	wanted, err := addresses(in.PrivateIpAddresses, false)
	n := int(aws.Val(in.SecondaryPrivateIpAddressCount))
	switch {
	case err != nil:
		return nil, err
	case len(wanted) > 0 && in.SecondaryPrivateIpAddressCount != nil:
		return nil, together("privateIpAddress", "secondaryPrivateIpAddressCount")
	case len(wanted) == 0 && n < 1:
		return nil, wire.Errorf("InvalidParameterCombination", "Either privateIpAddress or secondaryPrivateIpAddressCount must be specified.")
	}
	out := &shape.AssignPrivateIpAddressesResult{NetworkInterfaceId: in.NetworkInterfaceId}
	err = a.update(ctx, c, func(tx store.Tx, h vpc.Home) error {
		i, err := ownInterface(tx, h, aws.Val(in.NetworkInterfaceId))
		if err != nil {
			return err
		}
		more := *i
		fresh := slices.DeleteFunc(slices.Clone(wanted), func(a netip.Addr) bool {
			return slices.ContainsFunc(i.Private, func(p vpc.Private) bool { return p.Addr == a })
		})
		if aws.Val(in.AllowReassignment) {
			if err := takeAway(tx, i, fresh); err != nil {
				return err
			}
		}
		if err := tables.Extend(tx, &more, tables.Wanted{Private: fresh, Secondary: n}); err != nil {
			return err
		}
		tables.Interfaces.Put(tx, &more)
		out.AssignedPrivateIpAddresses = []shape.AssignedPrivateIpAddress{}
		for _, p := range more.Private[len(i.Private):] {
			out.AssignedPrivateIpAddresses = append(out.AssignedPrivateIpAddresses, shape.AssignedPrivateIpAddress{PrivateIpAddress: aws.Ptr(p.Addr.String())})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// takeAway takes secondary addresses from the client's other interfaces of the subnet.
func takeAway(tx store.Tx, to *vpc.Interface, wanted []netip.Addr) error {
	for _, w := range wanted {
		r, ok := tables.Addresses.Get(tx, tables.AddressKey(&vpc.Address{Home: to.Home, Subnet: to.Subnet, Addr: w}))
		if !ok || r.Interface == "" {
			continue
		}
		from, err := ownInterface(tx, to.Home, r.Interface)
		if err != nil {
			return err
		}
		if from.Private[0].Addr == w {
			return invalid("The primary IP address %s of interface %s cannot be reassigned.", w, from.ID)
		}
		less := *from
		tables.Shrink(tx, &less, []netip.Addr{w})
		tables.Interfaces.Put(tx, &less)
	}
	return nil
}

// UnassignPrivateIpAddresses takes secondary private addresses from an interface.
func (a *API) UnassignPrivateIpAddresses(ctx context.Context, c wire.Call, in *shape.UnassignPrivateIpAddressesRequest) (*aws.Unit, error) {
	gone, err := addresses(in.PrivateIpAddresses, false)
	if err != nil {
		return nil, err
	}
	if len(gone) == 0 {
		return nil, missing("privateIpAddress")
	}
	return nil, a.update(ctx, c, func(tx store.Tx, h vpc.Home) error {
		i, err := ownInterface(tx, h, aws.Val(in.NetworkInterfaceId))
		if err != nil {
			return err
		}
		for _, g := range gone {
			n := slices.IndexFunc(i.Private, func(p vpc.Private) bool { return p.Addr == g })
			switch {
			case n < 0:
				return invalid("Some of the specified addresses are not assigned to interface %s: %s", i.ID, g)
			case n == 0:
				return invalid("The primary IP address %s of interface %s cannot be unassigned.", g, i.ID)
			}
		}
		less := *i
		tables.Shrink(tx, &less, gone)
		tables.Interfaces.Put(tx, &less)
		return nil
	})
}

// addresses reads addresses of a family, each once.
func addresses(in []string, six bool) (out []netip.Addr, err error) {
	for _, s := range in {
		a, err := address(s, six)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	return out, nil
}
