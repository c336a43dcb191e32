package vpcapi

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/vpc/tables"
	shape "github.com/berth-ecs/berth/wire/shape/ec2"
)

func TestNetworkACLs(t *testing.T) {
	w := newWorld(t)
	v := w.vpc("10.0.0.0/16")
	s := w.subnet(v, "10.0.1.0/24")
	standard := try(w, w.DescribeNetworkAcls, shape.DescribeNetworkAclsRequest{Filters: append(filter("default", "true"), filter("vpc-id", v)...)}).NetworkAcls
	if len(standard) != 1 || len(standard[0].Entries) != 4 || len(standard[0].Associations) != 1 || *standard[0].Associations[0].SubnetId != s {
		t.Fatalf("%+v", standard)
	}
	acl := *try(w, w.CreateNetworkAcl, shape.CreateNetworkAclRequest{VpcId: &v}).NetworkAcl.NetworkAclId
	entry := func(n int32) shape.CreateNetworkAclEntryRequest {
		return shape.CreateNetworkAclEntryRequest{NetworkAclId: &acl, RuleNumber: &n, Egress: ptr(false), RuleAction: ptr("allow"), Protocol: ptr("tcp"), CidrBlock: ptr("192.0.2.9/24"),
			PortRange: &shape.PortRange{From: ptr(int32(80)), To: ptr(int32(443))}}
	}
	try(w, w.CreateNetworkAclEntry, entry(200))
	try(w, w.CreateNetworkAclEntry, entry(100))
	icmp := entry(150)
	icmp.Protocol, icmp.PortRange, icmp.IcmpTypeCode, icmp.RuleAction = ptr("1"), nil, &shape.IcmpTypeCode{Type: ptr(int32(8)), Code: ptr(int32(-1))}, ptr("deny")
	try(w, w.CreateNetworkAclEntry, icmp)
	six := entry(300)
	six.Protocol, six.PortRange, six.CidrBlock, six.Ipv6CidrBlock, six.Egress = ptr("-1"), nil, nil, ptr("::/0"), ptr(true)
	try(w, w.CreateNetworkAclEntry, six)
	want := "out 300 -1 ::/0 allow, out 32767 -1 0.0.0.0/0 deny, out 32768 -1 ::/0 deny, " +
		"in 100 6 192.0.2.0/24 80-443 allow, in 150 1 192.0.2.0/24 8/-1 deny, in 200 6 192.0.2.0/24 80-443 allow, in 32767 -1 0.0.0.0/0 deny"
	if got := w.entries(acl); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	for _, f := range [][]shape.Filter{
		filter("entry.cidr", "192.0.2.0/24"), filter("entry.ipv6-cidr", "::/0"), filter("entry.port-range.from", "80"), filter("entry.port-range.to", "443"), filter("entry.icmp.type", "8"),
		filter("entry.icmp.code", "-1"), filter("entry.rule-number", "150"), filter("entry.rule-action", "deny"), filter("network-acl-id", acl),
	} {
		if out := try(w, w.DescribeNetworkAcls, shape.DescribeNetworkAclsRequest{Filters: append(f, filter("vpc-id", v)...)}).NetworkAcls; len(out) != 1 || *out[0].NetworkAclId != acl {
			t.Errorf("%s: %d", *f[0].Name, len(out))
		}
	}
	try(w, w.ReplaceNetworkAclEntry, shape.ReplaceNetworkAclEntryRequest{NetworkAclId: &acl, RuleNumber: ptr(int32(200)), Egress: ptr(false), RuleAction: ptr("deny"), Protocol: ptr("-1"), CidrBlock: ptr("0.0.0.0/0")})
	try(w, w.DeleteNetworkAclEntry, shape.DeleteNetworkAclEntryRequest{NetworkAclId: &acl, RuleNumber: ptr(int32(100)), Egress: ptr(false)})
	if got := w.entries(acl); !strings.HasSuffix(got, "in 150 1 192.0.2.0/24 8/-1 deny, in 200 -1 0.0.0.0/0 deny, in 32767 -1 0.0.0.0/0 deny") {
		t.Error(got)
	}
	w.badACLs(acl, *standard[0].NetworkAclId)
	w.moveSubnet(acl, *standard[0].NetworkAclId, *standard[0].Associations[0].NetworkAclAssociationId)
}

