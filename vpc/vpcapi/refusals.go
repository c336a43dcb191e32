package vpcapi

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/berth-ecs/berth/wire"
)

// Refusal is a set of parameters that are refused until their part exists.
type Refusal struct {
	Operations []string
	Fields     []string
	Message    string
}

// RefusalCode is the code of every refusal.
const RefusalCode = "UnsupportedOperation"

// Refusals are all of them. The coverage page of the documentation is made from this table.
var Refusals = []Refusal{
	{[]string{"CreateVpc", "AssociateVpcCidrBlock", "CreateSubnet", "AssociateSubnetCidrBlock", "AllocateAddress"},
		[]string{"Ipv4IpamPoolId", "Ipv4NetmaskLength", "Ipv6IpamPoolId", "Ipv6NetmaskLength", "IpamPoolId"},
		"There is no IP Address Manager in this region."},
	{[]string{"CreateVpc", "AssociateVpcCidrBlock"}, []string{"Ipv6Pool", "Ipv6CidrBlock"},
		"There are no IPv6 pools of one's own in this region: ask for AmazonProvidedIpv6CidrBlock."},
	{[]string{"CreateVpc"}, []string{"VpcEncryptionControl"}, "Encryption controls are not available in this region."},
	{[]string{"CreateSubnet", "CreateDefaultSubnet"}, []string{"Ipv6Native"}, "Subnets without IPv4 are not available in this region."},
	{[]string{"CreateSubnet", "ModifySubnetAttribute", "AllocateAddress"},
		[]string{"OutpostArn", "CustomerOwnedIpv4Pool", "MapCustomerOwnedIpOnLaunch", "EnableLniAtDeviceIndex", "DisableLniAtDeviceIndex"},
		"There are no Outposts in this region."},
	{[]string{"CreateRoute", "ReplaceRoute"},
		[]string{"CarrierGatewayId", "CoreNetworkArn", "EgressOnlyInternetGatewayId", "LocalGatewayId", "OdbNetworkArn", "TransitGatewayId", "VpcEndpointId", "VpcPeeringConnectionId"},
		"Routes lead to internet gateways, NAT gateways and network interfaces in this region."},
	{[]string{"CreateRoute", "ReplaceRoute", "DeleteRoute"}, []string{"DestinationPrefixListId"}, "Routes to prefix lists are not available in this region."},
	{[]string{"CreateRoute", "ReplaceRoute"}, []string{"InstanceId"}, "Instances forward nothing in this region: name the network interface."},
	{[]string{"AssociateRouteTable"}, []string{"GatewayId", "PublicIpv4Pool"}, "Route tables of gateways are not available in this region."},
	{[]string{"CreateNatGateway"}, []string{"AvailabilityZoneAddresses", "VpcId"}, "NAT gateways are in one subnet in this region."},
	{[]string{"CreateNatGateway"}, []string{"SecondaryAllocationIds", "SecondaryPrivateIpAddresses", "SecondaryPrivateIpAddressCount"},
		"NAT gateways have one address in this region."},
	{[]string{"AllocateAddress"}, []string{"PublicIpv4Pool"}, "There is one pool of public addresses in this region."},
	{[]string{"AssociateAddress"}, []string{"InstanceId"}, "Elastic addresses are associated with network interfaces in this region: name the network interface."},
	{[]string{"CreateNetworkInterface", "AssignPrivateIpAddresses", "UnassignPrivateIpAddresses", "AssignIpv6Addresses", "UnassignIpv6Addresses"},
		[]string{"Ipv4PrefixCount", "Ipv4Prefixes", "Ipv6PrefixCount", "Ipv6Prefixes"}, "Prefixes of interfaces are not available in this region."},
	{[]string{"CreateNetworkInterface", "ModifyNetworkInterfaceAttribute"}, []string{"ConnectionTrackingSpecification"},
		"The times of tracked connections cannot be chosen in this region."},
	{[]string{"CreateNetworkInterface", "ModifyNetworkInterfaceAttribute"}, []string{"EnablePrimaryIpv6"}, "Primary IPv6 addresses are not available in this region."},
	{[]string{"CreateNetworkInterface"}, []string{"Operator"}, "Operators of interfaces are not available in this region."},
	{[]string{"ModifyNetworkInterfaceAttribute"}, []string{"EnaSrdSpecification", "AssociatePublicIpAddress", "AssociatedSubnetIds"},
		"This attribute of interfaces is not available in this region."},
}

// refusal answers what finds the first refusal that a request of an operation runs into.
func refusal[In any](operation string) func(in *In) error {
	type field struct {
		index   []int
		name    string
		message string
	}
	var fields []field
	for _, r := range Refusals {
		if !slices.Contains(r.Operations, operation) {
			continue
		}
		for _, name := range r.Fields {
			if f, ok := reflect.TypeFor[In]().FieldByName(name); ok {
				fields = append(fields, field{f.Index, name, r.Message})
			}
		}
	}
	return func(in *In) error {
		for _, f := range fields {
			if given(reflect.ValueOf(in).Elem().FieldByIndex(f.index)) {
				return wire.Errorf(RefusalCode, "%s", fmt.Sprintf("%s (%s)", f.message, f.name))
			}
		}
		return nil
	}
}

// given says whether a member says anything: false, 0 and "" do not.
func given(v reflect.Value) bool {
	if v.Kind() == reflect.Slice {
		return v.Len() > 0
	}
	return !v.IsNil() && (v.Elem().Kind() == reflect.Struct || !v.Elem().IsZero())
}
