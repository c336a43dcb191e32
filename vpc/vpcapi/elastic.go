package vpcapi

import (
	"context"
	"net/netip"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/vpc/tables"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ec2"
)

func (a *API) bindElastics(m *wire.Mux) {
	bind(m, shape.OpAllocateAddress, a.AllocateAddress)
	bind(m, shape.OpReleaseAddress, a.ReleaseAddress)
	bind(m, shape.OpAssociateAddress, a.AssociateAddress)
	bind(m, shape.OpDisassociateAddress, a.DisassociateAddress)
	bind(m, shape.OpDescribeAddresses, a.DescribeAddresses)
	bind(m, shape.OpDescribeAddressesAttribute, a.DescribeAddressesAttribute)
}

// AllocateAddress gives the account an address of the pool, the one it names if it names one.
func (a *API) AllocateAddress(ctx context.Context, c wire.Call, in *shape.AllocateAddressRequest) (*shape.AllocateAddressResult, error) {
	tags, err := tagSpec(in.TagSpecifications, vpc.KindElastic)
	if err != nil {
		return nil, err
	}
	if err := a.checkAllocate(c.Region, in); err != nil {
		return nil, err
	}
	var e *vpc.Elastic
	err = a.update(ctx, c, func(tx store.Tx, h vpc.Home) (err error) {
		if count(tables.Elastics.List(tx, tables.All(h), "")) >= maxElastics {
			return wire.Errorf("AddressLimitExceeded", "The maximum number of addresses has been reached.")
		}
		e = &vpc.Elastic{Home: h, ID: vpc.KindElastic.NewID(tx.NewID()), AllocatedAt: tx.Now()}
		if text := aws.Val(in.Address); text != "" {
			e.Addr, _ = netip.ParseAddr(text) // checked above
			err = tables.TakeThis(tx, a.Pool, &vpc.PublicAddress{Addr: e.Addr, Home: h, Owner: e.ID})
		} else {
			e.Addr, err = tables.TakePublic(tx, a.Pool, h, e.ID)
		}
		if err != nil {
			return err
		}
		tables.Elastics.Put(tx, e)
		tables.PutTags(tx, h, e.ID, tags)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &shape.AllocateAddressResult{
		AllocationId: aws.Ptr(e.ID), PublicIp: aws.Ptr(e.Addr.String()), Domain: aws.Ptr(shape.DomainTypeVpc),
		NetworkBorderGroup: aws.Ptr(c.Region), PublicIpv4Pool: aws.Ptr(elasticPool),
	}, nil
}

// elasticPool is AWS's name of the pool of public addresses.
const elasticPool = "amazon"

func (a *API) checkAllocate(region string, in *shape.AllocateAddressRequest) error {
	if d := aws.Val(in.Domain); d != "" && d != shape.DomainTypeVpc {
		return badOf("domain", d)
	}
	if g := aws.Val(in.NetworkBorderGroup); g != "" && g != region {
		return badOf("networkBorderGroup", g)
	}
	if text := aws.Val(in.Address); text != "" {
		if p, err := netip.ParseAddr(text); err != nil || !p.Is4() {
			return badOf("address", text)
		}
	}
	return nil
}

// elastic finds an allocation by its id or by its public address.
func elastic(tx store.Tx, h vpc.Home, id, public *string) (*vpc.Elastic, error) {
	switch {
	case aws.Val(id) != "" && aws.Val(public) != "":
		return nil, wire.Errorf("InvalidParameterCombination", "You may specify public IP or allocation id, but not both in the same call")
	case aws.Val(id) != "":
		return tables.Elastic(tx, h, aws.Val(id))
	case aws.Val(public) == "":
		return nil, wire.Errorf("MissingParameter", "Either public IP or allocation id must be specified")
	}
	for key, e := range tables.ElasticsByAddress.List(tx, aws.Val(public), "") {
		if e.Home == h {
			e, _ = tables.Elastics.Get(tx, key)
			return e, nil
		}
	}
	return nil, wire.Errorf("InvalidAddress.NotFound", "Address '%s' not found.", aws.Val(public))
}

// ReleaseAddress gives an address that is associated with nothing back to the pool.
func (a *API) ReleaseAddress(ctx context.Context, c wire.Call, in *shape.ReleaseAddressRequest) (*aws.Unit, error) {
	return nil, a.update(ctx, c, func(tx store.Tx, h vpc.Home) error {
		e, err := elastic(tx, h, in.AllocationId, in.PublicIp)
		if err != nil {
			return err
		}
		if g := aws.Val(in.NetworkBorderGroup); g != "" && g != h.Region {
			return badOf("networkBorderGroup", g)
		}
		if e.Association != "" {
			return wire.Errorf("InvalidIPAddress.InUse", "Address %s is in use.", e.Addr)
		}
		tables.FreePublic(tx, e.Addr, e.ID)
		tables.PutTags(tx, h, e.ID, nil)
		tables.Elastics.Delete(tx, tables.Key(h, e.ID))
		return nil
	})
}

func alreadyAssociated(e *vpc.Elastic) error {
	return wire.Errorf("Resource.AlreadyAssociated", "resource %s is already associated with associate-id %s", e.ID, e.Association)
}

// notYours is the error of touching what another service manages.
func notYours(id string) error {
	return wire.Errorf("AuthFailure", "You do not have permission to access the specified resource: %s is managed by another service.", id)
}

// AssociateAddress gives a private address of an interface a public one.
func (a *API) AssociateAddress(ctx context.Context, c wire.Call, in *shape.AssociateAddressRequest) (*shape.AssociateAddressResult, error) {
	if aws.Val(in.NetworkInterfaceId) == "" {
		return nil, wire.Errorf("MissingParameter", "Either 'networkInterfaceId' or 'instanceId' must be specified.")
	}
	var association string
	err := a.update(ctx, c, func(tx store.Tx, h vpc.Home) error {
		e, err := elastic(tx, h, in.AllocationId, in.PublicIp)
		if err != nil {
			return err
		}
		i, err := tables.Interface(tx, h, aws.Val(in.NetworkInterfaceId))
		if err != nil {
			return err
		}
		private := i.Private[0].Addr
		if text := aws.Val(in.PrivateIpAddress); text != "" {
			if private, err = netip.ParseAddr(text); err != nil {
				return badOf("privateIpAddress", text)
			}
		}
		if e.Interface == i.ID && e.Private == private {
			association = e.Association
			return nil
		}
		if err := mayAssociate(tx, e, i, in.AllowReassociation); err != nil {
			return err
		}
		association, err = tables.Associate(tx, e, i.ID, private)
		return err
	})
	return &shape.AssociateAddressResult{AssociationId: aws.Ptr(association)}, err
}

// mayAssociate refuses what another service has. An allocation moves by itself, unless the client says that it must not.
func mayAssociate(tx store.Tx, e *vpc.Elastic, to *vpc.Interface, move *bool) error {
	if to.Requester != "" {
		return notYours(to.ID)
	}
	if e.Association == "" {
		return nil
	}
	if move != nil && !*move {
		return alreadyAssociated(e)
	}
	return mayTake(tx, e)
}

// mayTake refuses to take an address from an interface that another service manages, such as a NAT gateway's.
func mayTake(tx store.Tx, e *vpc.Elastic) error {
	if i, ok := tables.Interfaces.Get(tx, tables.Key(e.Home, e.Interface)); ok && i.Requester != "" {
		return notYours(i.ID)
	}
	return nil
}

// DisassociateAddress takes an Elastic address from its interface.
func (a *API) DisassociateAddress(ctx context.Context, c wire.Call, in *shape.DisassociateAddressRequest) (*aws.Unit, error) {
	return nil, a.update(ctx, c, func(tx store.Tx, h vpc.Home) error {
		e, err := byAssociation(tx, h, in.AssociationId, in.PublicIp)
		if err != nil {
			return err
		}
		if err := mayTake(tx, e); err != nil {
			return err
		}
		tables.Disassociate(tx, e)
		return nil
	})
}

func byAssociation(tx store.Tx, h vpc.Home, association, public *string) (*vpc.Elastic, error) {
	id := aws.Val(association)
	switch {
	case id != "" && aws.Val(public) != "":
		return nil, wire.Errorf("InvalidParameterCombination", "You may specify public IP or association id, but not both in the same call")
	case id == "" && aws.Val(public) == "":
		return nil, wire.Errorf("MissingParameter", "Either public IP or association id must be specified")
	case id == "":
		e, err := elastic(tx, h, nil, public)
		if err == nil && e.Association == "" {
			return nil, wire.Errorf("InvalidAssociationID.NotFound", "The address '%s' is not associated with anything.", e.Addr)
		}
		return e, err
	}
	if err := vpc.KindElasticAssoc.Check(id); err != nil {
		return nil, err
	}
	for key, e := range tables.ElasticsByAssociation.List(tx, id, "") {
		if e.Home == h {
			e, _ = tables.Elastics.Get(tx, key)
			return e, nil
		}
	}
	return nil, vpc.KindElasticAssoc.NotFound(id)
}
