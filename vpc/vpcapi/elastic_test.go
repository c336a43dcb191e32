package vpcapi

import (
	"testing"
	"time"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/vpc/tables"
	shape "github.com/berth-ecs/berth/wire/shape/ec2"
)

// network is a VPC with a gateway and a subnet.
func (w *world) network() (v, g, s string) {
	w.t.Helper()
	v = w.vpc("10.0.0.0/16")
	return v, w.gateway(v), w.subnet(v, "10.0.1.0/24")
}

// publicOf is the public address of an interface's primary private one, as it is recorded.
func (w *world) publicOf(id string) (public string) {
	w.t.Helper()
	w.read(func(tx store.Tx, h vpc.Home) {
		if i, ok := tables.Interfaces.Peek(tx, tables.Key(h, id)); ok && i.Private[0].Public.IsValid() {
			public = i.Private[0].Public.String()
		}
	})
	return public
}

func (w *world) address(id string) shape.Address {
	w.t.Helper()
	return try(w, w.DescribeAddresses, shape.DescribeAddressesRequest{AllocationIds: []string{id}}).Addresses[0]
}

func TestLifeOfAnElasticAddress(t *testing.T) {
	w := newWorld(t)
	_, _, s := w.network()
	out := try(w, w.AllocateAddress, shape.AllocateAddressRequest{Domain: ptr("vpc"), TagSpecifications: []shape.TagSpecification{{ResourceType: ptr("elastic-ip"), Tags: []shape.Tag{{Key: ptr("Name"), Value: ptr("a")}}}}})
	id := *out.AllocationId
	one, two := w.eni(s), w.eni(s)
	first := *try(w, w.AssociateAddress, shape.AssociateAddressRequest{AllocationId: &id, NetworkInterfaceId: &one.ID}).AssociationId
	if again := *try(w, w.AssociateAddress, shape.AssociateAddressRequest{PublicIp: out.PublicIp, NetworkInterfaceId: &one.ID}).AssociationId; again != first {
		t.Errorf("the same association is %s and %s", first, again)
	}
	if got := w.address(id); *got.AssociationId != first || *got.NetworkInterfaceId != one.ID || *got.PrivateIpAddress != one.Private[0].Addr.String() || *got.PublicIp != *out.PublicIp || w.publicOf(one.ID) != *out.PublicIp {
		t.Errorf("%+v", got)
	}
	for _, f := range [][]shape.Filter{
		filter("allocation-id", id), filter("association-id", first), filter("network-interface-id", one.ID), filter("public-ip", *out.PublicIp), filter("domain", "vpc"), filter("tag:Name", "a"),
		filter("private-ip-address", one.Private[0].Addr.String()), filter("network-interface-owner-id", caller.Account),
	} {
		if got := try(w, w.DescribeAddresses, shape.DescribeAddressesRequest{Filters: f}).Addresses; len(got) != 1 {
			t.Errorf("%s: %d", *f[0].Name, len(got))
		}
	}
	w.refuses(
		bad(w, "InvalidIPAddress.InUse: Address "+*out.PublicIp+" is in use.", w.ReleaseAddress, shape.ReleaseAddressRequest{AllocationId: &id}),
		bad(w, "Resource.AlreadyAssociated: resource "+id+" is already associated with associate-id "+first, w.AssociateAddress,
			shape.AssociateAddressRequest{AllocationId: &id, NetworkInterfaceId: &two.ID, AllowReassociation: ptr(false)}),
	)
	second := *try(w, w.AssociateAddress, shape.AssociateAddressRequest{AllocationId: &id, NetworkInterfaceId: &two.ID}).AssociationId
	if w.publicOf(one.ID) != "" || w.publicOf(two.ID) != *out.PublicIp || second == first {
		t.Errorf("it did not move: %q, %q", w.publicOf(one.ID), w.publicOf(two.ID))
	}
	// Another one takes the place of the first, which is free then.
	other := w.allocate()
	try(w, w.AssociateAddress, shape.AssociateAddressRequest{AllocationId: &other, NetworkInterfaceId: &two.ID})
	if got := w.address(id); got.AssociationId != nil || got.NetworkInterfaceId != nil {
		t.Errorf("%+v", got)
	}
	// What an interface has goes with it, and the allocation stays.
	w.release(two)
	if got := w.address(other); got.AssociationId != nil {
		t.Errorf("%+v", got)
	}
	try(w, w.ReleaseAddress, shape.ReleaseAddressRequest{AllocationId: &id})
	w.refuses(bad(w, "InvalidAllocationID.NotFound: The allocation ID '"+id+"' does not exist", w.DescribeAddresses, shape.DescribeAddressesRequest{AllocationIds: []string{id}}))
	w.now = w.now.Add(time.Hour)
	if back := try(w, w.AllocateAddress, shape.AllocateAddressRequest{Address: out.PublicIp}); *back.PublicIp != *out.PublicIp {
		t.Errorf("%+v", back)
	}
	attributes := try(w, w.DescribeAddressesAttribute, shape.DescribeAddressesAttributeRequest{AllocationIds: []string{other}, Attribute: ptr("domain-name")}).Addresses
	if len(attributes) != 1 || *attributes[0].AllocationId != other || attributes[0].PtrRecord != nil {
		t.Errorf("%+v", attributes)
	}
}

