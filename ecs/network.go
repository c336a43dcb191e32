package ecs

import (
	"net/netip"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// Statuses of a task's network interface, as attachments[] shows them.
const (
	AttachmentPrecreated = "PRECREATED"
	AttachmentAttached   = "ATTACHED"
	AttachmentDetaching  = "DETACHING"
	AttachmentDeleted    = "DELETED"
)

// Subnet is what this wing must know of a subnet.
type Subnet struct {
	ID   string
	VPC  string
	Zone string // name
	Free int    // addresses that interfaces may still get
}

// SecurityGroup is what this wing must know of a security group.
type SecurityGroup struct{ ID, VPC string }

// InterfaceWish is what a task's interface should be.
type InterfaceWish struct {
	Home
	Subnet     string
	Groups     []string    // none: the default group of the subnet's VPC
	Attachment string      // ARN of the attachment
	Task       string      // ARN of the task: the interface's owner
	Node       string      // that it must be on
	EC2        string      // id of the node as an EC2 instance, "" for none
	Public     bool        // with a public address
	Tags       []shape.Tag // that it is shown with: those that ECS gave the task itself
	Guise      *Guise      // of a hidden task; else nil
}

// Interface is the network interface that the containers of a task share. It was made with the task and never changes; it goes when the task
// is STOPPED, and stays described.
type Interface struct {
	Attachment string // id of the attachment: a UUID
	ID         string // "eni-..."
	Subnet     string
	VPC        string
	MAC        string
	Private    netip.Addr
	IPv6       []netip.Addr
	DNSName    string // private; "" when the VPC gives none

	// What the task is told of its network.
	Gateway  netip.Prefix // the subnet's first address and its length
	Gateway6 netip.Prefix // the zero Prefix for none
	Servers  []netip.Addr // of domain names
	Search   []string
}

// AttachmentARN names the attachment of a task's interface.
func (h Home) AttachmentARN(id string) string { return h.arn("attachment", id) }

// HasInterface says whether tasks of a definition get an interface of their own.
func HasInterface(d *shape.TaskDefinition) bool {
	return aws.Val(d.NetworkMode) == shape.NetworkModeAwsvpc
}

// ShownAttachment is the status of the task's interface that is answered.
func (v TaskView) ShownAttachment() string {
	switch v.ShownStatus() {
	case TaskStopped:
		return AttachmentDeleted
	case TaskDeprovisioning:
		return AttachmentDetaching
	}
	return v.Status.Attachment
}

// attachments is the task's interface as an attachment of it.
func (v TaskView) attachments() []shape.Attachment {
	i := v.Interface
	if i == nil {
		return []shape.Attachment{}
	}
	details := []shape.KeyValuePair{
		{Name: aws.Ptr("subnetId"), Value: aws.Ptr(i.Subnet)},
		{Name: aws.Ptr("networkInterfaceId"), Value: aws.Ptr(i.ID)},
		{Name: aws.Ptr("macAddress"), Value: aws.Ptr(i.MAC)},
	}
	if i.DNSName != "" {
		details = append(details, shape.KeyValuePair{Name: aws.Ptr("privateDnsName"), Value: aws.Ptr(i.DNSName)})
	}
	details = append(details, shape.KeyValuePair{Name: aws.Ptr("privateIPv4Address"), Value: aws.Ptr(i.Private.String())})
	return []shape.Attachment{{
		Id: aws.Ptr(i.Attachment), Type: aws.Ptr("ElasticNetworkInterface"), Status: aws.Ptr(v.ShownAttachment()), Details: details,
	}}
}

// interfaces are those of each container: the task's one.
func (v TaskView) interfaces() []shape.NetworkInterface {
	i := v.Interface
	if i == nil {
		return []shape.NetworkInterface{}
	}
	out := shape.NetworkInterface{AttachmentId: aws.Ptr(i.Attachment), PrivateIpv4Address: aws.Ptr(i.Private.String())}
	if len(i.IPv6) > 0 {
		out.Ipv6Address = aws.Ptr(i.IPv6[0].String())
	}
	return []shape.NetworkInterface{out}
}

// Zones are the free addresses of subnets by zone.
func Zones(subnets []Subnet) map[string]int {
	out := map[string]int{}
	for _, s := range subnets {
		out[s.Zone] += max(0, s.Free)
	}
	return out
}

// SubnetIn is the index of the subnet of a zone that an interface should be in: the one with most free addresses; -1 when there is none with
// one.
func SubnetIn(subnets []Subnet, zone string) int {
	best, most := -1, 0
	for i, s := range subnets {
		if s.Zone == zone && s.Free > most {
			best, most = i, s.Free
		}
	}
	return best
}
