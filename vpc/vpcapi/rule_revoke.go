package vpcapi

import (
	"context"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/vpc/permission"
	"github.com/berth-ecs/berth/vpc/tables"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ec2"
)

// RevokeSecurityGroupIngress takes rules away.
func (a *API) RevokeSecurityGroupIngress(ctx context.Context, c wire.Call, in *shape.RevokeSecurityGroupIngressRequest) (*shape.RevokeSecurityGroupIngressResult, error) {
	gone, unknown, err := a.revoke(ctx, c, revocation{ids: in.SecurityGroupRuleIds, authorization: authorization{
		group: in.GroupId, name: in.GroupName, permissions: in.IpPermissions,
		flat: permission.Flat{Protocol: in.IpProtocol, CIDR: in.CidrIp, SourceName: in.SourceSecurityGroupName, SourceOwner: in.SourceSecurityGroupOwnerId, From: in.FromPort, To: in.ToPort},
	}})
	if err != nil {
		return nil, err
	}
	return &shape.RevokeSecurityGroupIngressResult{Return: aws.Ptr(true), RevokedSecurityGroupRules: gone, UnknownIpPermissions: unknown}, nil
}

// RevokeSecurityGroupEgress takes rules away.
func (a *API) RevokeSecurityGroupEgress(ctx context.Context, c wire.Call, in *shape.RevokeSecurityGroupEgressRequest) (*shape.RevokeSecurityGroupEgressResult, error) {
	gone, unknown, err := a.revoke(ctx, c, revocation{ids: in.SecurityGroupRuleIds, authorization: authorization{
		egress: true, group: in.GroupId, permissions: in.IpPermissions,
		flat: permission.Flat{Protocol: in.IpProtocol, CIDR: in.CidrIp, SourceName: in.SourceSecurityGroupName, SourceOwner: in.SourceSecurityGroupOwnerId, From: in.FromPort, To: in.ToPort},
	}})
	if err != nil {
		return nil, err
	}
	return &shape.RevokeSecurityGroupEgressResult{Return: aws.Ptr(true), RevokedSecurityGroupRules: gone, UnknownIpPermissions: unknown}, nil
}

// revocation names rules that are to go: by their ids, or as they were authorized.
type revocation struct {
	ids []string
	authorization
}

// revoke takes rules away, as many in one transaction as fit. A rule that is not there is an error before any goes; in the default VPC, as
// in EC2, it is only named in the answer, unless it was named by its id.
func (a *API) revoke(ctx context.Context, c wire.Call, q revocation) (gone []shape.RevokedSecurityGroupRule, unknown []shape.IpPermission, err error) {
	gone = []shape.RevokedSecurityGroupRule{}
	var todo []*vpc.Rule
	first := true
	for first || len(todo) > 0 {
		var dropped []*vpc.Rule
		err := a.update(ctx, c, func(tx store.Tx, h vpc.Home) error {
			if first {
				found, strange, err := revocable(tx, h, q)
				if err != nil {
					return err
				}
				todo, unknown = found, permission.Permissions(strange)
			}
			dropped = todo[:min(rulesAtOnce, len(todo))]
			if len(dropped) == 0 {
				return nil
			}
			tables.Changed(tx, h, dropped[0].Group)
			for _, r := range dropped {
				tables.DropRule(tx, r)
			}
			return nil
		})
		if err != nil {
			return nil, nil, err
		}
		first = false
		todo = todo[len(dropped):]
		for _, r := range dropped {
			gone = append(gone, permission.Revoked(r))
		}
	}
	return gone, unknown, nil
}

// revocable are the rules that a revocation means, and those that are not there.
func revocable(tx store.Tx, h vpc.Home, q revocation) (found, strange []*vpc.Rule, err error) {
	g, err := groupOf(tx, h, q.group, q.name)
	if err != nil {
		return nil, nil, err
	}
	have := directed(tx, g, q.egress)
	if len(q.ids) > 0 {
		found, err = byID(have, q.ids)
		return found, nil, err
	}
	asked, err := permission.Asked{Permissions: q.permissions, Flat: q.flat, Group: named(tx, g)}.Rules()
	if err != nil {
		return nil, nil, err
	}
	for _, r := range asked {
		if known := have[permission.SameAs(&r)]; known != nil {
			found = append(found, known)
			continue
		}
		r.Home = h
		strange = append(strange, &r)
	}
	v, err := tables.VPC(tx, h, g.VPC)
	if err == nil && len(strange) > 0 && !v.Default {
		err = noSuchRule()
	}
	return found, strange, err
}

// named answers the ids of groups that rules name, also of those that are gone.
func named(tx store.Tx, g *vpc.SecurityGroup) func(shape.UserIdGroupPair) (string, error) {
	known := peers(tx, g)
	return func(p shape.UserIdGroupPair) (string, error) {
		if p.GroupId != nil {
			return *p.GroupId, vpc.KindGroup.Check(*p.GroupId)
		}
		return known(p)
	}
}

// byID are the rules of ids, each of which must be there.
func byID(have map[permission.Same]*vpc.Rule, ids []string) ([]*vpc.Rule, error) {
	rules := map[string]*vpc.Rule{}
	for _, r := range have {
		rules[r.ID] = r
	}
	if err := checkIDs(vpc.KindRule, ids); err != nil {
		return nil, err
	}
	if err := found(vpc.KindRule, ids, func(id string) bool { return rules[id] != nil }); err != nil {
		return nil, err
	}
	var out []*vpc.Rule
	for _, id := range ids {
		if r := rules[id]; r != nil {
			out = append(out, r)
			delete(rules, id) // named twice
		}
	}
	return out, nil
}

func noSuchRule() error {
	return wire.Errorf("InvalidPermission.NotFound", "The specified rule does not exist in this security group.")
}