func TestBadRequestsAboutElasticAddresses(t *testing.T) {
	w := newWorld(t)
	v := w.vpc("10.0.0.0/16")
	i, id, none := w.eni(w.subnet(v, "10.0.1.0/24")), w.allocate(), "eipalloc-01234567"
	taken := *w.address(id).PublicIp
	allocate := func(want string, in shape.AllocateAddressRequest) row { return bad(w, want, w.AllocateAddress, in) }
	associate := func(want string, in shape.AssociateAddressRequest) row { return bad(w, want, w.AssociateAddress, in) }
	w.refuses(
		allocate("InvalidParameterValue: Value (standard) for parameter domain", shape.AllocateAddressRequest{Domain: ptr("standard")}),
		allocate("InvalidParameterValue", shape.AllocateAddressRequest{NetworkBorderGroup: ptr("us-west-2")}),
		allocate("InvalidParameterValue", shape.AllocateAddressRequest{Address: ptr("x")}),
		allocate("InvalidAddress.NotFound", shape.AllocateAddressRequest{Address: &taken}), allocate("InvalidAddress.NotFound", shape.AllocateAddressRequest{Address: ptr("203.0.113.1")}),
		allocate("UnsupportedOperation", shape.AllocateAddressRequest{CustomerOwnedIpv4Pool: ptr("ipv4pool-coip-1")}),
		associate("Gateway.NotAttached: Network "+v+" is not attached to any internet gateway", shape.AssociateAddressRequest{AllocationId: &id, NetworkInterfaceId: &i.ID}),
		associate("InvalidParameterValue: Invalid value '10.0.1.250' for PrivateIpAddress.", shape.AssociateAddressRequest{AllocationId: &id, NetworkInterfaceId: &i.ID, PrivateIpAddress: ptr("10.0.1.250")}),
		associate("InvalidParameterValue: Value (x) for parameter privateIpAddress", shape.AssociateAddressRequest{AllocationId: &id, NetworkInterfaceId: &i.ID, PrivateIpAddress: ptr("x")}),
		associate("MissingParameter", shape.AssociateAddressRequest{AllocationId: &id}), associate("MissingParameter", shape.AssociateAddressRequest{NetworkInterfaceId: &i.ID}),
		associate("UnsupportedOperation", shape.AssociateAddressRequest{AllocationId: &id, InstanceId: ptr("i-01234567")}),
		associate("InvalidParameterCombination", shape.AssociateAddressRequest{AllocationId: &id, PublicIp: &taken, NetworkInterfaceId: &i.ID}),
		associate("InvalidAllocationID.NotFound", shape.AssociateAddressRequest{AllocationId: &none, NetworkInterfaceId: &i.ID}),
		associate("InvalidAddress.NotFound: Address '203.0.113.1' not found.", shape.AssociateAddressRequest{PublicIp: ptr("203.0.113.1"), NetworkInterfaceId: &i.ID}),
		associate("InvalidNetworkInterfaceID.NotFound", shape.AssociateAddressRequest{AllocationId: &id, NetworkInterfaceId: ptr("eni-01234567")}),
		bad(w, "InvalidAssociationID.NotFound: The association ID 'eipassoc-01234567' does not exist", w.DisassociateAddress, shape.DisassociateAddressRequest{AssociationId: ptr("eipassoc-01234567")}),
		bad(w, "InvalidAssociationID.Malformed", w.DisassociateAddress, shape.DisassociateAddressRequest{AssociationId: ptr("blue")}),
		bad(w, "InvalidAssociationID.NotFound", w.DisassociateAddress, shape.DisassociateAddressRequest{PublicIp: &taken}),
		bad(w, "MissingParameter", w.DisassociateAddress, shape.DisassociateAddressRequest{}),
		bad(w, "InvalidParameterCombination", w.DisassociateAddress, shape.DisassociateAddressRequest{AssociationId: ptr("eipassoc-01234567"), PublicIp: &taken}),
		bad(w, "InvalidAllocationID.NotFound", w.ReleaseAddress, shape.ReleaseAddressRequest{AllocationId: &none}),
		bad(w, "MissingParameter", w.ReleaseAddress, shape.ReleaseAddressRequest{}),
		bad(w, "InvalidParameterValue", w.ReleaseAddress, shape.ReleaseAddressRequest{AllocationId: &id, NetworkBorderGroup: ptr("eu-west-1")}),
		bad(w, "InvalidAddress.NotFound", w.DescribeAddresses, shape.DescribeAddressesRequest{PublicIps: []string{"203.0.113.1"}}),
		bad(w, "InvalidParameterValue", w.DescribeAddressesAttribute, shape.DescribeAddressesAttributeRequest{Attribute: ptr("colour")}),
		bad(w, "InvalidAllocationID.NotFound", w.DescribeAddressesAttribute, shape.DescribeAddressesAttributeRequest{AllocationIds: []string{none}}),
	)
}

