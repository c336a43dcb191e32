package vpcapi

import (
	"context"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/vpc/permission"
	"github.com/berth-ecs/berth/vpc/tables"
	"github.com/berth-ecs/berth/wire"
	shape "github.com/berth-ecs/berth/wire/shape/ec2"
)

var securityRuleFields = vpc.Fields[*vpc.Rule]{
	"group-id":               func(r *vpc.Rule) []string { return one(r.Group) },
	"security-group-rule-id": func(r *vpc.Rule) []string { return one(r.ID) },
}

// DescribeSecurityGroupRules lists rules.
func (a *API) DescribeSecurityGroupRules(ctx context.Context, c wire.Call, in *shape.DescribeSecurityGroupRulesRequest) (*shape.DescribeSecurityGroupRulesResult, error) {
	out := &shape.DescribeSecurityGroupRulesResult{SecurityGroupRules: []shape.SecurityGroupRule{}}
	err := a.view(ctx, c, func(tx store.Tx, h vpc.Home) error {
		page, next, err := list(c, listing[*vpc.Rule]{
			Kind: vpc.KindRule, IDs: in.SecurityGroupRuleIds, Fields: securityRuleFields, Filters: in.Filters, Max: in.MaxResults, Token: in.NextToken,
		}, rulesByID(tx, h))
		for _, r := range page {
			rule := permission.Rule(r.Item)
			rule.Tags = renderTags(r.Tags)
			out.SecurityGroupRules = append(out.SecurityGroupRules, rule)
		}
		out.NextToken = next
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// rulesByID yields a home's rules in order of their ids; their keys begin with their groups.
func rulesByID(tx store.Tx, h vpc.Home) func(func(listed[*vpc.Rule]) bool) {
	return inOrder(tagged(tx, h, tables.Rules.List(tx, tables.All(h), ""), func(r *vpc.Rule) string { return r.ID }))
}
