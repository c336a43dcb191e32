package vpcapi

import (
	"context"
	"strconv"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/vpc/tables"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ec2"
)

func (a *API) bindACLs(m *wire.Mux) {
	bind(m, shape.OpCreateNetworkAcl, a.CreateNetworkAcl)
	bind(m, shape.OpDeleteNetworkAcl, a.DeleteNetworkAcl)
	bind(m, shape.OpDescribeNetworkAcls, a.DescribeNetworkAcls)
	bind(m, shape.OpCreateNetworkAclEntry, a.CreateNetworkAclEntry)
	bind(m, shape.OpDeleteNetworkAclEntry, a.DeleteNetworkAclEntry)
	bind(m, shape.OpReplaceNetworkAclEntry, a.ReplaceNetworkAclEntry)
	bind(m, shape.OpReplaceNetworkAclAssociation, a.ReplaceNetworkAclAssociation)
}

// CreateNetworkAcl makes a network ACL that allows nothing.
func (a *API) CreateNetworkAcl(ctx context.Context, c wire.Call, in *shape.CreateNetworkAclRequest) (*shape.CreateNetworkAclResult, error) {
	tags, err := tagSpec(in.TagSpecifications, vpc.KindACL)
	if err != nil {
		return nil, err
	}
	out := &shape.CreateNetworkAclResult{ClientToken: in.ClientToken}
	err = a.update(ctx, c, func(tx store.Tx, h vpc.Home) error {
		acl, err := once(tx, c, request{token: in.ClientToken, parameters: in}, func(id string) (*vpc.ACL, error) { return tables.ACL(tx, h, id) },
			func() (*vpc.ACL, string, error) { return makeACL(tx, h, aws.Val(in.VpcId), tags) })
		if err != nil {
			return err
		}
		out.NetworkAcl = aws.Ptr(renderACL(viewACL(tx, acl)))
		return nil
	})
	return out, err
}

func makeACL(tx store.Tx, h vpc.Home, id string, tags []vpc.Pair) (*vpc.ACL, string, error) {
	v, err := tables.VPC(tx, h, id)
	if err != nil {
		return nil, "", err
	}
	if tables.ACLsByVPC.Count(tx, v.ID) >= maxACLs {
		return nil, "", wire.Errorf("NetworkAclLimitExceeded", "The maximum number of network ACLs has been reached.")
	}
	acl := &vpc.ACL{Home: h, ID: vpc.KindACL.NewID(tx.NewID()), VPC: v.ID}
	tables.Changed(tx, h, v.ID)
	tables.ACLs.Put(tx, acl)
	tables.PutTags(tx, h, acl.ID, tags)
	return acl, acl.ID, nil
}

// DeleteNetworkAcl deletes a network ACL that no subnet has.
func (a *API) DeleteNetworkAcl(ctx context.Context, c wire.Call, in *shape.DeleteNetworkAclRequest) (*aws.Unit, error) {
	return nil, a.update(ctx, c, func(tx store.Tx, h vpc.Home) error {
		acl, err := tables.ACL(tx, h, aws.Val(in.NetworkAclId))
		if err != nil {
			return err
		}
		if acl.Default {
			return invalid("cannot delete default network ACL %s", acl.ID)
		}
		tables.Changed(tx, h, acl.VPC)
		if tables.AssociationsByTarget.Count(tx, acl.ID) > 0 {
			return vpc.KindACL.Dependent(acl.ID)
		}
		tables.PutTags(tx, h, acl.ID, nil)
		tables.ACLs.Delete(tx, tables.Key(h, acl.ID))
		return nil
	})
}

