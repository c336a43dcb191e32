package vpcapi

import (
	"context"
	"slices"
	"strconv"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/vpc/permission"
	"github.com/berth-ecs/berth/vpc/tables"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ec2"
)

// ruledGroup is a group with its rules of both directions.
type ruledGroup struct {
	*vpc.SecurityGroup
	in, out []*vpc.Rule
}

// DescribeSecurityGroups lists groups with their rules.
func (a *API) DescribeSecurityGroups(ctx context.Context, c wire.Call, in *shape.DescribeSecurityGroupsRequest) (*shape.DescribeSecurityGroupsResult, error) {
	out := &shape.DescribeSecurityGroupsResult{SecurityGroups: []shape.SecurityGroup{}}
	err := a.view(ctx, c, func(tx store.Tx, h vpc.Home) error {
		ids := slices.Clone(in.GroupIds)
		for _, name := range in.GroupNames {
			g, err := groupOf(tx, h, nil, &name)
			if err != nil {
				return err
			}
			ids = append(ids, g.ID)
		}
		page, next, err := list(c, listing[ruledGroup]{
			Kind: vpc.KindGroup, IDs: ids, Fields: groupFields(tx, h), Filters: in.Filters, Max: in.MaxResults, Token: in.NextToken,
		}, viewed(tx, h, tables.SecurityGroups, func(g *vpc.SecurityGroup) listed[ruledGroup] { return viewGroup(tx, g) }))
		for _, g := range page {
			out.SecurityGroups = append(out.SecurityGroups, renderGroup(g))
		}
		out.NextToken = next
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func viewGroup(tx store.Tx, g *vpc.SecurityGroup) listed[ruledGroup] {
	r := ruledGroup{SecurityGroup: g}
	for _, rule := range tables.RulesOf(tx, g.Home, g.ID) {
		if rule.Egress {
			r.out = append(r.out, rule)
		} else {
			r.in = append(r.in, rule)
		}
	}
	return listed[ruledGroup]{ID: g.ID, Item: r, Tags: tables.TagsOf(tx, g.Home, g.ID)}
}

func renderGroup(g listed[ruledGroup]) shape.SecurityGroup {
	r := g.Item
	return shape.SecurityGroup{
		GroupId: &r.ID, GroupName: &r.Name, Description: &r.Description, VpcId: &r.VPC, OwnerId: &r.Account,
		SecurityGroupArn: aws.Ptr(r.ARN(vpc.KindGroup.Type, r.ID)), Tags: renderTags(g.Tags),
		IpPermissions: permission.Permissions(r.in), IpPermissionsEgress: permission.Permissions(r.out),
	}
}

// groupFields are the filters of groups: those of each rule are there for both directions.
func groupFields(tx store.Tx, h vpc.Home) vpc.Fields[ruledGroup] {
	f := vpc.Fields[ruledGroup]{
		"description": func(g ruledGroup) []string { return one(g.Description) },
		"group-id":    func(g ruledGroup) []string { return one(g.ID) },
		"group-name":  func(g ruledGroup) []string { return one(g.Name) },
		"owner-id":    func(g ruledGroup) []string { return one(g.Account) },
		"vpc-id":      func(g ruledGroup) []string { return one(g.VPC) },
	}
	for name, value := range ruleFields(tx, h) {
		each := func(rules []*vpc.Rule) (values []string) {
			for _, r := range rules {
				values = append(values, value(r)...)
			}
			return values
		}
		f["ip-permission."+name] = func(g ruledGroup) []string { return each(g.in) }
		f["egress.ip-permission."+name] = func(g ruledGroup) []string { return each(g.out) }
	}
	return f
}

func ruleFields(tx store.Tx, h vpc.Home) map[string]func(*vpc.Rule) []string {
	cidr := func(r *vpc.Rule, six bool) []string {
		if p := r.Peer.CIDR; p.IsValid() && p.Addr().Is6() == six {
			return []string{p.String()}
		}
		return nil
	}
	return map[string]func(*vpc.Rule) []string{
		"cidr":           func(r *vpc.Rule) []string { return cidr(r, false) },
		"ipv6-cidr":      func(r *vpc.Rule) []string { return cidr(r, true) },
		"from-port":      func(r *vpc.Rule) []string { return []string{strconv.Itoa(int(r.Match.From))} },
		"to-port":        func(r *vpc.Rule) []string { return []string{strconv.Itoa(int(r.Match.To))} },
		"protocol":       func(r *vpc.Rule) []string { return []string{permission.Protocol(r.Match.Protocol)} },
		"group-id":       func(r *vpc.Rule) []string { return one(r.Peer.Group) },
		"prefix-list-id": func(r *vpc.Rule) []string { return one(r.Peer.PrefixList) },
		"user-id": func(r *vpc.Rule) []string {
			if r.Peer.Group == "" {
				return nil
			}
			return one(r.Account)
		},
		"group-name": func(r *vpc.Rule) []string {
			if r.Peer.Group == "" {
				return nil
			}
			if g, ok := tables.SecurityGroups.Peek(tx, tables.Key(h, r.Peer.Group)); ok {
				return one(g.Name)
			}
			return nil
		},
	}
}

// DescribeStaleSecurityGroups: no group is stale, because rules that name groups of other VPCs are not there.
func (a *API) DescribeStaleSecurityGroups(ctx context.Context, c wire.Call, in *shape.DescribeStaleSecurityGroupsRequest) (*shape.DescribeStaleSecurityGroupsResult, error) {
	err := a.view(ctx, c, func(tx store.Tx, h vpc.Home) error {
		_, err := tables.VPC(tx, h, aws.Val(in.VpcId))
		return err
	})
	if err != nil {
		return nil, err
	}
	return &shape.DescribeStaleSecurityGroupsResult{StaleSecurityGroupSet: []shape.StaleSecurityGroup{}}, nil
}

// DescribeSecurityGroupReferences: no VPC refers to groups of another, because none is peered.
func (a *API) DescribeSecurityGroupReferences(ctx context.Context, c wire.Call, in *shape.DescribeSecurityGroupReferencesRequest) (*shape.DescribeSecurityGroupReferencesResult, error) {
	if len(in.GroupId) == 0 {
		return nil, missing("groupId")
	}
	err := a.view(ctx, c, func(tx store.Tx, h vpc.Home) error {
		for _, id := range in.GroupId {
			if _, err := tables.Group(tx, h, id); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &shape.DescribeSecurityGroupReferencesResult{SecurityGroupReferenceSet: []shape.SecurityGroupReference{}}, nil
}