func TestLifeOfANATGateway(t *testing.T) {
	w := newWorld(t)
	v, g, s := w.network()
	id := w.allocate()
	in := shape.CreateNatGatewayRequest{SubnetId: &s, AllocationId: &id, ClientToken: ptr("t"), TagSpecifications: []shape.TagSpecification{{ResourceType: ptr("natgateway"), Tags: []shape.Tag{{Key: ptr("Name"), Value: ptr("n")}}}}}
	n := try(w, w.CreateNatGateway, in).NatGateway
	if *n.State != "pending" || *n.ConnectivityType != "public" || *n.VpcId != v {
		t.Errorf("%+v", n)
	}
	if again := try(w, w.CreateNatGateway, in).NatGateway; *again.NatGatewayId != *n.NatGatewayId {
		t.Error("made twice")
	}
	out := try(w, w.DescribeNatGateways, shape.DescribeNatGatewaysRequest{Filter: append(append(filter("state", "available"), filter("vpc-id", v)...), filter("tag:Name", "n")...)}).NatGateways
	if len(out) != 1 || *out[0].NatGatewayAddresses[0].AllocationId != id || *out[0].NatGatewayAddresses[0].PublicIp != *w.address(id).PublicIp {
		t.Fatalf("%+v", out)
	}
	eni := *out[0].NatGatewayAddresses[0].NetworkInterfaceId
	w.read(func(tx store.Tx, h vpc.Home) {
		i, err := tables.Interface(tx, h, eni)
		if err != nil || i.Type != "nat_gateway" || i.Owner != *n.NatGatewayId || len(i.Groups) > 0 || i.SourceCheck || i.Description != "Interface for NAT Gateway "+*n.NatGatewayId {
			t.Errorf("%+v %v", i, err)
		}
	})
	shown := try(w, w.DescribeNetworkInterfaces, shape.DescribeNetworkInterfacesRequest{NetworkInterfaceIds: []string{eni}, Filters: append(filter("attachment.instance-owner-id", "amazon-aws"), filter("attachment.attachment-id", "ela-attach-*")...)}).NetworkInterfaces
	if len(shown) != 1 || *shown[0].Attachment.DeleteOnTermination || *shown[0].Attachment.DeviceIndex != 1 || !*shown[0].RequesterManaged || shown[0].Attachment.InstanceId != nil {
		t.Errorf("%s", asText(shown))
	}
	table := w.table(v)
	try(w, w.CreateRoute, shape.CreateRouteRequest{RouteTableId: &table, DestinationCidrBlock: ptr("0.0.0.0/0"), NatGatewayId: n.NatGatewayId})
	association := w.address(id).AssociationId
	mine := w.eni(s)
	w.refuses(
		bad(w, "OperationNotPermitted: You are not allowed to manage 'ela-attach' attachments.", w.DetachNetworkInterface, shape.DetachNetworkInterfaceRequest{AttachmentId: shown[0].Attachment.AttachmentId}),
		bad(w, "AuthFailure", w.DisassociateAddress, shape.DisassociateAddressRequest{AssociationId: association}),
		bad(w, "AuthFailure", w.AssociateAddress, shape.AssociateAddressRequest{AllocationId: &id, NetworkInterfaceId: &mine.ID}),
		bad(w, "Resource.AlreadyAssociated", w.CreateNatGateway, shape.CreateNatGatewayRequest{SubnetId: &s, AllocationId: &id}),
		bad(w, "DependencyViolation", w.DeleteSubnet, shape.DeleteSubnetRequest{SubnetId: &s}),
		bad(w, "DependencyViolation", w.DetachInternetGateway, shape.DetachInternetGatewayRequest{InternetGatewayId: &g, VpcId: &v}),
	)
	w.release(mine)
	for range 2 {
		if out := try(w, w.DeleteNatGateway, shape.DeleteNatGatewayRequest{NatGatewayId: n.NatGatewayId}); *out.NatGatewayId != *n.NatGatewayId {
			t.Errorf("%+v", out)
		}
	}
	if out := try(w, w.DescribeNatGateways, shape.DescribeNatGatewaysRequest{NatGatewayIds: []string{*n.NatGatewayId}}).NatGateways; *out[0].State != "deleted" || out[0].DeleteTime == nil {
		t.Errorf("%+v", out)
	}
	if got, want := w.routes(table), "10.0.0.0/16 local active, 0.0.0.0/0 nat blackhole"; got != want || w.address(id).AssociationId != nil {
		t.Errorf("%s, want %s; %+v", got, want, w.address(id))
	}
	again := try(w, w.CreateNatGateway, in).NatGateway
	if *again.NatGatewayId == *n.NatGatewayId {
		t.Error("the token of a gateway that was deleted answers that it is coming")
	}
	try(w, w.DeleteNatGateway, shape.DeleteNatGatewayRequest{NatGatewayId: again.NatGatewayId})
	w.now = w.now.Add(time.Hour)
	w.refuses(bad(w, "NatGatewayNotFound: NatGateway "+*n.NatGatewayId+" was not found", w.DescribeNatGateways, shape.DescribeNatGatewaysRequest{NatGatewayIds: []string{*n.NatGatewayId}}))
	try(w, w.DeleteSubnet, shape.DeleteSubnetRequest{SubnetId: &s})
}

