package vpcapi

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/vpc/tables"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ec2"
)

func tcp(port int32, cidrs ...string) shape.IpPermission {
	p := shape.IpPermission{IpProtocol: aws.Ptr("tcp"), FromPort: &port, ToPort: &port}
	for _, c := range cidrs {
		p.IpRanges = append(p.IpRanges, shape.IpRange{CidrIp: aws.Ptr(c)})
	}
	return p
}

func fromGroup(id string) shape.IpPermission {
	return shape.IpPermission{IpProtocol: aws.Ptr("-1"), UserIdGroupPairs: []shape.UserIdGroupPair{{GroupId: &id}}}
}

func (s *site) ingress(group string, p ...shape.IpPermission) []shape.SecurityGroupRule {
	s.Helper()
	return ask(s, s.AuthorizeSecurityGroupIngress, shape.AuthorizeSecurityGroupIngressRequest{GroupId: &group, IpPermissions: p}).SecurityGroupRules
}

// described are the ids of groups that fit filters.
func (s *site) described(in shape.DescribeSecurityGroupsRequest) (ids []string) {
	s.Helper()
	for _, g := range ask(s, s.DescribeSecurityGroups, in).SecurityGroups {
		ids = append(ids, *g.GroupId)
	}
	return ids
}

func TestGroupBegins(t *testing.T) {
	s := newSite(t)
	id := s.group(s.other, "web")
	out := ask(s, s.DescribeSecurityGroups, shape.DescribeSecurityGroupsRequest{GroupIds: []string{id}})
	g := out.SecurityGroups[0]
	if len(g.IpPermissions) != 0 || len(g.IpPermissionsEgress) != 1 || *g.IpPermissionsEgress[0].IpProtocol != "-1" || g.IpPermissionsEgress[0].FromPort != nil ||
		*g.SecurityGroupArn != "arn:aws:ec2:us-east-1:000000000000:security-group/"+id || *g.VpcId != s.other.ID {
		t.Error(asJSON(g))
	}
	rules := ask(s, s.DescribeSecurityGroupRules, shape.DescribeSecurityGroupRulesRequest{Filters: filter("group-id", id)}).SecurityGroupRules
	if len(rules) != 1 || !*rules[0].IsEgress || *rules[0].FromPort != -1 || *rules[0].CidrIpv4 != "0.0.0.0/0" {
		t.Error(asJSON(rules))
	}
}

func TestGroupRefusals(t *testing.T) {
	s := newSite(t)
	s.group(s.other, "web")
	create := func(name, description, in, want string) {
		t.Helper()
		r := shape.CreateSecurityGroupRequest{GroupName: &name, Description: &description}
		if in != "" {
			r.VpcId = &in
		}
		refused(s, s.CreateSecurityGroup, r, want)
	}
	create("web", "x", s.other.ID, "InvalidGroup.Duplicate: The security group 'web' already exists for VPC '"+s.other.ID+"'")
	create("default", "x", s.other.ID, "InvalidParameterValue: Cannot use reserved security group name: default")
	create("sg-web", "x", s.other.ID, "InvalidParameterValue: Value (sg-web) for parameter GroupName is invalid. Group names may not be in the format sg-*.")
	create("wéb", "x", s.other.ID, "InvalidParameterValue: Value (wéb) for parameter GroupName is invalid. Character sets beyond ASCII are not supported.")
	create("w<b", "x", s.other.ID, "InvalidParameterValue: Value (w<b) for parameter GroupName is invalid.")
	create(strings.Repeat("w", 256), "x", s.other.ID, "InvalidParameterValue: ")
	create("new", "<", s.other.ID, "InvalidParameterValue: Value (<) for parameter GroupDescription is invalid.")
	create("new", "", s.other.ID, "MissingParameter: ")
	create("new", "x", "vpc-00000000000000000", "InvalidVpcID.NotFound: The vpc ID 'vpc-00000000000000000' does not exist")
	if id := s.group(s.vpc, "web"); id == "" {
		t.Error("a name of another VPC is taken")
	}
	for want, in := range map[string]shape.DeleteSecurityGroupRequest{
		"CannotDelete: the specified group: \"" + s.other.DefaultGroup + "\" name: \"default\" cannot be deleted by a user": {GroupId: &s.other.DefaultGroup},
		"InvalidGroup.NotFound: The security group 'sg-00000000000000000' does not exist":                                   {GroupId: aws.Ptr("sg-00000000000000000")},
		"InvalidGroupId.Malformed: ":                                        {GroupId: aws.Ptr("web")},
		"InvalidGroup.NotFound: The security group 'nobody' does not exist": {GroupName: aws.Ptr("nobody")},
		"MissingParameter: ":                                                {},
	} {
		refused(s, s.DeleteSecurityGroup, in, want)
	}
	ask(s, s.DeleteSecurityGroup, shape.DeleteSecurityGroupRequest{GroupName: aws.Ptr("web")})
}

