package vpcapi

import (
	"strings"
	"testing"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/vpc/tables"
	shape "github.com/berth-ecs/berth/wire/shape/ec2"
)

func vpcNamed(text string) []shape.TagSpecification {
	return []shape.TagSpecification{{ResourceType: ptr("vpc"), Tags: []shape.Tag{{Key: ptr("Name"), Value: &text}}}}
}

// A VPC is made, found by what is said of it, changed and deleted, in the order in which what it holds allows.
func TestLifeOfAVPC(t *testing.T) {
	w := newWorld(t)
	v := try(w, w.CreateVpc, shape.CreateVpcRequest{CidrBlock: ptr("10.1.2.3/16"), TagSpecifications: vpcNamed("blue")}).Vpc
	if *v.CidrBlock != "10.1.0.0/16" || *v.State != "pending" || *v.IsDefault || len(v.CidrBlockAssociationSet) != 1 {
		t.Errorf("%+v", v)
	}
	for _, f := range [][]shape.Filter{
		filter("tag:Name", "blue"), filter("tag-key", "Na*"), filter("cidr", "10.1.0.0/16"), filter("is-default", "false"), filter("isDefault", "false"),
		filter("cidr-block-association.association-id", *v.CidrBlockAssociationSet[0].AssociationId), filter("vpc-id", *v.VpcId), filter("dhcp-options-id", *v.DhcpOptionsId),
	} {
		out := try(w, w.DescribeVpcs, shape.DescribeVpcsRequest{Filters: append(f, filter("owner-id", caller.Account)[0], filter("state", "available")[0], filter("is-default", "false")[0])})
		if len(out.Vpcs) != 1 || *out.Vpcs[0].VpcId != *v.VpcId || *out.Vpcs[0].Tags[0].Value != "blue" {
			t.Errorf("%v: %+v", *f[0].Name, out.Vpcs)
		}
	}
	attribute := func(name string) shape.DescribeVpcAttributeResult {
		return *try(w, w.DescribeVpcAttribute, shape.DescribeVpcAttributeRequest{VpcId: v.VpcId, Attribute: &name})
	}
	if !*attribute("enableDnsSupport").EnableDnsSupport.Value || *attribute("enableDnsHostnames").EnableDnsHostnames.Value || *attribute("enableNetworkAddressUsageMetrics").EnableNetworkAddressUsageMetrics.Value {
		t.Error("attributes of a new VPC are not AWS's")
	}
	try(w, w.ModifyVpcAttribute, shape.ModifyVpcAttributeRequest{VpcId: v.VpcId, EnableDnsHostnames: boolean(true)})
	try(w, w.ModifyVpcAttribute, shape.ModifyVpcAttributeRequest{VpcId: v.VpcId, EnableDnsSupport: boolean(false)})
	try(w, w.ModifyVpcAttribute, shape.ModifyVpcAttributeRequest{VpcId: v.VpcId, EnableNetworkAddressUsageMetrics: boolean(true)})
	if *attribute("enableDnsSupport").EnableDnsSupport.Value || !*attribute("enableDnsHostnames").EnableDnsHostnames.Value || !*attribute("enableNetworkAddressUsageMetrics").EnableNetworkAddressUsageMetrics.Value {
		t.Error("attributes did not change")
	}
	s := w.subnet(*v.VpcId, "10.1.1.0/24")
	w.refuses(bad(w, "DependencyViolation: The vpc '"+*v.VpcId+"' has dependencies and cannot be deleted.", w.DeleteVpc, shape.DeleteVpcRequest{VpcId: v.VpcId}))
	try(w, w.DeleteSubnet, shape.DeleteSubnetRequest{SubnetId: &s})
	for name, thing := range map[string]func() func(){
		"route table": func() func() {
			id := w.table(*v.VpcId)
			return func() { try(w, w.DeleteRouteTable, shape.DeleteRouteTableRequest{RouteTableId: &id}) }
		},
		"gateway": func() func() {
			id := w.gateway(*v.VpcId)
			return func() {
				try(w, w.DetachInternetGateway, shape.DetachInternetGatewayRequest{InternetGatewayId: &id, VpcId: v.VpcId})
			}
		},
		"network ACL": func() func() {
			id := *try(w, w.CreateNetworkAcl, shape.CreateNetworkAclRequest{VpcId: v.VpcId}).NetworkAcl.NetworkAclId
			return func() { try(w, w.DeleteNetworkAcl, shape.DeleteNetworkAclRequest{NetworkAclId: &id}) }
		},
	} {
		remove := thing()
		w.refuses(bad(w, "DependencyViolation", w.DeleteVpc, shape.DeleteVpcRequest{VpcId: v.VpcId}))
		remove()
		if t.Failed() {
			t.Fatal(name)
		}
	}
	try(w, w.DeleteVpc, shape.DeleteVpcRequest{VpcId: v.VpcId})
	w.refuses(bad(w, "InvalidVpcID.NotFound: The vpc ID '"+*v.VpcId+"' does not exist", w.DescribeVpcs, shape.DescribeVpcsRequest{VpcIds: []string{*v.VpcId}}))
	w.nothingOf(*v.VpcId)
}

