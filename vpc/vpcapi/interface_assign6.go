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

// AssignIpv6Addresses gives an interface more IPv6 addresses.
func (a *API) AssignIpv6Addresses(ctx context.Context, c wire.Call, in *shape.AssignIpv6AddressesRequest) (*shape.AssignIpv6AddressesResult, error) {
	wanted, err := addresses(in.Ipv6Addresses, true)
	n := int(aws.Val(in.Ipv6AddressCount))
	switch {
	case err != nil:
		return nil, err
	case len(wanted) > 0 && in.Ipv6AddressCount != nil:
		return nil, together("ipv6Addresses", "ipv6AddressCount")
	case len(wanted) == 0 && n < 1:
		return nil, wire.Errorf("InvalidParameterCombination", "Either ipv6Addresses or ipv6AddressCount must be specified.")
	}
	out := &shape.AssignIpv6AddressesResult{NetworkInterfaceId: in.NetworkInterfaceId}
	err = a.update(ctx, c, func(tx store.Tx, h vpc.Home) error {
		i, err := ownInterface(tx, h, aws.Val(in.NetworkInterfaceId))
		if err != nil {
			return err
		}
		if _, err := tables.Subnet(tx, h, i.Subnet); err != nil { // its ranges must stay until then
			return err
		}
		more := *i
		fresh := slices.DeleteFunc(slices.Clone(wanted), func(a netip.Addr) bool { return slices.Contains(i.IPv6, a) })
		if err := tables.Extend(tx, &more, tables.Wanted{IPv6: fresh, IPv6Count: n}); err != nil {
			return err
		}
		tables.Interfaces.Put(tx, &more)
		out.AssignedIpv6Addresses = render(more.IPv6[len(i.IPv6):], netip.Addr.String)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// UnassignIpv6Addresses takes IPv6 addresses from an interface.
func (a *API) UnassignIpv6Addresses(ctx context.Context, c wire.Call, in *shape.UnassignIpv6AddressesRequest) (*shape.UnassignIpv6AddressesResult, error) {
	gone, err := addresses(in.Ipv6Addresses, true)
	if err != nil {
		return nil, err
	}
	if len(gone) == 0 {
		return nil, missing("ipv6Addresses")
	}
	err = a.update(ctx, c, func(tx store.Tx, h vpc.Home) error {
		i, err := ownInterface(tx, h, aws.Val(in.NetworkInterfaceId))
		if err != nil {
			return err
		}
		for _, g := range gone {
			if !slices.Contains(i.IPv6, g) {
				return invalid("Some of the specified addresses are not assigned to interface %s: %s", i.ID, g)
			}
		}
		less := *i
		tables.Shrink(tx, &less, gone)
		tables.Interfaces.Put(tx, &less)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &shape.UnassignIpv6AddressesResult{NetworkInterfaceId: in.NetworkInterfaceId, UnassignedIpv6Addresses: render(gone, netip.Addr.String)}, nil
}

// ResetNetworkInterfaceAttribute gives an interface its source/destination check back.
func (a *API) ResetNetworkInterfaceAttribute(ctx context.Context, c wire.Call, in *shape.ResetNetworkInterfaceAttributeRequest) (*aws.Unit, error) {
	if in.SourceDestCheck == nil {
		return nil, wire.Errorf("InvalidParameterCombination", "No attributes specified.")
	}
	return nil, a.update(ctx, c, func(tx store.Tx, h vpc.Home) error {
		i, err := ownInterface(tx, h, aws.Val(in.NetworkInterfaceId))
		if err != nil {
			return err
		}
		next := *i
		next.SourceCheck = true
		tables.Interfaces.Put(tx, &next)
		return nil
	})
}
