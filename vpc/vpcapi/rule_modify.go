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

// modifiedAtOnce is how many rules one transaction modifies: it compares each, and the group that it names.
const modifiedAtOnce = 25

// ModifySecurityGroupRules replaces what rules say; they keep their ids.
func (a *API) ModifySecurityGroupRules(ctx context.Context, c wire.Call, in *shape.ModifySecurityGroupRulesRequest) (*shape.ModifySecurityGroupRulesResult, error) {
	if len(in.SecurityGroupRules) > modifiedAtOnce {
		return nil, invalid("At most %d rules can be modified in one request.", modifiedAtOnce)
	}
	err := a.update(ctx, c, func(tx store.Tx, h vpc.Home) error {
		g, err := groupOf(tx, h, in.GroupId, nil)
		if err != nil {
			return err
		}
		tables.Changed(tx, h, g.ID)
		for _, u := range in.SecurityGroupRules {
			if err := modifyRule(tx, g, u); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &shape.ModifySecurityGroupRulesResult{Return: aws.Ptr(true)}, nil
}

func modifyRule(tx store.Tx, g *vpc.SecurityGroup, u shape.SecurityGroupRuleUpdate) error {
	id := aws.Val(u.SecurityGroupRuleId)
	if err := vpc.KindRule.Check(id); err != nil {
		return err
	}
	old, ok := tables.Rules.Get(tx, tables.RuleKey(g.Home, g.ID, id))
	if !ok {
		return vpc.KindRule.NotFound(id)
	}
	if u.SecurityGroupRule == nil {
		return missing("SecurityGroupRule")
	}
	rules, err := permission.Asked{Permissions: []shape.IpPermission{asPermission(u.SecurityGroupRule)}, Group: peers(tx, g)}.Rules()
	switch {
	case err != nil:
		return err
	case len(rules) != 1:
		return wire.Errorf("InvalidParameterCombination", "Only one of CidrIpv4, CidrIpv6, PrefixListId and ReferencedGroupId can be specified")
	}
	changed := *old
	changed.Match, changed.Peer, changed.Description = rules[0].Match, rules[0].Peer, rules[0].Description
	have := directed(tx, g, old.Egress)
	delete(have, permission.SameAs(old))
	if err := allowed(g.Home, &changed, have); err != nil {
		return err
	}
	if err := usePeer(tx, &changed); err != nil {
		return err
	}
	tables.Rules.Put(tx, &changed)
	return nil
}

// asPermission is one rule in the words of an authorization.
func asPermission(r *shape.SecurityGroupRuleRequest) shape.IpPermission {
	p := shape.IpPermission{IpProtocol: r.IpProtocol, FromPort: r.FromPort, ToPort: r.ToPort}
	if r.CidrIpv4 != nil {
		p.IpRanges = []shape.IpRange{{CidrIp: r.CidrIpv4, Description: r.Description}}
	}
	if r.CidrIpv6 != nil {
		p.Ipv6Ranges = []shape.Ipv6Range{{CidrIpv6: r.CidrIpv6, Description: r.Description}}
	}
	if r.PrefixListId != nil {
		p.PrefixListIds = []shape.PrefixListId{{PrefixListId: r.PrefixListId, Description: r.Description}}
	}
	if r.ReferencedGroupId != nil {
		p.UserIdGroupPairs = []shape.UserIdGroupPair{{GroupId: r.ReferencedGroupId, Description: r.Description}}
	}
	return p
}

// UpdateSecurityGroupRuleDescriptionsIngress changes descriptions of rules.
func (a *API) UpdateSecurityGroupRuleDescriptionsIngress(ctx context.Context, c wire.Call, in *shape.UpdateSecurityGroupRuleDescriptionsIngressRequest) (*shape.UpdateSecurityGroupRuleDescriptionsIngressResult, error) {
	q := authorization{group: in.GroupId, name: in.GroupName, permissions: in.IpPermissions}
	if err := a.redescribe(ctx, c, q, in.SecurityGroupRuleDescriptions); err != nil {
		return nil, err
	}
	return &shape.UpdateSecurityGroupRuleDescriptionsIngressResult{Return: aws.Ptr(true)}, nil
}

// UpdateSecurityGroupRuleDescriptionsEgress changes descriptions of rules.
func (a *API) UpdateSecurityGroupRuleDescriptionsEgress(ctx context.Context, c wire.Call, in *shape.UpdateSecurityGroupRuleDescriptionsEgressRequest) (*shape.UpdateSecurityGroupRuleDescriptionsEgressResult, error) {
	q := authorization{egress: true, group: in.GroupId, name: in.GroupName, permissions: in.IpPermissions}
	if err := a.redescribe(ctx, c, q, in.SecurityGroupRuleDescriptions); err != nil {
		return nil, err
	}
	return &shape.UpdateSecurityGroupRuleDescriptionsEgressResult{Return: aws.Ptr(true)}, nil
}

// redescribe gives rules other descriptions, or none.
func (a *API) redescribe(ctx context.Context, c wire.Call, q authorization, byRule []shape.SecurityGroupRuleDescription) error {
	if len(byRule) > 0 && len(q.permissions) > 0 {
		return together("IpPermissions", "SecurityGroupRuleDescriptions")
	}
	return a.update(ctx, c, func(tx store.Tx, h vpc.Home) error {
		g, err := groupOf(tx, h, q.group, q.name)
		if err != nil {
			return err
		}
		texts, err := descriptions(tx, g, q, byRule)
		if err != nil {
			return err
		}
		if len(texts) > 2*rulesAtOnce {
			return invalid("At most %d descriptions can be changed in one request.", 2*rulesAtOnce)
		}
		tables.Changed(tx, h, g.ID)
		for _, r := range tables.RulesOf(tx, h, g.ID) {
			if text, ok := texts[r.ID]; ok {
				changed := *r
				changed.Description = text
				tables.Rules.Put(tx, &changed)
			}
		}
		return nil
	})
}

// descriptions are the texts that a request gives, by the ids of the rules.
func descriptions(tx store.Tx, g *vpc.SecurityGroup, q authorization, byRule []shape.SecurityGroupRuleDescription) (map[string]string, error) {
	have := directed(tx, g, q.egress)
	texts := map[string]string{}
	if len(byRule) > 0 {
		for _, d := range byRule {
			if _, err := byID(have, []string{aws.Val(d.SecurityGroupRuleId)}); err != nil {
				return nil, err
			}
			if err := permission.CheckDescription(aws.Val(d.Description)); err != nil {
				return nil, err
			}
			texts[aws.Val(d.SecurityGroupRuleId)] = aws.Val(d.Description)
		}
		return texts, nil
	}
	asked, err := permission.Asked{Permissions: q.permissions, Group: named(tx, g)}.Rules()
	for _, r := range asked {
		known := have[permission.SameAs(&r)]
		if known == nil {
			return nil, noSuchRule()
		}
		texts[known.ID] = r.Description
	}
	return texts, err
}