// moveSubnet gives the subnet the ACL and takes it again; then the ACL can be deleted.
func (w *world) moveSubnet(acl, standard, association string) {
	w.t.Helper()
	other := w.vpc("10.0.0.0/16")
	far := *try(w, w.CreateNetworkAcl, shape.CreateNetworkAclRequest{VpcId: &other}).NetworkAcl.NetworkAclId
	replace := func(want, association, acl string) row {
		return bad(w, want, w.ReplaceNetworkAclAssociation, shape.ReplaceNetworkAclAssociationRequest{AssociationId: &association, NetworkAclId: &acl})
	}
	w.refuses(
		replace("InvalidParameterValue: network ACL "+far+" and subnet", association, far), replace("InvalidAssociationID.NotFound", "aclassoc-01234567", acl),
		replace("InvalidAssociationID.Malformed", "rtbassoc-01234567", acl), replace("InvalidNetworkAclID.NotFound", association, "acl-01234567"),
	)
	next := *try(w, w.ReplaceNetworkAclAssociation, shape.ReplaceNetworkAclAssociationRequest{AssociationId: &association, NetworkAclId: &acl}).NewAssociationId
	if out := try(w, w.DescribeNetworkAcls, shape.DescribeNetworkAclsRequest{Filters: filter("association.association-id", next)}).NetworkAcls; len(out) != 1 || *out[0].NetworkAclId != acl {
		w.t.Errorf("%+v", out)
	}
	w.refuses(
		replace("InvalidAssociationID.NotFound", association, acl),
		bad(w, "DependencyViolation: The networkAcl '"+acl+"' has dependencies and cannot be deleted.", w.DeleteNetworkAcl, shape.DeleteNetworkAclRequest{NetworkAclId: &acl}),
		bad(w, "InvalidParameterValue: cannot delete default network ACL "+standard, w.DeleteNetworkAcl, shape.DeleteNetworkAclRequest{NetworkAclId: &standard}),
	)
	back := *try(w, w.ReplaceNetworkAclAssociation, shape.ReplaceNetworkAclAssociationRequest{AssociationId: &next, NetworkAclId: &standard}).NewAssociationId
	if back != association {
		w.t.Errorf("the association with the default ACL is %s, was %s", back, association)
	}
	try(w, w.DeleteNetworkAcl, shape.DeleteNetworkAclRequest{NetworkAclId: &acl})
	w.refuses(bad(w, "InvalidNetworkAclID.NotFound: The networkAcl ID '"+acl+"' does not exist", w.DescribeNetworkAcls, shape.DescribeNetworkAclsRequest{NetworkAclIds: []string{acl}}))
}

func (w *world) badACLs(acl, standard string) {
	w.t.Helper()
	entry := func(want string, change func(*shape.CreateNetworkAclEntryRequest)) row {
		in := shape.CreateNetworkAclEntryRequest{NetworkAclId: &acl, RuleNumber: ptr(int32(77)), Egress: ptr(false), RuleAction: ptr("allow"), Protocol: ptr("-1"), CidrBlock: ptr("0.0.0.0/0")}
		change(&in)
		return bad(w, want, w.CreateNetworkAclEntry, in)
	}
	number := func(want string, n int32) row {
		return entry(want, func(in *shape.CreateNetworkAclEntryRequest) { in.RuleNumber = &n })
	}
	protocol := func(want, p string) row {
		return entry(want, func(in *shape.CreateNetworkAclEntryRequest) { in.Protocol = &p })
	}
	ports := func(want string, from, to int32) row {
		return entry(want, func(in *shape.CreateNetworkAclEntryRequest) {
			in.Protocol, in.PortRange = ptr("17"), &shape.PortRange{From: &from, To: &to}
		})
	}
	w.refuses(
		number("NetworkAclEntryAlreadyExists: The network acl entry identified by 150 already exists.", 150), number("InvalidParameterValue: Value (0) for parameter ruleNumber", 0), number("InvalidParameterValue", 32767),
		protocol("InvalidParameterValue: Value (256) for parameter protocol is invalid.", "256"), protocol("InvalidParameterValue", "quic"), protocol("MissingParameter: The request must contain the parameter portRange", "6"),
		protocol("MissingParameter: The request must contain the parameter icmpTypeCode", "icmp"), ports("InvalidParameterValue", 443, 80), ports("InvalidParameterValue", 0, 65536),
		entry("InvalidParameterValue: ICMP type (300)", func(in *shape.CreateNetworkAclEntryRequest) {
			in.Protocol, in.IcmpTypeCode = ptr("1"), &shape.IcmpTypeCode{Type: ptr(int32(300)), Code: ptr(int32(0))}
		}),
		entry("InvalidParameterValue: Value (maybe) for parameter ruleAction", func(in *shape.CreateNetworkAclEntryRequest) { in.RuleAction = ptr("maybe") }),
		entry("MissingParameter", func(in *shape.CreateNetworkAclEntryRequest) { in.CidrBlock = nil }),
		entry("InvalidParameterCombination", func(in *shape.CreateNetworkAclEntryRequest) { in.Ipv6CidrBlock = ptr("::/0") }),
		entry("InvalidParameterValue: Value (x) for parameter cidrBlock", func(in *shape.CreateNetworkAclEntryRequest) { in.CidrBlock = ptr("x") }),
		entry("InvalidNetworkAclID.NotFound", func(in *shape.CreateNetworkAclEntryRequest) { in.NetworkAclId = ptr("acl-01234567") }),
		bad(w, "InvalidNetworkAclEntry.NotFound: The network acl entry identified by 5 does not exist.", w.DeleteNetworkAclEntry, shape.DeleteNetworkAclEntryRequest{NetworkAclId: &acl, RuleNumber: ptr(int32(5)), Egress: ptr(false)}),
		bad(w, "InvalidNetworkAclEntry.NotFound", w.ReplaceNetworkAclEntry, shape.ReplaceNetworkAclEntryRequest{NetworkAclId: &acl, RuleNumber: ptr(int32(5)), Egress: ptr(false), RuleAction: ptr("allow"), Protocol: ptr("-1"), CidrBlock: ptr("0.0.0.0/0")}),
		bad(w, "InvalidVpcID.NotFound", w.CreateNetworkAcl, shape.CreateNetworkAclRequest{VpcId: ptr("vpc-01234567")}),
		bad(w, "InvalidNetworkAclID.NotFound", w.DeleteNetworkAcl, shape.DeleteNetworkAclRequest{NetworkAclId: ptr("acl-01234567")}),
	)
	for n := int32(1); n < maxACLEntries; n++ {
		try(w, w.CreateNetworkAclEntry, shape.CreateNetworkAclEntryRequest{NetworkAclId: &standard, RuleNumber: &n, Egress: ptr(false), RuleAction: ptr("allow"), Protocol: ptr("-1"), CidrBlock: ptr("0.0.0.0/0")})
	}
	w.refuses(bad(w, "NetworkAclEntryLimitExceeded", w.CreateNetworkAclEntry,
		shape.CreateNetworkAclEntryRequest{NetworkAclId: &standard, RuleNumber: ptr(int32(500)), Egress: ptr(false), RuleAction: ptr("allow"), Protocol: ptr("-1"), CidrBlock: ptr("0.0.0.0/0")}))
}

