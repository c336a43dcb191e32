package vpcapi

import (
	"context"
	"iter"
	"slices"
	"strings"

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
		}, rulesOfHome(tx, h, in.Filters))
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

// rulesOfHome are a home's rules. Their keys begin with their groups, so that a list in order of their ids is made as a whole; the rules of one
// group, which most calls ask for, are looked at alone.
func rulesOfHome(tx store.Tx, h vpc.Home, wanted []shape.Filter) source[*vpc.Rule] {
	view := func(r *vpc.Rule) listed[*vpc.Rule] {
		return listed[*vpc.Rule]{ID: r.ID, Item: r, Tags: tables.TagsOf(tx, h, r.ID)}
	}
	return source[*vpc.Rule]{
		after: func(after string) iter.Seq[listed[*vpc.Rule]] {
			prefix := tables.All(h)
			if group, ok := only(wanted, "group-id"); ok {
				prefix = tables.At(h).Prefix(group)
			}
			var behind []*vpc.Rule
			for _, r := range tables.Rules.List(tx, prefix, "") {
				if r.ID > after {
					behind = append(behind, r)
				}
			}
			slices.SortFunc(behind, func(a, b *vpc.Rule) int { return strings.Compare(a.ID, b.ID) })
			return func(yield func(listed[*vpc.Rule]) bool) {
				for _, r := range behind {
					if !yield(view(r)) {
						return
					}
				}
			}
		},
		one: func(id string) (listed[*vpc.Rule], bool) {
			for _, r := range tables.RulesByID.List(tx, id, "") {
				if r.Home == h {
					return view(r), true
				}
			}
			return listed[*vpc.Rule]{}, false
		},
	}
}