// ReplaceNetworkAclAssociation gives a subnet another network ACL.
func (a *API) ReplaceNetworkAclAssociation(ctx context.Context, c wire.Call, in *shape.ReplaceNetworkAclAssociationRequest) (*shape.ReplaceNetworkAclAssociationResult, error) {
	old := aws.Val(in.AssociationId)
	if err := vpc.KindACLAssociation.Check(old); err != nil {
		return nil, err
	}
	var id string
	err := a.update(ctx, c, func(tx store.Tx, h vpc.Home) error {
		acl, err := tables.ACL(tx, h, aws.Val(in.NetworkAclId))
		if err != nil {
			return err
		}
		v, s, err := subnetOfACL(tx, h, old)
		if err != nil {
			return err
		}
		if acl.VPC != v.ID {
			return invalid("network ACL %s and subnet %s belong to different networks", acl.ID, s)
		}
		tables.Changed(tx, h, v.ID)
		if acl.Default {
			tables.Associations.Delete(tx, tables.AssociationKey(h, vpc.OfACL, s))
			id = v.ACLAssociation(s)
			return nil
		}
		id = vpc.KindACLAssociation.NewID(tx.NewID())
		tables.Associations.Put(tx, &vpc.Association{Home: h, ID: id, Kind: vpc.OfACL, Subnet: s, Target: acl.ID})
		return nil
	})
	return &shape.ReplaceNetworkAclAssociationResult{NewAssociationId: aws.Ptr(id)}, err
}

// subnetOfACL is the subnet of an association with a network ACL: one that is written down, or that of a subnet with its VPC's.
func subnetOfACL(tx store.Tx, h vpc.Home, association string) (*vpc.VPC, string, error) {
	for key, s := range tables.Subnets.List(tx, tables.All(h), "") {
		v, ok := tables.VPCs.Peek(tx, tables.Key(h, s.VPC)) // compared is only the one that it is: there may be more than a transaction compares
		if !ok {
			continue
		}
		if id, _ := aclOf(tx, v, s); id == association {
			tables.Subnets.Get(tx, key)
			v, err := tables.VPC(tx, h, s.VPC)
			return v, s.ID, err
		}
	}
	return nil, "", vpc.KindACLAssociation.NotFound(association)
}

// aclOf is a subnet's association with a network ACL.
func aclOf(tx store.Tx, v *vpc.VPC, s *vpc.Subnet) (association, acl string) {
	if as, ok := tables.Associations.Peek(tx, tables.AssociationKey(s.Home, vpc.OfACL, s.ID)); ok {
		return as.ID, as.Target
	}
	return v.ACLAssociation(s.ID), v.MainACL
}

// aclView is a network ACL with the subnets that have it.
type aclView struct {
	*vpc.ACL
	associations []vpc.Association
	six          bool // its VPC has IPv6
}

func viewACL(tx store.Tx, acl *vpc.ACL) listed[aclView] {
	view := aclView{ACL: acl}
	v, ok := tables.VPCs.Peek(tx, tables.Key(acl.Home, acl.VPC))
	view.six = ok && len(v.Blocks6) > 0
	for _, s := range tables.SubnetsByVPC.List(tx, acl.VPC, "") {
		if !ok {
			break
		}
		if id, target := aclOf(tx, v, s); target == acl.ID {
			view.associations = append(view.associations, vpc.Association{ID: id, Subnet: s.ID, Target: target})
		}
	}
	return listed[aclView]{ID: acl.ID, Item: view, Tags: tables.TagsOf(tx, acl.Home, acl.ID)}
}

// ofEntries is a field of the entries of a network ACL.
func ofEntries(f func(e vpc.ACLEntry, egress bool) string) func(aclView) []string {
	return func(v aclView) (all []string) {
		for _, e := range v.Ingress {
			all = append(all, one(f(e, false))...)
		}
		for _, e := range v.Egress {
			all = append(all, one(f(e, true))...)
		}
		return all
	}
}