// entries are the entries of an ACL as text.
func (w *world) entries(acl string) string {
	w.t.Helper()
	var out []string
	for _, e := range try(w, w.DescribeNetworkAcls, shape.DescribeNetworkAclsRequest{NetworkAclIds: []string{acl}}).NetworkAcls[0].Entries {
		text := fmt.Sprintf("%s %d %s", map[bool]string{true: "out", false: "in"}[*e.Egress], *e.RuleNumber, *e.Protocol)
		var textSb131 strings.Builder
		for _, c := range []*string{e.CidrBlock, e.Ipv6CidrBlock} {
			if c != nil {
				textSb131.WriteString(" " + *c)
			}
		}
		text += textSb131.String()
		if e.PortRange != nil {
			text += fmt.Sprintf(" %d-%d", *e.PortRange.From, *e.PortRange.To)
		}
		if e.IcmpTypeCode != nil {
			text += fmt.Sprintf(" %d/%d", *e.IcmpTypeCode.Type, *e.IcmpTypeCode.Code)
		}
		out = append(out, text+" "+*e.RuleAction)
	}
	return strings.Join(out, ", ")
}

// An association is found among those of more VPCs than one transaction may compare.
func TestAssociationAmongManyVPCs(t *testing.T) {
	w := newWorld(t)
	v := w.vpc("10.0.0.0/16")
	s := w.subnet(v, "10.0.1.0/24")
	acl := *try(w, w.CreateNetworkAcl, shape.CreateNetworkAclRequest{VpcId: &v}).NetworkAcl.NetworkAclId
	w.fill(2*store.MaxGuards, func(tx store.Tx, h vpc.Home, _ int) {
		other := &vpc.VPC{Home: h, ID: vpc.KindVPC.NewID(tx.NewID()), MainACL: "acl-0", Blocks: []vpc.Block{{CIDR: netip.MustParsePrefix("10.0.0.0/16")}}}
		tables.VPCs.Put(tx, other)
		tables.Subnets.Put(tx, &vpc.Subnet{Home: h, ID: vpc.KindSubnet.NewID(tx.NewID()), VPC: other.ID, CIDR: netip.MustParsePrefix("10.0.1.0/24")})
	})
	w.useACL(s, acl)
	if got := try(w, w.DescribeNetworkAcls, shape.DescribeNetworkAclsRequest{NetworkAclIds: []string{acl}}).NetworkAcls[0].Associations; len(got) != 1 || *got[0].SubnetId != s {
		t.Errorf("%s", asText(got))
	}
	none := "aclassoc-01234567"
	w.refuses(bad(w, "InvalidAssociationID.NotFound", w.ReplaceNetworkAclAssociation, shape.ReplaceNetworkAclAssociationRequest{AssociationId: &none, NetworkAclId: &acl}))
}
