package vpcapi

import (
	"context"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/vpc/tables"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ec2"
)

// AssociateRouteTable gives a subnet a route table. Once more the same one is no change.
func (a *API) AssociateRouteTable(ctx context.Context, c wire.Call, in *shape.AssociateRouteTableRequest) (*shape.AssociateRouteTableResult, error) {
	if aws.Val(in.SubnetId) == "" {
		return nil, missing("subnetId")
	}
	var id string
	err := a.update(ctx, c, func(tx store.Tx, h vpc.Home) error {
		t, err := tables.RouteTable(tx, h, aws.Val(in.RouteTableId))
		if err != nil {
			return err
		}
		s, err := tables.Subnet(tx, h, aws.Val(in.SubnetId))
		if err != nil {
			return err
		}
		if s.VPC != t.VPC {
			return invalid("Route table %s and subnet %s belong to different networks", t.ID, s.ID)
		}
		if have, ok := tables.Associations.Get(tx, tables.AssociationKey(h, vpc.OfTable, s.ID)); ok {
			id = have.ID
			if have.Target != t.ID {
				return wire.Errorf("Resource.AlreadyAssociated", "the specified association for route table %s conflicts with an existing association", t.ID)
			}
			return nil
		}
		id = associateTable(tx, t, s.ID)
		return nil
	})
	return &shape.AssociateRouteTableResult{AssociationId: aws.Ptr(id), AssociationState: isAssociated()}, err
}

// associateTable writes that a subnet has a route table, under a new id.
func associateTable(tx store.Tx, t *vpc.RouteTable, subnet string) string {
	as := &vpc.Association{Home: t.Home, ID: vpc.KindTableAssoc.NewID(tx.NewID()), Kind: vpc.OfTable, Subnet: subnet, Target: t.ID}
	tables.Changed(tx, t.Home, t.VPC)
	tables.Associations.Put(tx, as)
	return as.ID
}

// tableAssociated is what an association of a route table is of: a subnet, or a VPC.
func tableAssociated(tx store.Tx, h vpc.Home, id string) (*vpc.Association, *vpc.VPC, error) {
	if err := vpc.KindTableAssoc.Check(id); err != nil {
		return nil, nil, err
	}
	for key, as := range tables.AssociationsByID.List(tx, id, "") {
		if as.Home == h && as.Kind == vpc.OfTable {
			as, _ = tables.Associations.Get(tx, key)
			return as, nil, nil
		}
	}
	for key, v := range tables.VPCs.List(tx, tables.All(h), "") {
		if v.MainAssociation() == id {
			v, _ = tables.VPCs.Get(tx, key)
			return nil, v, nil
		}
	}
	return nil, nil, vpc.KindTableAssoc.NotFound(id)
}

// DisassociateRouteTable gives a subnet its VPC's main table again.
func (a *API) DisassociateRouteTable(ctx context.Context, c wire.Call, in *shape.DisassociateRouteTableRequest) (*aws.Unit, error) {
	return nil, a.update(ctx, c, func(tx store.Tx, h vpc.Home) error {
		as, main, err := tableAssociated(tx, h, aws.Val(in.AssociationId))
		if err != nil {
			return err
		}
		if main != nil {
			return invalid("cannot disassociate the main route table association %s", aws.Val(in.AssociationId))
		}
		tables.Associations.Delete(tx, tables.AssociationKey(h, vpc.OfTable, as.Subnet))
		return nil
	})
}

// ReplaceRouteTableAssociation gives a subnet, or a VPC as its main one, another route table.
func (a *API) ReplaceRouteTableAssociation(ctx context.Context, c wire.Call, in *shape.ReplaceRouteTableAssociationRequest) (*shape.ReplaceRouteTableAssociationResult, error) {
	var id string
	err := a.update(ctx, c, func(tx store.Tx, h vpc.Home) error {
		as, main, err := tableAssociated(tx, h, aws.Val(in.AssociationId))
		if err != nil {
			return err
		}
		t, err := tables.RouteTable(tx, h, aws.Val(in.RouteTableId))
		if err != nil {
			return err
		}
		if main != nil {
			if main.ID != t.VPC {
				return invalid("Route table %s and network %s belong to different networks", t.ID, main.ID)
			}
			next := *main
			next.MainTable = t.ID
			tables.Changed(tx, h, main.ID)
			tables.VPCs.Put(tx, &next)
			id = next.MainAssociation()
			return nil
		}
		s, err := tables.Subnet(tx, h, as.Subnet)
		if err != nil {
			return err
		}
		if s.VPC != t.VPC {
			return invalid("Route table %s and subnet %s belong to different networks", t.ID, s.ID)
		}
		id = associateTable(tx, t, s.ID)
		return nil
	})
	return &shape.ReplaceRouteTableAssociationResult{NewAssociationId: aws.Ptr(id), AssociationState: isAssociated()}, err
}
