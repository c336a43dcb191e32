package vpcapi

import (
	"context"
	"net/netip"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/vpc/permission"
	"github.com/berth-ecs/berth/vpc/tables"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ec2"
)

// CreateNetworkInterface makes an interface that is attached to nothing.
func (a *API) CreateNetworkInterface(ctx context.Context, c wire.Call, in *shape.CreateNetworkInterfaceRequest) (*shape.CreateNetworkInterfaceResult, error) {
	tags, err := tagSpec(in.TagSpecifications, vpc.KindInterface)
	if err != nil {
		return nil, err
	}
	wanted, err := wantedAddresses(in)
	if err != nil {
		return nil, err
	}
	if kind := aws.Val(in.InterfaceType); kind != "" && kind != "interface" {
		return nil, wire.Errorf("UnsupportedOperation", "Network interfaces of the type %s are not available in this region.", kind)
	}
	spec := tables.Spec{Home: homeOf(c), Subnet: aws.Val(in.SubnetId), Groups: in.Groups, Description: aws.Val(in.Description), Tags: tags, Wanted: wanted}
	if err := checkInterface(spec); err != nil {
		return nil, err
	}
	out := &shape.CreateNetworkInterfaceResult{ClientToken: in.ClientToken}
	err = a.update(ctx, c, func(tx store.Tx, h vpc.Home) error {
		i, err := once(tx, c, request{in.ClientToken, in},
			func(id string) (*vpc.Interface, error) { return tables.Interface(tx, h, id) },
			func() (*vpc.Interface, string, error) {
				i, err := tables.Attach(tx, spec)
				if err != nil {
					return nil, "", inInterfaceWords(err)
				}
				return i, i.ID, nil
			})
		if err != nil {
			return err
		}
		r := a.renderInterface(tx, i)
		if i.CreatedAt.Equal(tx.Now()) {
			r.Status = aws.Ptr("pending") // as EC2 answers it for a moment
		}
		out.NetworkInterface = &r
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// checkInterface refuses what can be judged without the records.
func checkInterface(s tables.Spec) error {
	if err := vpc.KindSubnet.Check(s.Subnet); err != nil {
		return err
	}
	if err := checkIDs(vpc.KindGroup, s.Groups); err != nil {
		return err
	}
	if len(s.Description) > permission.MaxText {
		return invalid("Value (%s) for parameter description is invalid. It must be at most 255 characters.", s.Description)
	}
	return nil
}

// inInterfaceWords is an error about a group as EC2 words it for interfaces.
func inInterfaceWords(err error) error {
	if e, ok := err.(*aws.Error); ok && e.Code == "InvalidGroup.NotFound" { //nolint:errorlint // tables wraps none
		return &aws.Error{Code: "InvalidSecurityGroupID.NotFound", Message: e.Message}
	}
	return err
}

// wantedAddresses reads the ways to ask for addresses, of which each excludes another.
func wantedAddresses(in *shape.CreateNetworkInterfaceRequest) (tables.Wanted, error) {
	var w tables.Wanted
	switch {
	case in.PrivateIpAddress != nil && len(in.PrivateIpAddresses) > 0:
		return w, together("privateIpAddress", "privateIpAddresses")
	case in.SecondaryPrivateIpAddressCount != nil && len(in.PrivateIpAddresses) > 1:
		return w, together("secondaryPrivateIpAddressCount", "privateIpAddresses")
	case in.Ipv6AddressCount != nil && len(in.Ipv6Addresses) > 0:
		return w, together("ipv6AddressCount", "ipv6Addresses")
	case aws.Val(in.SecondaryPrivateIpAddressCount) < 0 || aws.Val(in.Ipv6AddressCount) < 0:
		return w, invalid("The number of addresses must not be negative.")
	}
	w.Secondary, w.IPv6Count = int(aws.Val(in.SecondaryPrivateIpAddressCount)), int(aws.Val(in.Ipv6AddressCount))
	var err error
	if w.Private, err = privateWanted(in); err != nil {
		return w, err
	}
	for _, s := range in.Ipv6Addresses {
		a, err := address(aws.Val(s.Ipv6Address), true)
		if err != nil {
			return w, err
		}
		w.IPv6 = append(w.IPv6, a)
	}
	return w, nil
}

// privateWanted are the private addresses that are asked for, the primary one first.
func privateWanted(in *shape.CreateNetworkInterfaceRequest) ([]netip.Addr, error) {
	specs := in.PrivateIpAddresses
	if in.PrivateIpAddress != nil {
		specs = []shape.PrivateIpAddressSpecification{{PrivateIpAddress: in.PrivateIpAddress, Primary: aws.Ptr(true)}}
	}
	var out []netip.Addr
	primary := 0
	for _, s := range specs {
		a, err := address(aws.Val(s.PrivateIpAddress), false)
		if err != nil {
			return nil, err
		}
		if aws.Val(s.Primary) {
			primary++
			out = append([]netip.Addr{a}, out...)
			continue
		}
		out = append(out, a)
	}
	if len(specs) > 0 && primary != 1 {
		return nil, invalid("Exactly one private IP address must be the primary one.")
	}
	return out, nil
}

// address reads an address of a family.
func address(s string, six bool) (netip.Addr, error) {
	a, err := netip.ParseAddr(s)
	if err != nil || a.Is4() == six || a.Is4In6() || a.Zone() != "" {
		return a, invalid("Invalid value '%s' for address. It is not a valid IP address.", s)
	}
	return a, nil
}