func TestBadRequestsAboutNATGateways(t *testing.T) {
	w := newWorld(t)
	s := w.subnet(w.vpc("10.0.0.0/16"), "10.0.1.0/24")
	id := w.allocate()
	create := func(want string, in shape.CreateNatGatewayRequest) row { return bad(w, want, w.CreateNatGateway, in) }
	w.refuses(
		create("MissingParameter: The request must contain the parameter subnetId", shape.CreateNatGatewayRequest{AllocationId: &id}),
		create("MissingParameter: The request must contain the parameter allocationId", shape.CreateNatGatewayRequest{SubnetId: &s}),
		create("InvalidParameterCombination", shape.CreateNatGatewayRequest{SubnetId: &s, AllocationId: &id, ConnectivityType: ptr("private")}),
		create("InvalidParameterValue", shape.CreateNatGatewayRequest{SubnetId: &s, AllocationId: &id, ConnectivityType: ptr("secret")}),
		create("InvalidParameterValue", shape.CreateNatGatewayRequest{SubnetId: &s, AllocationId: &id, PrivateIpAddress: ptr("x")}),
		create("InvalidParameterValue: Address 10.9.9.9 does not fall within", shape.CreateNatGatewayRequest{SubnetId: &s, ConnectivityType: ptr("private"), PrivateIpAddress: ptr("10.9.9.9")}),
		create("Gateway.NotAttached", shape.CreateNatGatewayRequest{SubnetId: &s, AllocationId: &id}),
		create("InvalidSubnetID.NotFound", shape.CreateNatGatewayRequest{SubnetId: ptr("subnet-01234567"), AllocationId: &id}),
		create("InvalidAllocationID.NotFound", shape.CreateNatGatewayRequest{SubnetId: &s, AllocationId: ptr("eipalloc-01234567")}),
		create("UnsupportedOperation", shape.CreateNatGatewayRequest{AvailabilityMode: ptr("regional")}),
		create("UnsupportedOperation", shape.CreateNatGatewayRequest{SubnetId: &s, AllocationId: &id, SecondaryPrivateIpAddressCount: ptr(int32(2))}),
		bad(w, "NatGatewayNotFound", w.DeleteNatGateway, shape.DeleteNatGatewayRequest{NatGatewayId: ptr("nat-01234567")}),
		bad(w, "NatGatewayMalformed", w.DeleteNatGateway, shape.DeleteNatGatewayRequest{NatGatewayId: ptr("blue")}),
	)
	private := try(w, w.CreateNatGateway, shape.CreateNatGatewayRequest{SubnetId: &s, ConnectivityType: ptr("private"), PrivateIpAddress: ptr("10.0.1.9")}).NatGateway
	if a := private.NatGatewayAddresses; len(a) != 1 || *a[0].PrivateIp != "10.0.1.9" || a[0].PublicIp != nil {
		t.Errorf("%+v", a)
	}
}