// nothingOf says that no record is left that names a VPC, or what was made with it.
func (w *world) nothingOf(id string) {
	w.t.Helper()
	w.read(func(tx store.Tx, _ vpc.Home) {
		for key, r := range tables.Schema().Records(tx) {
			if text := key + " " + asText(r); strings.Contains(text, id) {
				w.t.Errorf("left behind: %s", text)
			}
		}
		var groups int
		for _, g := range tables.Rules.List(tx, "", "") {
			if _, ok := tables.SecurityGroups.Peek(tx, tables.Key(g.Home, g.Group)); !ok {
				groups++
			}
		}
		if groups > 0 {
			w.t.Errorf("%d rules of groups that are not there", groups)
		}
	})
}

// A default group of very many rules goes with its VPC all the same.
func TestAVPCOfManyRulesIsDeleted(t *testing.T) {
	w := newWorld(t)
	id := w.vpc("10.0.0.0/16")
	for range 4 {
		if err := w.update(t.Context(), caller, func(tx store.Tx, h vpc.Home) error {
			v, err := tables.VPC(tx, h, id)
			for range 45 {
				r := &vpc.Rule{Home: h, ID: vpc.KindRule.NewID(tx.NewID()), Group: v.DefaultGroup, Match: vpc.AllTraffic, Peer: vpc.Peer{CIDR: vpc.Everywhere}}
				tables.Rules.Put(tx, r)
				tables.PutTags(tx, h, r.ID, []vpc.Pair{{Key: "a", Value: "b"}})
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	try(w, w.DeleteVpc, shape.DeleteVpcRequest{VpcId: &id})
	w.nothingOf(id)
}

func TestDefaultVPCIsMadeAnew(t *testing.T) {
	w := newWorld(t)
	w.refuses(bad(w, "DefaultVpcAlreadyExists: A Default VPC already exists for this account in this region.", w.CreateDefaultVpc, shape.CreateDefaultVpcRequest{}))
	v := w.standard()
	for _, s := range try(w, w.DescribeSubnets, shape.DescribeSubnetsRequest{}).Subnets {
		if !*s.DefaultForAz || !*s.MapPublicIpOnLaunch || *s.AvailableIpAddressCount != 4091 {
			t.Errorf("%+v", s)
		}
		try(w, w.DeleteSubnet, shape.DeleteSubnetRequest{SubnetId: s.SubnetId})
	}
	g := try(w, w.DescribeInternetGateways, shape.DescribeInternetGatewaysRequest{}).InternetGateways[0]
	try(w, w.DetachInternetGateway, shape.DetachInternetGatewayRequest{InternetGatewayId: g.InternetGatewayId, VpcId: &v.ID})
	try(w, w.DeleteVpc, shape.DeleteVpcRequest{VpcId: &v.ID})
	if out := try(w, w.DescribeVpcs, shape.DescribeVpcsRequest{}); len(out.Vpcs) != 0 {
		t.Errorf("it came back by itself: %+v", out.Vpcs)
	}
	out := try(w, w.CreateDefaultVpc, shape.CreateDefaultVpcRequest{})
	if !*out.Vpc.IsDefault || *out.Vpc.CidrBlock != "172.31.0.0/16" || *out.Vpc.VpcId == v.ID {
		t.Errorf("%+v", out.Vpc)
	}
}

func TestBadRequestsAboutVPCs(t *testing.T) {
	w := newWorld(t)
	v := w.vpc("10.0.0.0/16")
	none := "vpc-0123456789abcdef0"
	create := func(want, cidr string) row {
		return bad(w, want, w.CreateVpc, shape.CreateVpcRequest{CidrBlock: &cidr})
	}
	w.refuses(
		create("MissingParameter: Either 'cidrBlock' or 'ipv4IpamPoolId' should be provided.", ""),
		create("InvalidParameterValue: Value (ten) for parameter cidrBlock is invalid. This is not a valid CIDR block.", "ten"),
		create("InvalidParameterValue: Value (fd00::/56) for parameter cidrBlock", "fd00::/56"),
		create("InvalidVpc.Range: The CIDR '10.0.0.0/15' is invalid.", "10.0.0.0/15"), create("InvalidVpc.Range", "10.0.0.0/29"),
		create("InvalidVpc.Range", "169.254.0.0/16"), create("InvalidVpc.Range", "127.1.0.0/16"), create("InvalidVpc.Range", "239.0.0.0/16"),
		create("InvalidVpc.Range: The CIDR '198.19.0.0/16' is invalid: it overlaps 198.18.0.0/15", "198.19.0.0/16"),
		bad(w, "InvalidParameterValue: Value (shared) for parameter instanceTenancy is invalid.", w.CreateVpc, shape.CreateVpcRequest{CidrBlock: ptr("10.0.0.0/16"), InstanceTenancy: ptr("shared")}),
		bad(w, "InvalidParameterValue: 'subnet' is not a valid taggable resource type for this operation.", w.CreateVpc,
			shape.CreateVpcRequest{CidrBlock: ptr("10.0.0.0/16"), TagSpecifications: []shape.TagSpecification{{ResourceType: ptr("subnet")}}}),
		bad(w, "UnsupportedOperation: There is no IP Address Manager in this region. (Ipv4IpamPoolId)", w.CreateVpc, shape.CreateVpcRequest{Ipv4IpamPoolId: ptr("ipam-pool-1")}),
		bad(w, "UnsupportedOperation", w.CreateVpc, shape.CreateVpcRequest{Ipv6CidrBlock: ptr("2001:db8::/56")}),
		bad(w, "DryRunOperation", w.CreateVpc, shape.CreateVpcRequest{DryRun: ptr(true)}),
		bad(w, "InvalidVpcID.NotFound", w.DeleteVpc, shape.DeleteVpcRequest{VpcId: &none}),
		bad(w, `InvalidVpcID.Malformed: Invalid id: "subnet-01234567" (expecting "vpc-...")`, w.DeleteVpc, shape.DeleteVpcRequest{VpcId: ptr("subnet-01234567")}),
		bad(w, "InvalidVpcID.NotFound: The vpc ID '"+none+"' does not exist", w.DescribeVpcs, shape.DescribeVpcsRequest{VpcIds: []string{v, none}}),
		bad(w, "InvalidVpcID.Malformed", w.DescribeVpcs, shape.DescribeVpcsRequest{VpcIds: []string{"blue"}}),
		bad(w, "InvalidParameterValue: The filter 'colour' is invalid", w.DescribeVpcs, shape.DescribeVpcsRequest{Filters: filter("colour", "blue")}),
		bad(w, "InvalidParameterValue: The filter 'tag:' is invalid", w.DescribeVpcs, shape.DescribeVpcsRequest{Filters: filter("tag:", "blue")}),
		bad(w, "InvalidParameterValue: Value ( 4 ) for parameter maxResults is invalid.", w.DescribeVpcs, shape.DescribeVpcsRequest{MaxResults: ptr(int32(4))}),
		bad(w, "InvalidParameterValue: Value ( 1001 )", w.DescribeVpcs, shape.DescribeVpcsRequest{MaxResults: ptr(int32(1001))}),
		bad(w, "InvalidVpcID.NotFound", w.DescribeVpcAttribute, shape.DescribeVpcAttributeRequest{VpcId: &none, Attribute: ptr("enableDnsSupport")}),
		bad(w, "InvalidParameterValue: Value (colour) for parameter attribute is invalid. Unknown attribute.", w.DescribeVpcAttribute, shape.DescribeVpcAttributeRequest{VpcId: &v, Attribute: ptr("colour")}),
		bad(w, "InvalidVpcID.NotFound", w.ModifyVpcAttribute, shape.ModifyVpcAttributeRequest{VpcId: &none, EnableDnsSupport: boolean(true)}),
		bad(w, "MissingParameter", w.ModifyVpcAttribute, shape.ModifyVpcAttributeRequest{VpcId: &v}),
		bad(w, "InvalidParameterCombination: Fields for multiple attribute types specified.", w.ModifyVpcAttribute,
			shape.ModifyVpcAttributeRequest{VpcId: &v, EnableDnsSupport: boolean(true), EnableDnsHostnames: boolean(true)}),
	)
}

// Pages begin where the one before ended, whatever came and went in between.
func TestPagesOfVPCs(t *testing.T) {
	w := newWorld(t)
	var made []string
	for range 12 {
		made = append(made, w.vpc("10.0.0.0/16"))
	}
	seen := map[string]bool{}
	in := shape.DescribeVpcsRequest{MaxResults: ptr(int32(5)), Filters: filter("is-default", "false")}
	for pages := 1; ; pages++ {
		out := try(w, w.DescribeVpcs, in)
		for _, v := range out.Vpcs {
			seen[*v.VpcId] = true
		}
		if out.NextToken == nil {
			if pages != 3 {
				t.Errorf("%d pages", pages)
			}
			break
		}
		w.vpc("10.1.0.0/16")
		in.NextToken = out.NextToken
		w.refuses(row{"another list's token", "not an error of EC2: NextToken: the token is not valid for this request", func() error {
			_, err := sent(w, w.DescribeVpcs, shape.DescribeVpcsRequest{NextToken: out.NextToken})
			return err
		}})
		if pages == 2 {
			in.MaxResults = ptr(int32(1000))
		}
	}
	for _, id := range made {
		if !seen[id] {
			t.Errorf("%s is on no page", id)
		}
	}
}

func TestBlocksOfAVPC(t *testing.T) {
	w := newWorld(t)
	v := w.vpc("10.0.0.0/16")
	add := func(cidr string) shape.AssociateVpcCidrBlockRequest {
		return shape.AssociateVpcCidrBlockRequest{VpcId: &v, CidrBlock: &cidr}
	}
	four := try(w, w.AssociateVpcCidrBlock, add("10.1.0.0/16")).CidrBlockAssociation
	six := try(w, w.AssociateVpcCidrBlock, shape.AssociateVpcCidrBlockRequest{VpcId: &v, AmazonProvidedIpv6CidrBlock: ptr(true)}).Ipv6CidrBlockAssociation
	if *four.CidrBlockState.State != "associating" || !strings.HasSuffix(*six.Ipv6CidrBlock, "::/56") {
		t.Errorf("%+v, %+v", four, six)
	}
	subnet := try(w, w.CreateSubnet, shape.CreateSubnetRequest{VpcId: &v, CidrBlock: ptr("10.1.1.0/24"), Ipv6CidrBlock: ptr(strings.TrimSuffix(*six.Ipv6CidrBlock, "/56") + "/64")}).Subnet
	if len(subnet.Ipv6CidrBlockAssociationSet) != 1 {
		t.Errorf("%+v", subnet)
	}
	t1 := w.table(v)
	g := w.gateway(v)
	try(w, w.CreateRoute, shape.CreateRouteRequest{RouteTableId: &t1, DestinationCidrBlock: ptr("10.9.1.0/24"), GatewayId: &g})
	primary := *try(w, w.DescribeVpcs, shape.DescribeVpcsRequest{VpcIds: []string{v}}).Vpcs[0].CidrBlockAssociationSet[0].AssociationId
	w.refuses(
		bad(w, "CidrConflict: The CIDR '10.1.128.0/17' conflicts with the CIDR '10.1.0.0/16'", w.AssociateVpcCidrBlock, add("10.1.128.0/17")),
		bad(w, "InvalidVpc.Range: The CIDR '192.168.0.0/16' is restricted.", w.AssociateVpcCidrBlock, add("192.168.0.0/16")),
		bad(w, "InvalidVpc.Range: The CIDR '0.1.0.0/16' is invalid.", w.AssociateVpcCidrBlock, add("0.1.0.0/16")),
		bad(w, "InvalidParameterValue: The CIDR '10.9.0.0/16' is the same as or larger than the destination 10.9.1.0/24 of a route in route table "+t1, w.AssociateVpcCidrBlock, add("10.9.0.0/16")),
		bad(w, "MissingParameter", w.AssociateVpcCidrBlock, shape.AssociateVpcCidrBlockRequest{VpcId: &v}),
		bad(w, "InvalidParameterCombination", w.AssociateVpcCidrBlock, shape.AssociateVpcCidrBlockRequest{VpcId: &v, CidrBlock: ptr("10.2.0.0/16"), AmazonProvidedIpv6CidrBlock: ptr(true)}),
		bad(w, "InvalidVpcID.NotFound", w.AssociateVpcCidrBlock, shape.AssociateVpcCidrBlockRequest{VpcId: ptr("vpc-01234567"), CidrBlock: ptr("10.2.0.0/16")}),
		bad(w, "OperationNotPermitted: The vpc CIDR block with association ID "+primary+" may not be disassociated.", w.DisassociateVpcCidrBlock, shape.DisassociateVpcCidrBlockRequest{AssociationId: &primary}),
		bad(w, "InvalidCidrBlock.InUse", w.DisassociateVpcCidrBlock, shape.DisassociateVpcCidrBlockRequest{AssociationId: four.AssociationId}),
		bad(w, "InvalidCidrBlock.InUse", w.DisassociateVpcCidrBlock, shape.DisassociateVpcCidrBlockRequest{AssociationId: six.AssociationId}),
		bad(w, "InvalidVpcCidrBlockAssociationID.NotFound", w.DisassociateVpcCidrBlock, shape.DisassociateVpcCidrBlockRequest{AssociationId: ptr("vpc-cidr-assoc-01234567")}),
		bad(w, "InvalidVpcCidrBlockAssociationID.Malformed", w.DisassociateVpcCidrBlock, shape.DisassociateVpcCidrBlockRequest{AssociationId: &v}),
	)
	for i := 2; i < maxBlocks; i++ {
		try(w, w.AssociateVpcCidrBlock, add("10.10"+string(rune('0'+i))+".0.0/16"))
	}
	w.refuses(bad(w, "CidrLimitExceeded: This network '"+v+"' has met its maximum number of allowed CIDRs", w.AssociateVpcCidrBlock, add("100.64.0.0/16")))
	try(w, w.DeleteSubnet, shape.DeleteSubnetRequest{SubnetId: subnet.SubnetId})
	if out := try(w, w.DisassociateVpcCidrBlock, shape.DisassociateVpcCidrBlockRequest{AssociationId: four.AssociationId}); *out.VpcId != v || *out.CidrBlockAssociation.CidrBlock != "10.1.0.0/16" {
		t.Errorf("%+v", out)
	}
	if out := try(w, w.DisassociateVpcCidrBlock, shape.DisassociateVpcCidrBlockRequest{AssociationId: six.AssociationId}); out.Ipv6CidrBlockAssociation == nil {
		t.Errorf("%+v", out)
	}
	w.refuses(bad(w, "InvalidSubnet.Range", w.CreateSubnet, shape.CreateSubnetRequest{VpcId: &v, CidrBlock: ptr("10.1.1.0/24")}))
}
