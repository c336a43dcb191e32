package vpcapi

import (
	"github.com/berth-ecs/berth/wire"
	shape "github.com/berth-ecs/berth/wire/shape/ec2"
)

// bindGroups binds the operations of security groups, their rules, and the prefix lists that rules may name.
func (a *API) bindGroups(m *wire.Mux) {
	bind(m, shape.OpCreateSecurityGroup, a.CreateSecurityGroup)
	bind(m, shape.OpDeleteSecurityGroup, a.DeleteSecurityGroup)
	bind(m, shape.OpDescribeSecurityGroups, a.DescribeSecurityGroups)
	bind(m, shape.OpDescribeSecurityGroupRules, a.DescribeSecurityGroupRules)
	bind(m, shape.OpDescribeStaleSecurityGroups, a.DescribeStaleSecurityGroups)
	bind(m, shape.OpDescribeSecurityGroupReferences, a.DescribeSecurityGroupReferences)
	bind(m, shape.OpAuthorizeSecurityGroupIngress, a.AuthorizeSecurityGroupIngress)
	bind(m, shape.OpAuthorizeSecurityGroupEgress, a.AuthorizeSecurityGroupEgress)
	bind(m, shape.OpRevokeSecurityGroupIngress, a.RevokeSecurityGroupIngress)
	bind(m, shape.OpRevokeSecurityGroupEgress, a.RevokeSecurityGroupEgress)
	bind(m, shape.OpModifySecurityGroupRules, a.ModifySecurityGroupRules)
	bind(m, shape.OpUpdateSecurityGroupRuleDescriptionsIngress, a.UpdateSecurityGroupRuleDescriptionsIngress)
	bind(m, shape.OpUpdateSecurityGroupRuleDescriptionsEgress, a.UpdateSecurityGroupRuleDescriptionsEgress)
	bind(m, shape.OpDescribeManagedPrefixLists, a.DescribeManagedPrefixLists)
	bind(m, shape.OpDescribePrefixLists, a.DescribePrefixLists)
	bind(m, shape.OpGetManagedPrefixListEntries, a.GetManagedPrefixListEntries)
}
