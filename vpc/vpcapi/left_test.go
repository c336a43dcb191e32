package vpcapi

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/vpc/tables"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ec2"
)

// records are the keys of all records, but of numbers, which are never given twice.
func (w *world) records() (keys []string) {
	w.t.Helper()
	w.read(func(tx store.Tx, _ vpc.Home) {
		for key := range tables.Schema().Records(tx) {
			if !strings.HasPrefix(key, tables.Numbers.Name()+" ") {
				keys = append(keys, key)
			}
		}
	})
	return keys
}

// sweep forgets what is over, as the loop does.
func (w *world) sweep() {
	w.t.Helper()
	for _, kind := range tables.Kinds() {
		err := w.update(w.t.Context(), caller, func(tx store.Tx, _ vpc.Home) error {
			over, _ := kind.Over(tx)
			for _, key := range over {
				kind.Forget(tx, key)
			}
			return nil
		})
		if err != nil {
			w.t.Fatal(err)
		}
	}
}

// One of everything is made, tagged, used and deleted: when what rests has rested, not one record more is there than before.
func TestNothingIsLeftBehind(t *testing.T) {
	w := newWorld(t)
	w.standard()
	before := w.records()
	tags := func(kind string) []shape.TagSpecification {
		return []shape.TagSpecification{{ResourceType: &kind, Tags: pairs("a=b")}}
	}
	v := try(w, w.CreateVpc, shape.CreateVpcRequest{CidrBlock: ptr("10.0.0.0/16"), AmazonProvidedIpv6CidrBlock: ptr(true), TagSpecifications: tags("vpc")}).Vpc
	six := strings.Replace(*v.Ipv6CidrBlockAssociationSet[0].Ipv6CidrBlock, "::/56", "::/64", 1)
	s := *try(w, w.CreateSubnet, shape.CreateSubnetRequest{VpcId: v.VpcId, CidrBlock: ptr("10.0.1.0/24"), Ipv6CidrBlock: &six, TagSpecifications: tags("subnet")}).Subnet.SubnetId
	g := *try(w, w.CreateInternetGateway, shape.CreateInternetGatewayRequest{TagSpecifications: tags("internet-gateway")}).InternetGateway.InternetGatewayId
	try(w, w.AttachInternetGateway, shape.AttachInternetGatewayRequest{InternetGatewayId: &g, VpcId: v.VpcId})
	table := *try(w, w.CreateRouteTable, shape.CreateRouteTableRequest{VpcId: v.VpcId, ClientToken: ptr("t"), TagSpecifications: tags("route-table")}).RouteTable.RouteTableId
	try(w, w.AssociateRouteTable, shape.AssociateRouteTableRequest{RouteTableId: &table, SubnetId: &s})
	acl := *try(w, w.CreateNetworkAcl, shape.CreateNetworkAclRequest{VpcId: v.VpcId, ClientToken: ptr("t"), TagSpecifications: tags("network-acl")}).NetworkAcl.NetworkAclId
	w.useACL(s, acl)
	options := try(w, w.CreateDhcpOptions, shape.CreateDhcpOptionsRequest{TagSpecifications: tags("dhcp-options"), DhcpConfigurations: []shape.NewDhcpConfiguration{{Key: ptr("domain-name"), Values: []string{"x"}}}}).DhcpOptions.DhcpOptionsId
	try(w, w.AssociateDhcpOptions, shape.AssociateDhcpOptionsRequest{DhcpOptionsId: options, VpcId: v.VpcId})
	group := *try(w, w.CreateSecurityGroup, shape.CreateSecurityGroupRequest{GroupName: ptr("web"), Description: ptr("x"), VpcId: v.VpcId, TagSpecifications: tags("security-group")}).GroupId
	own := *try(w, w.DescribeSecurityGroups, shape.DescribeSecurityGroupsRequest{Filters: append(filter("vpc-id", *v.VpcId), filter("group-name", "default")...)}).SecurityGroups[0].GroupId
	for _, id := range []string{group, own} {
		try(w, w.AuthorizeSecurityGroupIngress, shape.AuthorizeSecurityGroupIngressRequest{GroupId: &id, TagSpecifications: tags("security-group-rule"), IpPermissions: []shape.IpPermission{fromGroup(group), tcp(80, "0.0.0.0/0")}})
	}
	eni := try(w, w.CreateNetworkInterface, shape.CreateNetworkInterfaceRequest{SubnetId: &s, Groups: []string{group}, SecondaryPrivateIpAddressCount: ptr(int32(2)), Ipv6AddressCount: ptr(int32(1)), ClientToken: ptr("t"), TagSpecifications: tags("network-interface")}).NetworkInterface.NetworkInterfaceId
	one, two := w.allocate(), w.allocate()
	try(w, w.CreateTags, shape.CreateTagsRequest{Resources: []string{one, two, own}, Tags: pairs("a=b")})
	try(w, w.AssociateAddress, shape.AssociateAddressRequest{AllocationId: &one, NetworkInterfaceId: eni})
	n := try(w, w.CreateNatGateway, shape.CreateNatGatewayRequest{SubnetId: &s, AllocationId: &two, ClientToken: ptr("t"), TagSpecifications: tags("natgateway")}).NatGateway.NatGatewayId

	try(w, w.DeleteNatGateway, shape.DeleteNatGatewayRequest{NatGatewayId: n})
	try(w, w.DeleteNetworkInterface, shape.DeleteNetworkInterfaceRequest{NetworkInterfaceId: eni})
	for _, id := range []string{one, two} {
		try(w, w.ReleaseAddress, shape.ReleaseAddressRequest{AllocationId: &id})
	}
	w.revokeOwn(own, group)
	try(w, w.DeleteSecurityGroup, shape.DeleteSecurityGroupRequest{GroupId: &group})
	try(w, w.DeleteSubnet, shape.DeleteSubnetRequest{SubnetId: &s})
	try(w, w.DeleteRouteTable, shape.DeleteRouteTableRequest{RouteTableId: &table})
	try(w, w.DeleteNetworkAcl, shape.DeleteNetworkAclRequest{NetworkAclId: &acl})
	try(w, w.DetachInternetGateway, shape.DetachInternetGatewayRequest{InternetGatewayId: &g, VpcId: v.VpcId})
	try(w, w.DeleteInternetGateway, shape.DeleteInternetGatewayRequest{InternetGatewayId: &g})
	w.refuses(bad(w, "DependencyViolation", w.DeleteDhcpOptions, shape.DeleteDhcpOptionsRequest{DhcpOptionsId: options}))
	try(w, w.DeleteVpc, shape.DeleteVpcRequest{VpcId: v.VpcId})
	try(w, w.DeleteDhcpOptions, shape.DeleteDhcpOptionsRequest{DhcpOptionsId: options})

	w.now = w.now.Add(25 * time.Hour)
	w.sweep()
	left := maps.Collect(func(yield func(string, bool) bool) {
		for _, key := range w.records() {
			if !slices.Contains(before, key) && !yield(key, true) {
				return
			}
		}
	})
	for key := range left {
		t.Errorf("left behind: %s", key)
	}
}

// useACL gives a subnet a network ACL.
func (w *world) useACL(subnet, acl string) {
	w.t.Helper()
	for _, a := range try(w, w.DescribeNetworkAcls, shape.DescribeNetworkAclsRequest{Filters: filter("association.subnet-id", subnet)}).NetworkAcls[0].Associations {
		if aws.Val(a.SubnetId) == subnet {
			try(w, w.ReplaceNetworkAclAssociation, shape.ReplaceNetworkAclAssociationRequest{AssociationId: a.NetworkAclAssociationId, NetworkAclId: &acl})
		}
	}
}

// revokeOwn takes the rule away by which a group names another, which cannot be deleted before.
func (w *world) revokeOwn(group, peer string) {
	w.t.Helper()
	w.refuses(bad(w, "DependencyViolation", w.DeleteSecurityGroup, shape.DeleteSecurityGroupRequest{GroupId: &peer}))
	try(w, w.RevokeSecurityGroupIngress, shape.RevokeSecurityGroupIngressRequest{GroupId: &group, IpPermissions: []shape.IpPermission{fromGroup(peer)}})
}