func TestGroupDependencies(t *testing.T) {
	s := newSite(t)
	web, db := s.group(s.other, "web"), s.group(s.other, "db")
	r := s.ingress(db, fromGroup(web))
	s.ingress(web, fromGroup(web)) // of itself: no dependency
	del := shape.DeleteSecurityGroupRequest{GroupId: &web}
	refused(s, s.DeleteSecurityGroup, del, "DependencyViolation: resource "+web+" has a dependent object")
	ask(s, s.RevokeSecurityGroupIngress, shape.RevokeSecurityGroupIngressRequest{GroupId: &db, SecurityGroupRuleIds: []string{*r[0].SecurityGroupRuleId}})
	eni, err := s.attach(tables.Spec{Home: at, Subnet: s.remote.ID, Groups: []string{web}})
	s.must(err)
	refused(s, s.DeleteSecurityGroup, del, "DependencyViolation: resource "+web+" has a dependent object")
	s.must(s.store.Update(t.Context(), func(tx store.Tx) error { tables.Release(tx, at, eni.ID); return nil }))
	ask(s, s.DeleteSecurityGroup, del)
	refused(s, s.DeleteSecurityGroup, del, "InvalidGroup.NotFound: ")
	s.must(s.store.View(t.Context(), store.Fresh, func(tx store.Tx) error {
		if left := tables.RulesOf(tx, at, web); len(left) > 0 {
			t.Errorf("%d rules of a group that is gone", len(left))
		}
		for _, d := range tables.Deletions.List(tx, "", "") {
			t.Errorf("left: %+v", d)
		}
		return nil
	}))
}

func (s *site) attach(spec tables.Spec) (i *vpc.Interface, err error) {
	err = s.store.Update(s.Context(), func(tx store.Tx) error {
		var err error
		i, err = tables.Attach(tx, spec)
		return err
	})
	return i, err
}

func TestAuthorizeRefuses(t *testing.T) {
	s := newSite(t)
	web := s.group(s.other, "web")
	foreign := s.group(s.vpc, "foreign")
	s.ingress(web, tcp(22, "0.0.0.0/0"))
	for want, p := range map[string]shape.IpPermission{
		"InvalidPermission.Duplicate: the specified rule \"peer: 0.0.0.0/0, TCP, from port: 22, to port: 22, ALLOW\" already exists": tcp(22, "1.2.3.4/0"),
		"InvalidGroup.NotFound: The security group 'sg-00000000000000000' does not exist":                                            fromGroup("sg-00000000000000000"),
		"InvalidGroup.NotFound: You have specified two resources that belong to different networks.":                                 fromGroup(foreign),
		"InvalidGroupId.Malformed: ": fromGroup("web"),
		"InvalidPrefixListID.NotFound: The prefix list ID 'pl-00000000' does not exist": {IpProtocol: aws.Ptr("-1"), PrefixListIds: []shape.PrefixListId{{PrefixListId: aws.Ptr("pl-00000000")}}},
		"InvalidParameterValue: CIDR block 1.2.3 is malformed":                          tcp(22, "1.2.3"),
	} {
		refused(s, s.AuthorizeSecurityGroupIngress, shape.AuthorizeSecurityGroupIngressRequest{GroupId: &web, IpPermissions: []shape.IpPermission{p}}, want)
	}
	// The other direction has rules of its own; a rule with a good and a bad part adds neither.
	ask(s, s.AuthorizeSecurityGroupEgress, shape.AuthorizeSecurityGroupEgressRequest{GroupId: &web, IpPermissions: []shape.IpPermission{tcp(22, "0.0.0.0/0")}})
	refused(s, s.AuthorizeSecurityGroupIngress, shape.AuthorizeSecurityGroupIngressRequest{GroupId: &web, IpPermissions: []shape.IpPermission{tcp(80, "0.0.0.0/0"), tcp(22, "0.0.0.0/0")}},
		"InvalidPermission.Duplicate")
	if got := s.described(shape.DescribeSecurityGroupsRequest{Filters: filter("ip-permission.from-port", "80")}); len(got) != 0 {
		t.Error("half of a request was done")
	}
}