var aclFields = vpc.Fields[aclView]{
	"association.association-id": func(v aclView) []string {
		return render(v.associations, func(a vpc.Association) string { return a.ID })
	},
	"association.network-acl-id": func(v aclView) []string {
		return render(v.associations, func(a vpc.Association) string { return a.Target })
	},
	"association.subnet-id": func(v aclView) []string {
		return render(v.associations, func(a vpc.Association) string { return a.Subnet })
	},
	"default":        func(v aclView) []string { return one(either(v.Default)) },
	"network-acl-id": func(v aclView) []string { return one(v.ID) },
	"owner-id":       func(v aclView) []string { return one(v.Account) },
	"vpc-id":         func(v aclView) []string { return one(v.VPC) },
	"entry.cidr": ofEntries(func(e vpc.ACLEntry, _ bool) string {
		if e.CIDR.Addr().Is4() {
			return e.CIDR.String()
		}
		return ""
	}),
	"entry.ipv6-cidr": ofEntries(func(e vpc.ACLEntry, _ bool) string {
		if e.CIDR.Addr().Is6() {
			return e.CIDR.String()
		}
		return ""
	}),
	"entry.egress":          ofEntries(func(_ vpc.ACLEntry, egress bool) string { return either(egress) }),
	"entry.icmp.code":       ofEntries(func(e vpc.ACLEntry, _ bool) string { return matchText(e.Match, hasICMP, e.Match.To) }),
	"entry.icmp.type":       ofEntries(func(e vpc.ACLEntry, _ bool) string { return matchText(e.Match, hasICMP, e.Match.From) }),
	"entry.port-range.from": ofEntries(func(e vpc.ACLEntry, _ bool) string { return matchText(e.Match, hasPorts, e.Match.From) }),
	"entry.port-range.to":   ofEntries(func(e vpc.ACLEntry, _ bool) string { return matchText(e.Match, hasPorts, e.Match.To) }),
	"entry.protocol":        ofEntries(func(e vpc.ACLEntry, _ bool) string { return strconv.Itoa(int(e.Match.Protocol)) }),
	"entry.rule-action":     ofEntries(func(e vpc.ACLEntry, _ bool) string { return action(e.Allow) }),
	"entry.rule-number":     ofEntries(func(e vpc.ACLEntry, _ bool) string { return strconv.Itoa(int(e.Number)) }),
}

// matchText is a bound of what a protocol has, if it has it.
func matchText(m vpc.Match, has func(int32) bool, bound int32) string {
	if !has(m.Protocol) {
		return ""
	}
	return strconv.Itoa(int(bound))
}

// DescribeNetworkAcls lists network ACLs.
func (a *API) DescribeNetworkAcls(ctx context.Context, c wire.Call, in *shape.DescribeNetworkAclsRequest) (*shape.DescribeNetworkAclsResult, error) {
	out := &shape.DescribeNetworkAclsResult{}
	err := a.view(ctx, c, func(tx store.Tx, h vpc.Home) error {
		page, next, err := list(c, listing[aclView]{
			Kind: vpc.KindACL, IDs: in.NetworkAclIds, Fields: aclFields, Filters: in.Filters, Max: in.MaxResults, Token: in.NextToken,
		}, viewed(tx, h, tables.ACLs, func(acl *vpc.ACL) listed[aclView] { return viewACL(tx, acl) }))
		out.NetworkAcls, out.NextToken = render(page, renderACL), next
		return err
	})
	return out, err
}

func renderACL(l listed[aclView]) shape.NetworkAcl {
	v := l.Item
	out := shape.NetworkAcl{
		NetworkAclId: aws.Ptr(v.ID), VpcId: aws.Ptr(v.VPC), OwnerId: aws.Ptr(v.Account), IsDefault: aws.Ptr(v.Default), Tags: renderTags(l.Tags),
		Entries: append(v.entries(v.Egress, true), v.entries(v.Ingress, false)...),
	}
	out.Associations = render(v.associations, func(as vpc.Association) shape.NetworkAclAssociation {
		return shape.NetworkAclAssociation{NetworkAclAssociationId: aws.Ptr(as.ID), NetworkAclId: aws.Ptr(as.Target), SubnetId: aws.Ptr(as.Subnet)}
	})
	return out
}
