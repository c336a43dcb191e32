package region

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"regexp"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/vpc"
)

// made calls an operation of EC2 that has to succeed and answers the text of an element of what it says.
func (w *world) made(operation string, who ecs.Home, element, input string, args ...any) string {
	w.Helper()
	var in any
	if err := json.Unmarshal(fmt.Appendf(nil, input, args...), &in); err != nil {
		w.Fatal(err)
	}
	a := w.call(serviceOf(w.mux, "ec2"), operation, who, in)
	if a.status != 200 {
		w.Fatalf("%s: %d %s", operation, a.status, a.body)
	}
	if element == "" {
		return ""
	}
	found := regexp.MustCompile("<" + element + ">([^<]+)</" + element + ">").FindStringSubmatch(a.body)
	if found == nil {
		w.Fatalf("%s: no %s in %s", operation, element, a.body)
	}
	return found[1]
}

// network gives somebody networks, with a word in the tags of all: things that are in use, and spare ones of each kind that can be deleted.
func (w *world) network(who ecs.Home, word string) (used, spare aim) {
	w.Helper()
	tags := func(kind string) string {
		return fmt.Sprintf(`"TagSpecifications":[{"ResourceType":%q,"Tags":[{"Key":"word","Value":%q}]}]`, kind, word)
	}
	used, spare = aim{}, aim{}
	for i, a := range []aim{used, spare} {
		a["vpcid"] = w.made("CreateVpc", who, "vpcId", `{"CidrBlock":"10.%d.0.0/16",%s}`, i, tags("vpc"))
		a["internetgatewayid"] = w.made("CreateInternetGateway", who, "internetGatewayId", `{%s}`, tags("internet-gateway"))
		a["dhcpoptionsid"] = w.made("CreateDhcpOptions", who, "dhcpOptionsId", `{"DhcpConfigurations":[{"Key":"domain-name","Values":[%q]}],%s}`, word, tags("dhcp-options"))
		a["allocationid"] = w.made("AllocateAddress", who, "allocationId", `{%s}`, tags("elastic-ip"))
		a["subnetid"] = w.made("CreateSubnet", who, "subnetId", `{"VpcId":%q,"CidrBlock":"10.0.%d.0/24",%s}`, used["vpcid"], i, tags("subnet"))
		a["routetableid"] = w.made("CreateRouteTable", who, "routeTableId", `{"VpcId":%q,%s}`, used["vpcid"], tags("route-table"))
		a["networkaclid"] = w.made("CreateNetworkAcl", who, "networkAclId", `{"VpcId":%q,%s}`, used["vpcid"], tags("network-acl"))
		a["groupid"] = w.made("CreateSecurityGroup", who, "groupId", `{"VpcId":%q,"GroupName":"g%d","Description":%q,%s}`, used["vpcid"], i, word, tags("security-group"))
		a["securitygroupruleid"] = w.made("AuthorizeSecurityGroupIngress", who, "securityGroupRuleId",
			`{"GroupId":%q,"IpPermissions":[{"IpProtocol":"tcp","FromPort":7,"ToPort":7,"IpRanges":[{"CidrIp":"0.0.0.0/0","Description":%q}]}]}`, a["groupid"], word)
		a["networkinterfaceid"] = w.made("CreateNetworkInterface", who, "networkInterfaceId",
			`{"SubnetId":%q,"Description":%q,"PrivateIpAddress":"10.0.0.1%d",%s}`, used["subnetid"], word, i, tags("network-interface"))
		a["resource"] = a["vpcid"]
	}
	w.connect(who, used, spare, tags("natgateway"))
	return used, spare
}