func TestRuleLimit(t *testing.T) {
	s := newSite(t)
	web := s.group(s.other, "web")
	var many []string
	for i := range maxRules {
		many = append(many, fmt.Sprintf("10.%d.%d.0/24", i/256, i%256))
	}
	rules := s.ingress(web, tcp(80, many...)) // in parts
	if len(rules) != maxRules {
		t.Fatalf("%d rules", len(rules))
	}
	refused(s, s.AuthorizeSecurityGroupIngress, shape.AuthorizeSecurityGroupIngressRequest{GroupId: &web, IpPermissions: []shape.IpPermission{tcp(81, "0.0.0.0/0")}},
		"RulesPerSecurityGroupLimitExceeded: The maximum number of rules per security group has been reached.")
	out := ask(s, s.RevokeSecurityGroupIngress, shape.RevokeSecurityGroupIngressRequest{GroupId: &web, IpPermissions: []shape.IpPermission{tcp(80, many[:100]...)}})
	if len(out.RevokedSecurityGroupRules) != 100 {
		t.Errorf("%d rules were revoked", len(out.RevokedSecurityGroupRules))
	}
	ask(s, s.DeleteSecurityGroup, shape.DeleteSecurityGroupRequest{GroupId: &web})
	s.must(s.store.View(t.Context(), store.Fresh, func(tx store.Tx) error {
		if left := tables.RulesOf(tx, at, web); len(left) > 0 {
			t.Errorf("%d rules of a group that is gone", len(left))
		}
		return nil
	}))
}

func TestRevoke(t *testing.T) {
	s := newSite(t)
	web := s.group(s.other, "web")
	mine := s.group(s.vpc, "mine")
	for _, g := range []string{web, mine} {
		s.ingress(g, tcp(22, "0.0.0.0/0"))
	}
	strange := []shape.IpPermission{tcp(22, "0.0.0.0/0"), tcp(99, "0.0.0.0/0")}
	refused(s, s.RevokeSecurityGroupIngress, shape.RevokeSecurityGroupIngressRequest{GroupId: &web, IpPermissions: strange},
		"InvalidPermission.NotFound: The specified rule does not exist in this security group.")
	out := ask(s, s.RevokeSecurityGroupIngress, shape.RevokeSecurityGroupIngressRequest{GroupId: &mine, IpPermissions: strange}) // the default VPC
	if len(out.RevokedSecurityGroupRules) != 1 || len(out.UnknownIpPermissions) != 1 || *out.UnknownIpPermissions[0].FromPort != 99 {
		t.Error(asJSON(out))
	}
	refused(s, s.RevokeSecurityGroupIngress, shape.RevokeSecurityGroupIngressRequest{GroupId: &web, SecurityGroupRuleIds: []string{"sgr-00000000000000000"}},
		"InvalidSecurityGroupRuleId.NotFound: The security group rule ID 'sgr-00000000000000000' does not exist")
	refused(s, s.RevokeSecurityGroupIngress, shape.RevokeSecurityGroupIngressRequest{GroupId: &web, SecurityGroupRuleIds: []string{"sgr-x"}}, "InvalidSecurityGroupRuleId.Malformed: ")
	refused(s, s.RevokeSecurityGroupIngress, shape.RevokeSecurityGroupIngressRequest{GroupId: &web}, "MissingParameter: ")
	flat := ask(s, s.RevokeSecurityGroupIngress, shape.RevokeSecurityGroupIngressRequest{GroupId: &web, IpProtocol: aws.Ptr("tcp"), FromPort: new(int32(22)), ToPort: new(int32(22)), CidrIp: aws.Ptr("0.0.0.0/0")})
	if len(flat.RevokedSecurityGroupRules) != 1 {
		t.Error(asJSON(flat))
	}
}

