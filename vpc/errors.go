package vpc

import (
	"fmt"
	"strings"

	aws "github.com/berth-ecs/berth/wire/shape"
)

// Errorf is an error with a code of EC2.
func Errorf(code, format string, args ...any) error {
	return &aws.Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Dependent is the error of taking away what something else needs: "subnet" and its id, for example.
func Dependent(noun, id string) error {
	return Errorf("DependencyViolation", "The %s '%s' has dependencies and cannot be deleted.", noun, id)
}

// Kind is a kind of resources that have ids, and EC2's words about them.
type Kind struct {
	Prefix    string // of ids, before the dash
	Type      string // as tags and ARNs name it
	malformed string // code of what is no id of the kind
	unknown   string // code of an id that nothing has
	noun      string // in sentences, "The ... ID 'x' does not exist"
	sentence  string // instead of that; %s is the id
}

// The kinds. EC2 spells ID in several ways.
var (
	KindVPC             = Kind{"vpc", "vpc", "InvalidVpcID.Malformed", "InvalidVpcID.NotFound", "vpc", ""}
	KindSubnet          = Kind{"subnet", "subnet", "InvalidSubnetID.Malformed", "InvalidSubnetID.NotFound", "subnet", ""}
	KindDHCPOptions     = Kind{"dopt", "dhcp-options", "InvalidDhcpOptionsId.Malformed", "InvalidDhcpOptionID.NotFound", "dhcpOption", ""}
	KindInterface       = Kind{"eni", "network-interface", "InvalidNetworkInterfaceId.Malformed", "InvalidNetworkInterfaceID.NotFound", "networkInterface", ""}
	KindAttachment      = Kind{"eni-attach", "network-interface-attachment", "InvalidNetworkInterfaceAttachmentId.Malformed", "InvalidAttachmentID.NotFound", "attachment", ""}
	KindGroup           = Kind{"sg", "security-group", "InvalidGroupId.Malformed", "InvalidGroup.NotFound", "security group", "The security group '%s' does not exist"}
	KindRule            = Kind{"sgr", "security-group-rule", "InvalidSecurityGroupRuleId.Malformed", "InvalidSecurityGroupRuleId.NotFound", "security group rule", ""}
	KindACL             = Kind{"acl", "network-acl", "InvalidNetworkAclId.Malformed", "InvalidNetworkAclID.NotFound", "networkAcl", ""}
	KindACLAssociation  = Kind{"aclassoc", "network-acl-association", "InvalidAssociationID.Malformed", "InvalidAssociationID.NotFound", "association", ""}
	KindRouteTable      = Kind{"rtb", "route-table", "InvalidRouteTableId.Malformed", "InvalidRouteTableID.NotFound", "routeTable", ""}
	KindTableAssoc      = Kind{"rtbassoc", "route-table-association", "InvalidAssociationID.Malformed", "InvalidAssociationID.NotFound", "association", ""}
	KindInternetGateway = Kind{"igw", "internet-gateway", "InvalidInternetGatewayId.Malformed", "InvalidInternetGatewayID.NotFound", "internetGateway", ""}
	KindNATGateway      = Kind{"nat", "natgateway", "NatGatewayMalformed", "NatGatewayNotFound", "natGateway", "NatGateway %s was not found"}
	KindElastic         = Kind{"eipalloc", "elastic-ip", "InvalidAllocationID.Malformed", "InvalidAllocationID.NotFound", "allocation", ""}
	KindElasticAssoc    = Kind{"eipassoc", "elastic-ip-association", "InvalidAssociationID.Malformed", "InvalidAssociationID.NotFound", "association", ""}
	KindVPCBlock        = Kind{"vpc-cidr-assoc", "vpc-cidr-association", "InvalidVpcCidrBlockAssociationID.Malformed", "InvalidVpcCidrBlockAssociationID.NotFound", "vpc CIDR block association", ""}
	KindSubnetBlock     = Kind{"subnet-cidr-assoc", "subnet-cidr-association", "InvalidSubnetCidrBlockAssociationID.Malformed", "InvalidSubnetCidrBlockAssociationID.NotFound", "subnet CIDR block association", ""}
	KindPrefixList      = Kind{"pl", "prefix-list", "InvalidPrefixListId.Malformed", "InvalidPrefixListID.NotFound", "prefix list", ""}
	KindInstance        = Kind{"i", "instance", "InvalidInstanceID.Malformed", "InvalidInstanceID.NotFound", "instance", "The instance ID '%s' does not exist"}
)

// taggable are the kinds whose resources have tags.
var taggable = []Kind{
	KindVPC, KindSubnet, KindDHCPOptions, KindInterface, KindGroup, KindRule, KindACL, KindRouteTable, KindInternetGateway, KindNATGateway, KindElastic,
	KindPrefixList, KindInstance,
}

// KindOf is the kind of what has an id and can have tags.
func KindOf(id string) (Kind, bool) {
	for _, k := range taggable {
		if k.Check(id) == nil {
			return k, true
		}
	}
	return Kind{}, false
}

// Check refuses what cannot be an id of the kind: its digits are hexadecimal, 8 or 17 of them.
func (k Kind) Check(id string) error {
	digits, ok := strings.CutPrefix(id, k.Prefix+"-")
	if !ok || len(digits) != 8 && len(digits) != 17 || strings.Trim(digits, "0123456789abcdef") != "" {
		return Errorf(k.malformed, "Invalid id: %q (expecting \"%s-...\")", id, k.Prefix)
	}
	return nil
}

// NotFound is the error of ids that nothing has.
func (k Kind) NotFound(ids ...string) error {
	if k.sentence != "" {
		return Errorf(k.unknown, k.sentence, strings.Join(ids, ", "))
	}
	if len(ids) > 1 {
		return Errorf(k.unknown, "The %s IDs '%s' do not exist", k.noun, strings.Join(ids, ", "))
	}
	return Errorf(k.unknown, "The %s ID '%s' does not exist", k.noun, strings.Join(ids, ", "))
}

// Dependent is the error of taking away a resource of the kind while something needs it.
func (k Kind) Dependent(id string) error { return Dependent(k.noun, id) }

// NewID makes an id of the kind of 32 hex digits.
func (k Kind) NewID(hex string) string { return ID(k.Prefix, hex) }
