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

// bindNetworks binds the operations about networks; those about what is in them are bound beside.
func (a *API) bindNetworks(m *wire.Mux) {
	bind(m, shape.OpCreateVpc, a.CreateVpc)
	bind(m, shape.OpCreateDefaultVpc, a.CreateDefaultVpc)
	bind(m, shape.OpDeleteVpc, a.DeleteVpc)
	bind(m, shape.OpDescribeVpcs, a.DescribeVpcs)
	bind(m, shape.OpDescribeVpcAttribute, a.DescribeVpcAttribute)
	bind(m, shape.OpModifyVpcAttribute, a.ModifyVpcAttribute)
	bind(m, shape.OpAssociateVpcCidrBlock, a.AssociateVpcCidrBlock)
	bind(m, shape.OpDisassociateVpcCidrBlock, a.DisassociateVpcCidrBlock)
	for _, more := range []func(*wire.Mux){
		a.bindSubnets, a.bindDHCP, a.bindACLs, a.bindRouteTables, a.bindInternetGateways, a.bindNATGateways, a.bindElastics, a.bindTags, a.bindNone,
	} {
		more(m)
	}
}

// CreateVpc makes a VPC, with its main route table, its default network ACL and its default security group.
func (a *API) CreateVpc(ctx context.Context, c wire.Call, in *shape.CreateVpcRequest) (*shape.CreateVpcResult, error) {
	if aws.Val(in.CidrBlock) == "" {
		return nil, wire.Errorf("MissingParameter", "Either 'cidrBlock' or 'ipv4IpamPoolId' should be provided.")
	}
	block, err := a.vpcRange(aws.Val(in.CidrBlock))
	if err != nil {
		return nil, err
	}
	switch aws.Val(in.InstanceTenancy) {
	case "", shape.TenancyDefault, shape.TenancyDedicated:
	default:
		return nil, badOf("instanceTenancy", aws.Val(in.InstanceTenancy))
	}
	tags, err := tagSpec(in.TagSpecifications, vpc.KindVPC)
	if err != nil {
		return nil, err
	}
	v := &vpc.VPC{}
	err = a.update(ctx, c, func(tx store.Tx, h vpc.Home) error {
		*v = vpc.VPC{Home: h, Blocks: []vpc.Block{{CIDR: block}}, Tenancy: aws.Val(in.InstanceTenancy)}
		if count(tables.VPCs.List(tx, tables.All(h), "")) >= maxVPCs {
			return wire.Errorf("VpcLimitExceeded", "The maximum number of VPCs has been reached.")
		}
		if aws.Val(in.AmazonProvidedIpv6CidrBlock) {
			v.Blocks6 = []vpc.Block{{CIDR: provided6(tx)}}
		}
		tables.MakeVPC(tx, v)
		tables.PutTags(tx, h, v.ID, tags)
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := renderVPC(listed[*vpc.VPC]{ID: v.ID, Item: v, Tags: tags})
	out.State = aws.Ptr(shape.VpcStatePending)
	return &shape.CreateVpcResult{Vpc: &out}, nil
}

// CreateDefaultVpc makes the default VPC anew.
func (a *API) CreateDefaultVpc(ctx context.Context, c wire.Call, _ *shape.CreateDefaultVpcRequest) (*shape.CreateDefaultVpcResult, error) {
	var v *vpc.VPC
	err := a.update(ctx, c, func(tx store.Tx, h vpc.Home) (err error) {
		if _, ok := tables.DefaultVPC(tx, h); ok {
			return wire.Errorf("DefaultVpcAlreadyExists", "A Default VPC already exists for this account in this region.")
		}
		v, err = tables.MakeDefaultVPC(tx, h, a.Zones(h.Region))
		return err
	})
	if err != nil {
		return nil, err
	}
	out := renderVPC(listed[*vpc.VPC]{ID: v.ID, Item: v})
	return &shape.CreateDefaultVpcResult{Vpc: &out}, nil
}

// DeleteVpc deletes a VPC in which nothing is left but what it was made with.
func (a *API) DeleteVpc(ctx context.Context, c wire.Call, in *shape.DeleteVpcRequest) (*aws.Unit, error) {
	id := aws.Val(in.VpcId)
	for more := true; more; {
		err := a.update(ctx, c, func(tx store.Tx, h vpc.Home) error {
			v, err := tables.UnusedVPC(tx, h, id)
			if err == nil {
				more = tables.TrimRules(tx, h, v.DefaultGroup)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	_, err := a.deleteUnused(ctx, c, removal{
		find: func(tx store.Tx, h vpc.Home) (string, error) {
			_, err := tables.UnusedVPC(tx, h, id)
			if err == nil {
				tables.Changed(tx, h, id)
			}
			return id, err
		},
		remove: func(tx store.Tx, h vpc.Home, id string) {
			if v, err := tables.VPC(tx, h, id); err == nil {
				tables.DeleteVPC(tx, v)
			}
		},
	})
	return nil, err
}

var vpcFields = vpc.Fields[*vpc.VPC]{
	"cidr":            primaryOf,
	"cidr-block":      primaryOf, // an older spelling, as the next
	"cidrBlock":       primaryOf,
	"dhcp-options-id": func(v *vpc.VPC) []string { return one(v.DHCPOptions) },
	"dhcpOptionsId":   func(v *vpc.VPC) []string { return one(v.DHCPOptions) },
	"is-default":      func(v *vpc.VPC) []string { return one(either(v.Default)) },
	"isDefault":       func(v *vpc.VPC) []string { return one(either(v.Default)) },
	"owner-id":        func(v *vpc.VPC) []string { return one(v.Account) },
	"state":           func(*vpc.VPC) []string { return one(shape.VpcStateAvailable) },
	"vpc-id":          func(v *vpc.VPC) []string { return one(v.ID) },

	"cidr-block-association.association-id":       func(v *vpc.VPC) []string { return blockIDs(v.Blocks) },
	"cidr-block-association.cidr-block":           func(v *vpc.VPC) []string { return blockTexts(v.Blocks) },
	"cidr-block-association.state":                func(*vpc.VPC) []string { return one(associated) },
	"ipv6-cidr-block-association.association-id":  func(v *vpc.VPC) []string { return blockIDs(v.Blocks6) },
	"ipv6-cidr-block-association.ipv6-cidr-block": func(v *vpc.VPC) []string { return blockTexts(v.Blocks6) },
	"ipv6-cidr-block-association.ipv6-pool":       func(v *vpc.VPC) []string { return poolOf(v.Blocks6) },
	"ipv6-cidr-block-association.state":           func(v *vpc.VPC) []string { return stateOf(v.Blocks6) },
}

func primaryOf(v *vpc.VPC) []string { return one(v.Primary().String()) }

// DescribeVpcs lists VPCs.
func (a *API) DescribeVpcs(ctx context.Context, c wire.Call, in *shape.DescribeVpcsRequest) (*shape.DescribeVpcsResult, error) {
	out := &shape.DescribeVpcsResult{}
	err := a.view(ctx, c, func(tx store.Tx, h vpc.Home) error {
		page, next, err := list(c, listing[*vpc.VPC]{
			Kind: vpc.KindVPC, IDs: in.VpcIds, Fields: vpcFields, Filters: in.Filters, Max: in.MaxResults, Token: in.NextToken,
		}, tagged(tx, h, tables.VPCs, func(v *vpc.VPC) string { return v.ID }))
		out.Vpcs, out.NextToken = render(page, renderVPC), next
		return err
	})
	return out, err
}

func renderVPC(l listed[*vpc.VPC]) shape.Vpc {
	v := l.Item
	out := shape.Vpc{
		VpcId: aws.Ptr(v.ID), OwnerId: aws.Ptr(v.Account), State: aws.Ptr(shape.VpcStateAvailable), CidrBlock: aws.Ptr(v.Primary().String()),
		DhcpOptionsId: aws.Ptr(v.DHCPOptions), InstanceTenancy: aws.Ptr(v.Tenancy), IsDefault: aws.Ptr(v.Default), Tags: renderTags(l.Tags),
	}
	for _, b := range v.Blocks {
		out.CidrBlockAssociationSet = append(out.CidrBlockAssociationSet, renderBlock(b))
	}
	for _, b := range v.Blocks6 {
		out.Ipv6CidrBlockAssociationSet = append(out.Ipv6CidrBlockAssociationSet, renderBlock6(v.Region, b))
	}
	return out
}

// vpcRange reads the range of a VPC, in its canonical form.
func (a *API) vpcRange(text string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(text)
	if err != nil || !p.Addr().Is4() {
		return p, notCIDR("cidrBlock", text)
	}
	if p = p.Masked(); !vpc.ValidBlock(p) {
		return p, wire.Errorf("InvalidVpc.Range", "The CIDR '%s' is invalid.", text)
	}
	if p.Overlaps(a.Pool) {
		return p, wire.Errorf("InvalidVpc.Range", "The CIDR '%s' is invalid: it overlaps %s, where this installation's public addresses are.", text, a.Pool)
	}
	return p, nil
}