func TestModifyRule(t *testing.T) {
	s := newSite(t)
	web := s.group(s.other, "web")
	r := s.ingress(web, tcp(22, "0.0.0.0/0"), tcp(80, "0.0.0.0/0"))
	modify := func(u shape.SecurityGroupRuleRequest) shape.ModifySecurityGroupRulesRequest {
		return shape.ModifySecurityGroupRulesRequest{GroupId: &web, SecurityGroupRules: []shape.SecurityGroupRuleUpdate{{SecurityGroupRuleId: r[0].SecurityGroupRuleId, SecurityGroupRule: &u}}}
	}
	ask(s, s.ModifySecurityGroupRules, modify(shape.SecurityGroupRuleRequest{IpProtocol: aws.Ptr("udp"), FromPort: new(int32(53)), ToPort: new(int32(53)), ReferencedGroupId: &web, Description: aws.Ptr("names")}))
	got := ask(s, s.DescribeSecurityGroupRules, shape.DescribeSecurityGroupRulesRequest{SecurityGroupRuleIds: []string{*r[0].SecurityGroupRuleId}}).SecurityGroupRules
	if *got[0].IpProtocol != "udp" || *got[0].ReferencedGroupInfo.GroupId != web || got[0].CidrIpv4 != nil || *got[0].Description != "names" {
		t.Error(asJSON(got))
	}
	refused(s, s.ModifySecurityGroupRules, modify(shape.SecurityGroupRuleRequest{IpProtocol: aws.Ptr("tcp"), FromPort: new(int32(80)), ToPort: new(int32(80)), CidrIpv4: aws.Ptr("0.0.0.0/0")}), "InvalidPermission.Duplicate")
	refused(s, s.ModifySecurityGroupRules, modify(shape.SecurityGroupRuleRequest{IpProtocol: aws.Ptr("-1"), CidrIpv4: aws.Ptr("0.0.0.0/0"), ReferencedGroupId: &web}), "InvalidParameterCombination")
	refused(s, s.ModifySecurityGroupRules, modify(shape.SecurityGroupRuleRequest{IpProtocol: aws.Ptr("-1")}), "MissingParameter")
	gone := modify(shape.SecurityGroupRuleRequest{IpProtocol: aws.Ptr("-1"), CidrIpv4: aws.Ptr("0.0.0.0/0")})
	gone.SecurityGroupRules[0].SecurityGroupRuleId = aws.Ptr("sgr-00000000000000000")
	refused(s, s.ModifySecurityGroupRules, gone, "InvalidSecurityGroupRuleId.NotFound")
}

func TestRuleDescriptions(t *testing.T) {
	s := newSite(t)
	web := s.group(s.other, "web")
	r := s.ingress(web, tcp(22, "0.0.0.0/0"))
	text := func() *string {
		return ask(s, s.DescribeSecurityGroupRules, shape.DescribeSecurityGroupRulesRequest{SecurityGroupRuleIds: []string{*r[0].SecurityGroupRuleId}}).SecurityGroupRules[0].Description
	}
	p := tcp(22)
	p.IpRanges = []shape.IpRange{{CidrIp: aws.Ptr("0.0.0.0/0"), Description: aws.Ptr("ssh")}}
	ask(s, s.UpdateSecurityGroupRuleDescriptionsIngress, shape.UpdateSecurityGroupRuleDescriptionsIngressRequest{GroupId: &web, IpPermissions: []shape.IpPermission{p}})
	if aws.Val(text()) != "ssh" {
		t.Error(aws.Val(text()))
	}
	ask(s, s.UpdateSecurityGroupRuleDescriptionsIngress, shape.UpdateSecurityGroupRuleDescriptionsIngressRequest{GroupId: &web,
		SecurityGroupRuleDescriptions: []shape.SecurityGroupRuleDescription{{SecurityGroupRuleId: r[0].SecurityGroupRuleId}}})
	if text() != nil {
		t.Error(*text())
	}
	refused(s, s.UpdateSecurityGroupRuleDescriptionsEgress, shape.UpdateSecurityGroupRuleDescriptionsEgressRequest{GroupId: &web, IpPermissions: []shape.IpPermission{p}}, "InvalidPermission.NotFound")
}

