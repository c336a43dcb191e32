package vpcapi

import (
	"context"
	"iter"
	"net/netip"
	"slices"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/vpc/tables"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ec2"
)

// associated is the state of every association that is there.
const associated = "associated"

// amazonPool is the pool of IPv6 ranges.
const amazonPool = "Amazon"

func badOf(parameter, value string) error {
	return invalid("Value (%s) for parameter %s is invalid.", value, parameter)
}

func notCIDR(parameter, value string) error {
	return invalid("Value (%s) for parameter %s is invalid. This is not a valid CIDR block.", value, parameter)
}

func count[T any](items iter.Seq2[string, T]) (n int) {
	for range items {
		n++
	}
	return n
}

// render renders a page.
func render[T, S any](page []T, f func(T) S) []S {
	out := make([]S, len(page))
	for i, item := range page {
		out[i] = f(item)
	}
	return out
}

func blockIDs(blocks []vpc.Block) []string {
	return render(blocks, func(b vpc.Block) string { return b.Association })
}

func blockTexts(blocks []vpc.Block) []string {
	return render(blocks, func(b vpc.Block) string { return b.CIDR.String() })
}

func poolOf(blocks []vpc.Block) []string {
	return render(blocks, func(vpc.Block) string { return amazonPool })
}

func stateOf(blocks []vpc.Block) []string {
	return render(blocks, func(vpc.Block) string { return associated })
}

func renderBlock(b vpc.Block) shape.VpcCidrBlockAssociation {
	return shape.VpcCidrBlockAssociation{
		AssociationId: aws.Ptr(b.Association), CidrBlock: aws.Ptr(b.CIDR.String()), CidrBlockState: &shape.VpcCidrBlockState{State: aws.Ptr(associated)},
	}
}

func renderBlock6(region string, b vpc.Block) shape.VpcIpv6CidrBlockAssociation {
	return shape.VpcIpv6CidrBlockAssociation{
		AssociationId: aws.Ptr(b.Association), Ipv6CidrBlock: aws.Ptr(b.CIDR.String()), Ipv6CidrBlockState: &shape.VpcCidrBlockState{State: aws.Ptr(associated)},
		Ipv6Pool: aws.Ptr(amazonPool), NetworkBorderGroup: aws.Ptr(region), IpSource: aws.Ptr(shape.IpSourceAmazon), Ipv6AddressAttribute: aws.Ptr(shape.Ipv6AddressAttributePublic),
	}
}

// provided6 is a new IPv6 range.
func provided6(tx store.Tx) netip.Prefix { return vpc.Local6(tx.NewID()) }

// AssociateVpcCidrBlock gives a VPC another range.
func (a *API) AssociateVpcCidrBlock(ctx context.Context, c wire.Call, in *shape.AssociateVpcCidrBlockRequest) (*shape.AssociateVpcCidrBlockResult, error) {
	six, text := aws.Val(in.AmazonProvidedIpv6CidrBlock), aws.Val(in.CidrBlock)
	switch {
	case six && text != "":
		return nil, together("AmazonProvidedIpv6CidrBlock", "CidrBlock")
	case !six && text == "":
		return nil, wire.Errorf("MissingParameter", "Either 'cidrBlock' or 'amazonProvidedIpv6CidrBlock' should be provided.")
	}
	var block netip.Prefix
	var err error
	if !six {
		if block, err = a.vpcRange(text); err != nil {
			return nil, err
		}
	}
	out := &shape.AssociateVpcCidrBlockResult{VpcId: in.VpcId}
	err = a.update(ctx, c, func(tx store.Tx, h vpc.Home) error {
		v, err := tables.VPC(tx, h, aws.Val(in.VpcId))
		if err != nil {
			return err
		}
		next := *v
		b := vpc.Block{Association: vpc.KindVPCBlock.NewID(tx.NewID()), CIDR: block}
		if six {
			b.CIDR = provided6(tx)
			if err := openFirst6(tx, v); err != nil {
				return err
			}
			next.Blocks6 = append(slices.Clone(v.Blocks6), b)
			out.Ipv6CidrBlockAssociation = aws.Ptr(renderBlock6(h.Region, b))
			out.Ipv6CidrBlockAssociation.Ipv6CidrBlockState.State = aws.Ptr(shape.VpcCidrBlockStateCodeAssociating)
		} else {
			if err := mayJoin(tx, v, block); err != nil {
				return err
			}
			next.Blocks = append(slices.Clone(v.Blocks), b)
			out.CidrBlockAssociation = aws.Ptr(renderBlock(b))
			out.CidrBlockAssociation.CidrBlockState.State = aws.Ptr(shape.VpcCidrBlockStateCodeAssociating)
		}
		most := maxBlocks
		if six {
			most = maxBlocks6
		}
		if len(next.Blocks) > maxBlocks || len(next.Blocks6) > maxBlocks6 {
			return wire.Errorf("CidrLimitExceeded", "This network '%s' has met its maximum number of allowed CIDRs: %d", v.ID, most)
		}
		tables.Changed(tx, h, v.ID)
		tables.VPCs.Put(tx, &next)
		return nil
	})
	return out, err
}