// connect brings what is in use together.
func (w *world) connect(who ecs.Home, used, spare aim, tags string) {
	w.Helper()
	w.made("AttachInternetGateway", who, "", `{"VpcId":%q,"InternetGatewayId":%q}`, used["vpcid"], used["internetgatewayid"])
	used["natgatewayid"] = w.made("CreateNatGateway", who, "natGatewayId", `{"SubnetId":%q,"PrivateIpAddress":"10.0.0.50","AllocationId":%q,%s}`, used["subnetid"], used["allocationid"], tags)
	used["rtbassoc"] = w.made("AssociateRouteTable", who, "associationId", `{"RouteTableId":%q,"SubnetId":%q}`, used["routetableid"], used["subnetid"])
	used["vpcassoc"] = w.made("AssociateVpcCidrBlock", who, "associationId", `{"VpcId":%q,"CidrBlock":"10.70.0.0/16"}`, used["vpcid"])
	acls := w.made("DescribeNetworkAcls", who, "networkAclAssociationId", `{"Filters":[{"Name":"vpc-id","Values":[%q]},{"Name":"default","Values":["true"]}]}`, used["vpcid"])
	used["aclassoc"] = acls
	own := w.made("AllocateAddress", who, "allocationId", `{}`)
	used["eipassoc"] = w.made("AssociateAddress", who, "associationId", `{"NetworkInterfaceId":%q,"AllocationId":%q}`, used["networkinterfaceid"], own)
	w.made("AssignPrivateIpAddresses", who, "", `{"NetworkInterfaceId":%q,"PrivateIpAddresses":["10.0.0.99"]}`, used["networkinterfaceid"])
	w.connect6(who, used, spare)
	w.made("CreateRoute", who, "", `{"RouteTableId":%q,"DestinationCidrBlock":"0.0.0.0/0","GatewayId":%q}`, used["routetableid"], used["internetgatewayid"])
	w.made("CreateNetworkAclEntry", who, "", `{"NetworkAclId":%q,"RuleNumber":100,"Egress":false,"Protocol":"-1","RuleAction":"allow","CidrBlock":"0.0.0.0/0"}`, used["networkaclid"])
}

// connect6 gives both subnets IPv6, and the interface in use an address.
func (w *world) connect6(who ecs.Home, used, spare aim) {
	w.Helper()
	block := netip.MustParsePrefix(w.made("AssociateVpcCidrBlock", who, "ipv6CidrBlock", `{"VpcId":%q,"AmazonProvidedIpv6CidrBlock":true}`, used["vpcid"]))
	nth := func(n byte) string {
		a := block.Addr().As16()
		a[7] = n
		return netip.PrefixFrom(netip.AddrFrom16(a), 64).String()
	}
	w.made("AssociateSubnetCidrBlock", who, "", `{"SubnetId":%q,"Ipv6CidrBlock":%q}`, used["subnetid"], nth(1))
	used["subnetassoc"] = w.made("AssociateSubnetCidrBlock", who, "associationId", `{"SubnetId":%q,"Ipv6CidrBlock":%q}`, spare["subnetid"], nth(2))
	used["bare"] = w.made("CreateSubnet", who, "subnetId", `{"VpcId":%q,"CidrBlock":"10.0.3.0/24"}`, used["vpcid"])
	used["free6"] = nth(3)
	used["address6"] = w.made("AssignIpv6Addresses", who, "item", `{"NetworkInterfaceId":%q,"Ipv6AddressCount":1}`, used["networkinterfaceid"])
}

// associations says which association an operation is about.
var associations = map[string]string{
	"DisassociateAddress": "eipassoc", "DisassociateRouteTable": "rtbassoc", "ReplaceRouteTableAssociation": "rtbassoc", "DisassociateVpcCidrBlock": "vpcassoc", "ReplaceNetworkAclAssociation": "aclassoc",
	"DisassociateSubnetCidrBlock": "subnetassoc",
}