func TestDescribeGroups(t *testing.T) {
	s := newSite(t)
	web, db := s.group(s.other, "web"), s.group(s.other, "db")
	s.ingress(web, tcp(80, "10.9.0.0/16"))
	s.ingress(db, fromGroup(web))
	for name, c := range map[string]struct {
		in   shape.DescribeSecurityGroupsRequest
		want []string
	}{
		"by vpc":        {shape.DescribeSecurityGroupsRequest{Filters: filter("vpc-id", s.other.ID)}, []string{web, db, s.other.DefaultGroup}},
		"by name":       {shape.DescribeSecurityGroupsRequest{Filters: filter("group-name", "w*")}, []string{web}},
		"by cidr":       {shape.DescribeSecurityGroupsRequest{Filters: filter("ip-permission.cidr", "10.9.0.0/16")}, []string{web}},
		"by peer":       {shape.DescribeSecurityGroupsRequest{Filters: filter("ip-permission.group-name", "web")}, []string{db}},
		"by egress":     {shape.DescribeSecurityGroupsRequest{Filters: append(filter("egress.ip-permission.cidr", "0.0.0.0/0"), filter("group-id", db)...)}, []string{db}},
		"group by name": {shape.DescribeSecurityGroupsRequest{GroupNames: []string{"default"}}, []string{s.vpc.DefaultGroup}},
	} {
		got := s.described(c.in)
		slices.Sort(c.want)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	refused(s, s.DescribeSecurityGroups, shape.DescribeSecurityGroupsRequest{GroupIds: []string{"sg-00000000000000000"}}, "InvalidGroup.NotFound")
	refused(s, s.DescribeSecurityGroups, shape.DescribeSecurityGroupsRequest{Filters: filter("colour", "x")}, "InvalidParameterValue: The filter 'colour' is invalid")
	lists := ask(s, s.DescribeManagedPrefixLists, shape.DescribeManagedPrefixListsRequest{Filters: filter("prefix-list-name", "*.s3")}).PrefixLists
	if len(lists) != 1 || *lists[0].PrefixListName != "com.amazonaws.us-east-1.s3" {
		t.Fatal(asJSON(lists))
	}
	if e := ask(s, s.GetManagedPrefixListEntries, shape.GetManagedPrefixListEntriesRequest{PrefixListId: lists[0].PrefixListId}); len(e.Entries) > 0 {
		t.Error(asJSON(e))
	}
	refused(s, s.GetManagedPrefixListEntries, shape.GetManagedPrefixListEntriesRequest{PrefixListId: aws.Ptr("pl-00000000")}, "InvalidPrefixListID.NotFound")
	if refs := ask(s, s.DescribeSecurityGroupReferences, shape.DescribeSecurityGroupReferencesRequest{GroupId: []string{web}}); len(refs.SecurityGroupReferenceSet) > 0 {
		t.Error(asJSON(refs))
	}
	refused(s, s.DescribeSecurityGroupReferences, shape.DescribeSecurityGroupReferencesRequest{GroupId: []string{"sg-00000000000000000"}}, "InvalidGroup.NotFound")
	r := s.ingress(web, shape.IpPermission{IpProtocol: aws.Ptr("-1"), PrefixListIds: []shape.PrefixListId{{PrefixListId: lists[0].PrefixListId}}})
	if *r[0].PrefixListId != *lists[0].PrefixListId {
		t.Error(asJSON(r))
	}
}