// mayJoin refuses a range that a VPC cannot have beside those it has.
func mayJoin(tx store.Tx, v *vpc.VPC, p netip.Prefix) error {
	for _, b := range v.Blocks {
		if b.CIDR.Overlaps(p) {
			return wire.Errorf("CidrConflict", "The CIDR '%s' conflicts with the CIDR '%s', which the network has.", p, b.CIDR)
		}
	}
	if !vpc.MayJoin(v.Primary(), p) {
		return wire.Errorf("InvalidVpc.Range", "The CIDR '%s' is restricted. Use a CIDR from the same private address range as the current VPC CIDR, or use a publicly-routable CIDR.", p)
	}
	for _, t := range tables.RouteTablesByVPC.List(tx, v.ID, "") {
		for _, r := range t.Routes {
			if r.Destination.Addr().Is4() && p.Bits() <= r.Destination.Bits() && p.Contains(r.Destination.Addr()) {
				return invalid("The CIDR '%s' is the same as or larger than the destination %s of a route in route table %s.", p, r.Destination, t.ID)
			}
		}
	}
	return nil
}

// DisassociateVpcCidrBlock takes a range from its VPC, which no subnet may be in.
func (a *API) DisassociateVpcCidrBlock(ctx context.Context, c wire.Call, in *shape.DisassociateVpcCidrBlockRequest) (*shape.DisassociateVpcCidrBlockResult, error) {
	id := aws.Val(in.AssociationId)
	if err := vpc.KindVPCBlock.Check(id); err != nil {
		return nil, err
	}
	out := &shape.DisassociateVpcCidrBlockResult{}
	err := a.update(ctx, c, func(tx store.Tx, h vpc.Home) error {
		for key := range tables.VPCs.List(tx, tables.All(h), "") {
			v, _ := tables.VPCs.Peek(tx, key)
			if slices.Contains(slices.Concat(blockIDs(v.Blocks), blockIDs(v.Blocks6)), id) {
				v, _ = tables.VPCs.Get(tx, key)
				return disassociate(tx, v, id, out)
			}
		}
		return vpc.KindVPCBlock.NotFound(id)
	})
	return out, err
}

func disassociate(tx store.Tx, v *vpc.VPC, id string, out *shape.DisassociateVpcCidrBlockResult) error {
	if v.Blocks[0].Association == id {
		return wire.Errorf("OperationNotPermitted", "The vpc CIDR block with association ID %s may not be disassociated. It is the primary IPv4 CIDR block of the VPC", id)
	}
	next := *v
	gone := func(blocks []vpc.Block) (keep []vpc.Block, b vpc.Block) {
		for _, x := range blocks {
			if x.Association == id {
				b = x
				continue
			}
			keep = append(keep, x)
		}
		return keep, b
	}
	var four, six vpc.Block
	next.Blocks, four = gone(v.Blocks)
	next.Blocks6, six = gone(v.Blocks6)
	for _, s := range tables.SubnetsByVPC.List(tx, v.ID, "") {
		if four.Association != "" && four.CIDR.Overlaps(s.CIDR) || six.Association != "" && slices.ContainsFunc(s.Blocks6, func(b vpc.Block) bool { return six.CIDR.Overlaps(b.CIDR) }) {
			return wire.Errorf("InvalidCidrBlock.InUse", "The vpc %s currently has a subnet within the CIDR block of association ID %s.", v.ID, id)
		}
	}
	tables.Changed(tx, v.Home, v.ID)
	tables.VPCs.Put(tx, &next)
	out.VpcId = aws.Ptr(v.ID)
	if four.Association != "" {
		out.CidrBlockAssociation = aws.Ptr(renderBlock(four))
		out.CidrBlockAssociation.CidrBlockState.State = aws.Ptr(shape.VpcCidrBlockStateCodeDisassociating)
	} else {
		out.Ipv6CidrBlockAssociation = aws.Ptr(renderBlock6(v.Region, six))
		out.Ipv6CidrBlockAssociation.Ipv6CidrBlockState.State = aws.Ptr(shape.VpcCidrBlockStateCodeDisassociating)
	}
	return nil
}

// openFirst6 has the default group and ACL let IPv6 through when a VPC gets its first range of it, as AWS's do.
func openFirst6(tx store.Tx, v *vpc.VPC) error {
	if len(v.Blocks6) > 0 {
		return nil
	}
	return tables.OpenIPv6(tx, v)
}
