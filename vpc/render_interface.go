package vpc

import (
	"net/netip"
	"strings"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ec2"
)

// Shown is what the description of an interface says beside its record.
type Shown struct {
	Groups    []shape.GroupIdentifier // its security groups, with their names
	HostNames bool                    // the VPC gives names to public addresses
	ZoneID    string
	Tags      []shape.Tag
}

// Statuses of interfaces and their attachments.
const (
	InterfaceFree = "available"
	InterfaceUsed = "in-use"
	Attached      = "attached"
)

// Status is what EC2 says of whether the interface is attached.
func (i *Interface) Status() string {
	if i.Attachment != "" {
		return InterfaceUsed
	}
	return InterfaceFree
}

// Managed says whether the interface belongs to a service: the client cannot change it, and it goes when what it is for goes.
func (i *Interface) Managed() bool { return i.Owner != "" }

// Open says whether everything passes the interface: it is a network load balancer's that has no security groups. No other is without.
func (i *Interface) Open() bool { return i.Type == NetworkBalancer && len(i.Groups) == 0 }

// Render describes an interface.
func (i *Interface) Render(s Shown) shape.NetworkInterface {
	out := shape.NetworkInterface{
		NetworkInterfaceId: &i.ID, VpcId: &i.VPC, SubnetId: &i.Subnet, AvailabilityZone: &i.Zone, AvailabilityZoneId: &s.ZoneID, MacAddress: &i.MAC,
		Description: &i.Description, InterfaceType: &i.Type, OwnerId: &i.Account, SourceDestCheck: &i.SourceCheck, Status: aws.Ptr(i.Status()),
		RequesterManaged: aws.Ptr(i.Requester != ""), Groups: s.Groups, TagSet: s.Tags, Attachment: i.RenderAttachment(),
		PrivateIpAddresses: []shape.NetworkInterfacePrivateIpAddress{}, Ipv6Addresses: []shape.NetworkInterfaceIpv6Address{},
	}
	if i.Requester != "" {
		out.RequesterId = &i.Requester
	}
	for n, p := range i.Private {
		a := shape.NetworkInterfacePrivateIpAddress{
			PrivateIpAddress: aws.Ptr(p.Addr.String()), Primary: aws.Ptr(n == 0), PrivateDnsName: aws.Ptr(PrivateName(i.Region, p.Addr)),
			Association: i.association(p, s.HostNames),
		}
		out.PrivateIpAddresses = append(out.PrivateIpAddresses, a)
	}
	if len(i.Private) > 0 {
		first := out.PrivateIpAddresses[0]
		out.PrivateIpAddress, out.PrivateDnsName, out.Association = first.PrivateIpAddress, first.PrivateDnsName, first.Association
		if first.Association != nil {
			out.PublicDnsName = first.Association.PublicDnsName
		}
	}
	for n, a := range i.IPv6 {
		out.Ipv6Addresses = append(out.Ipv6Addresses, shape.NetworkInterfaceIpv6Address{Ipv6Address: aws.Ptr(a.String()), IsPrimaryIpv6: aws.Ptr(false)})
		if n == 0 {
			out.Ipv6Address = aws.Ptr(a.String())
		}
	}
	return out
}

// ServiceAttachment begins the ids of attachments to what is no instance but AWS's own: a NAT gateway, a load balancer. Clients tell by it that
// they cannot detach it.
const ServiceAttachment = "ela-attach"

// serviceOwner is who has what interfaces with such an attachment are attached to; those of application load balancers have an owner of their own.
const serviceOwner = "amazon-aws"

// Balancers is who makes the interfaces of load balancers.
const Balancers = "amazon-elb"

// NetworkBalancer is the type of the interfaces of network load balancers.
const NetworkBalancer = "network_load_balancer"

// RenderAttachment describes what the interface is attached to, nil for nothing.
func (i *Interface) RenderAttachment() *shape.NetworkInterfaceAttachment {
	if i.Attachment == "" {
		return nil
	}
	a := &shape.NetworkInterfaceAttachment{
		AttachmentId: &i.Attachment, AttachTime: aws.At(i.AttachedAt), DeleteOnTermination: &i.DeleteOnEnd, DeviceIndex: &i.DeviceIndex,
		NetworkCardIndex: aws.Ptr(int32(0)), InstanceOwnerId: &i.Account, Status: aws.Ptr(Attached),
	}
	if strings.HasPrefix(i.Attachment, ServiceAttachment+"-") {
		a.InstanceOwnerId = aws.Ptr(serviceOwner)
		if i.Requester == Balancers && i.Type != NetworkBalancer {
			a.InstanceOwnerId = aws.Ptr(Balancers)
		}
	}
	if i.Instance != "" {
		a.InstanceId = &i.Instance
	}
	return a
}

// amazon is who has a public address that goes with its interface.
const amazon = "amazon"

func (i *Interface) association(p Private, named bool) *shape.NetworkInterfaceAssociation {
	if !p.Public.IsValid() {
		return nil
	}
	a := &shape.NetworkInterfaceAssociation{PublicIp: aws.Ptr(p.Public.String()), IpOwnerId: aws.Ptr(amazon), PublicDnsName: aws.Ptr("")}
	if named {
		a.PublicDnsName = aws.Ptr(PublicName(i.Region, p.Public))
	}
	if p.Elastic != "" {
		a.AllocationId, a.AssociationId, a.IpOwnerId = &p.Elastic, &p.Association, &i.Account
	}
	return a
}

// PublicName is the name of a public address in a VPC that gives names to them.
func PublicName(region string, a netip.Addr) string {
	domain := region + ".compute"
	if region == "us-east-1" {
		domain = "compute-1"
	}
	return "ec2-" + strings.ReplaceAll(a.String(), ".", "-") + "." + domain + ".amazonaws.com"
}
