package vpcapi

import (
	"slices"
	"testing"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/vpc/tables"
	shape "github.com/berth-ecs/berth/wire/shape/ec2"
)

// A page looks at what is on it and at the next one, wherever it is; an id looks at that one.
func TestAPageCostsWhatIsOnIt(t *testing.T) {
	w := newWorld(t)
	const groups, size = 60, 7
	v := w.vpc("10.0.0.0/16")
	for i := range groups {
		try(w, w.CreateSecurityGroup, shape.CreateSecurityGroupRequest{GroupName: ptr("g" + asText(i)), Description: ptr("x"), VpcId: &v})
	}
	w.read(func(tx store.Tx, h vpc.Home) {
		looks := 0
		items := viewed(tx, h, tables.SecurityGroups, func(g *vpc.SecurityGroup) listed[*vpc.SecurityGroup] {
			looks++
			return listed[*vpc.SecurityGroup]{ID: g.ID, Item: g}
		})
		l := listing[*vpc.SecurityGroup]{Kind: vpc.KindGroup, Max: ptr(int32(size))}
		var ids []string
		for more := true; more; more = l.Token != nil {
			looks = 0
			page, next, err := list(caller, l, items)
			if err != nil || looks > size+1 {
				t.Fatalf("%d looks for a page of %d: %v", looks, size, err)
			}
			for _, i := range page {
				ids = append(ids, i.ID)
			}
			l.Token = next
		}
		if len(ids) != groups+2 || !slices.IsSorted(ids) || len(slices.Compact(slices.Clone(ids))) != len(ids) {
			t.Errorf("%d groups: %v", len(ids), ids)
		}
		looks = 0
		if page, _, err := list(caller, listing[*vpc.SecurityGroup]{Kind: vpc.KindGroup, IDs: []string{ids[40], ids[3], ids[40]}}, items); err != nil || len(page) != 2 || page[0].ID != ids[3] || looks != 2 {
			t.Errorf("%d looks for 2 ids: %v %v", looks, page, err)
		}
	})
}

// Rules are in order of their ids, of all groups and of one, page by page.
func TestPagesOfRules(t *testing.T) {
	w := newWorld(t)
	v := w.vpc("10.0.0.0/16")
	var group string
	for i := range 4 {
		group = *try(w, w.CreateSecurityGroup, shape.CreateSecurityGroupRequest{GroupName: ptr("g" + asText(i)), Description: ptr("x"), VpcId: &v}).GroupId
		for port := range int32(6) {
			try(w, w.AuthorizeSecurityGroupIngress, shape.AuthorizeSecurityGroupIngressRequest{GroupId: &group, IpPermissions: []shape.IpPermission{tcp(port, "10.0.0.0/8")}})
		}
	}
	for want, f := range map[int][]shape.Filter{4*7 + 2*2: nil, 7: filter("group-id", group)} {
		in, ids := shape.DescribeSecurityGroupRulesRequest{Filters: f, MaxResults: ptr(int32(5))}, []string(nil)
		for {
			out := try(w, w.DescribeSecurityGroupRules, in)
			for _, r := range out.SecurityGroupRules {
				ids = append(ids, *r.SecurityGroupRuleId)
			}
			if in.NextToken = out.NextToken; in.NextToken == nil {
				break
			}
		}
		if len(ids) != want || !slices.IsSorted(ids) {
			t.Errorf("%d rules, want %d: %v", len(ids), want, ids)
		}
	}
}