// ec2Aims are the ways in which an operation of EC2 is tried.
func (w *world) ec2Aims(operation string) []aim {
	all := []aim{w.used, w.spare}
	mixed := maps.Clone(w.spare)
	mixed["vpcid"] = w.used["vpcid"]
	all = append(all, mixed)
	for i := range all {
		all[i] = maps.Clone(all[i])
		all[i]["associationid"] = w.used[associations[operation]]
		switch operation {
		case "AssociateSubnetCidrBlock":
			all[i]["subnetid"], all[i]["ipv6cidrblock"] = w.used["bare"], w.used["free6"]
		case "UnassignIpv6Addresses":
			all[i]["ipv6addresse"] = w.used["address6"]
		}
	}
	return all
}

// ec2Special are members that an operation of EC2 needs beside what it is about.
var ec2Special = map[string]aim{
	"AssociateVpcCidrBlock":             {"cidrblock": "10.77.0.0/16"},
	"AssignIpv6Addresses":               {"ipv6addresscount": 1},
	"ResetNetworkInterfaceAttribute":    {"sourcedestcheck": "true"},
	"GetManagedPrefixListEntries":       {"prefixlistid": vpc.PrefixLists(vpcHome(owner))[0].ID},
	"CreateDhcpOptions":                 {"dhcpconfiguration": []any{map[string]any{"Key": "domain-name", "Values": []any{"new.test"}}}},
	"CreateNatGateway":                  {"vpcid": nil},
	"CreateNetworkAclEntry":             aclEntry("7"),
	"ReplaceNetworkAclEntry":            aclEntry("100"),
	"DeleteNetworkAclEntry":             {"rulenumber": 100},
	"CreateRoute":                       {"destinationcidrblock": "198.51.100.0/24"},
	"ReplaceRoute":                      {"destinationcidrblock": "0.0.0.0/0", "natgatewayid": nil},
	"DeleteRoute":                       {"destinationcidrblock": "0.0.0.0/0"},
	"CreateSubnet":                      {"cidrblock": "10.0.200.0/24"},
	"CreateVpc":                         {"cidrblock": "10.9.0.0/16"},
	"CreateTags":                        {"tag": []any{map[string]any{"Key": "word", "Value": "stolen"}}},
	"DeleteTags":                        {"tag": []any{map[string]any{"Key": "word"}}},
	"ModifySubnetAttribute":             {"mappubliciponlaunch": map[string]any{"Value": true}},
	"ModifyVpcAttribute":                {"enablednshostname": map[string]any{"Value": true}},
	"AssignPrivateIpAddresses":          {"privateipaddresse": "10.0.0.98"},
	"UnassignPrivateIpAddresses":        {"privateipaddresse": "10.0.0.99"},
	"ModifyNetworkInterfaceAttribute":   {"description": map[string]any{"Value": "new"}},
	"DescribeNetworkInterfaceAttribute": {"attribute": "description"},
	"CreateSecurityGroup":               {"groupname": "new", "description": "new"},
	"AuthorizeSecurityGroupIngress":     {"ippermission": permission(8)},
	"AuthorizeSecurityGroupEgress":      {"ippermission": permission(8)},
}

func aclEntry(number string) aim {
	return aim{"rulenumber": json.Number(number), "protocol": "-1", "cidrblock": "0.0.0.0/0", "ruleaction": "deny"}
}

func permission(port int) []any {
	return []any{map[string]any{"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": []any{map[string]any{"CidrIp": "0.0.0.0/0"}}}}
}

// ec2Refuses are operations of EC2 that refuse the owner here, with why.
var ec2Refuses = map[string]string{
	"CreateDefaultVpc":       "there is one",
	"CreateDefaultSubnet":    "there is one in each zone",
	"DetachInternetGateway":  "a NAT gateway needs it",
	"AttachNetworkInterface": "there is no machine to attach it to", "DetachNetworkInterface": "so nothing is attached",
	"RunInstances": "nothing starts machines", "TerminateInstances": "nothing ends them",
	"ModifySecurityGroupRules": "its structures are the tests' of the operation", "RevokeSecurityGroupEgress": "as these",
	"UpdateSecurityGroupRuleDescriptionsIngress": "as these", "UpdateSecurityGroupRuleDescriptionsEgress": "as these",
}
