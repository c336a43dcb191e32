package vpcapi

import (
	"strconv"
	"strings"
	"time"

	"github.com/berth-ecs/berth/vpc"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ec2"
)

// interfaceFields are the filters of interfaces.
var interfaceFields = vpc.Fields[shape.NetworkInterface]{
	"addresses.association.owner-id":   eachAddress(func(a shape.NetworkInterfacePrivateIpAddress) *string { return association(a.Association).IpOwnerId }),
	"addresses.association.public-ip":  eachAddress(func(a shape.NetworkInterfacePrivateIpAddress) *string { return association(a.Association).PublicIp }),
	"addresses.primary":                eachAddress(func(a shape.NetworkInterfacePrivateIpAddress) *string { return aws.Ptr(either(aws.Val(a.Primary))) }),
	"addresses.private-ip-address":     eachAddress(func(a shape.NetworkInterfacePrivateIpAddress) *string { return a.PrivateIpAddress }),
	"association.allocation-id":        field(func(i shape.NetworkInterface) *string { return association(i.Association).AllocationId }),
	"association.association-id":       field(func(i shape.NetworkInterface) *string { return association(i.Association).AssociationId }),
	"association.ip-owner-id":          field(func(i shape.NetworkInterface) *string { return association(i.Association).IpOwnerId }),
	"association.public-dns-name":      field(func(i shape.NetworkInterface) *string { return association(i.Association).PublicDnsName }),
	"association.public-ip":            field(func(i shape.NetworkInterface) *string { return association(i.Association).PublicIp }),
	"attachment.attachment-id":         field(func(i shape.NetworkInterface) *string { return attachment(i).AttachmentId }),
	"attachment.instance-id":           field(func(i shape.NetworkInterface) *string { return attachment(i).InstanceId }),
	"attachment.instance-owner-id":     field(func(i shape.NetworkInterface) *string { return attachment(i).InstanceOwnerId }),
	"attachment.status":                field(func(i shape.NetworkInterface) *string { return attachment(i).Status }),
	"attachment.attach-time":           attachTime,
	"attachment.attach.time":           attachTime,
	"attachment.nat-gateway-id":        natGateway,
	"attachment.delete-on-termination": field(func(i shape.NetworkInterface) *string { return flag(attachment(i).DeleteOnTermination) }),
	"attachment.device-index": field(func(i shape.NetworkInterface) *string {
		if n := attachment(i).DeviceIndex; n != nil {
			return aws.Ptr(strconv.Itoa(int(*n)))
		}
		return nil
	}),
	"availability-zone":    field(func(i shape.NetworkInterface) *string { return i.AvailabilityZone }),
	"availability-zone-id": field(func(i shape.NetworkInterface) *string { return i.AvailabilityZoneId }),
	"description":          field(func(i shape.NetworkInterface) *string { return i.Description }),
	"group-id":             eachGroup(func(g shape.GroupIdentifier) *string { return g.GroupId }),
	"group-name":           eachGroup(func(g shape.GroupIdentifier) *string { return g.GroupName }),
	"interface-type":       field(func(i shape.NetworkInterface) *string { return i.InterfaceType }),
	"ipv6-addresses.ipv6-address": func(i shape.NetworkInterface) (out []string) {
		for _, a := range i.Ipv6Addresses {
			out = append(out, *a.Ipv6Address)
		}
		return out
	},
	"mac-address":          field(func(i shape.NetworkInterface) *string { return i.MacAddress }),
	"network-interface-id": field(func(i shape.NetworkInterface) *string { return i.NetworkInterfaceId }),
	"owner-id":             field(func(i shape.NetworkInterface) *string { return i.OwnerId }),
	"private-dns-name":     field(func(i shape.NetworkInterface) *string { return i.PrivateDnsName }),
	"private-ip-address":   field(func(i shape.NetworkInterface) *string { return i.PrivateIpAddress }),
	"requester-id":         field(func(i shape.NetworkInterface) *string { return i.RequesterId }),
	"requester-managed":    field(func(i shape.NetworkInterface) *string { return flag(i.RequesterManaged) }),
	"source-dest-check":    field(func(i shape.NetworkInterface) *string { return flag(i.SourceDestCheck) }),
	"status":               field(func(i shape.NetworkInterface) *string { return i.Status }),
	"subnet-id":            field(func(i shape.NetworkInterface) *string { return i.SubnetId }),
	"vpc-id":               field(func(i shape.NetworkInterface) *string { return i.VpcId }),
}

// field is a filter of one text, which may be missing.
func field[T any](value func(T) *string) func(T) []string {
	return func(item T) []string {
		if s := value(item); s != nil {
			return []string{*s}
		}
		return nil
	}
}

func each[T, E any](of func(T) []E, value func(E) *string) func(T) []string {
	return func(item T) (out []string) {
		for _, e := range of(item) {
			if s := value(e); s != nil {
				out = append(out, *s)
			}
		}
		return out
	}
}

func eachAddress(value func(shape.NetworkInterfacePrivateIpAddress) *string) func(shape.NetworkInterface) []string {
	return each(func(i shape.NetworkInterface) []shape.NetworkInterfacePrivateIpAddress { return i.PrivateIpAddresses }, value)
}

func eachGroup(value func(shape.GroupIdentifier) *string) func(shape.NetworkInterface) []string {
	return each(func(i shape.NetworkInterface) []shape.GroupIdentifier { return i.Groups }, value)
}

func flag(b *bool) *string {
	if b == nil {
		return nil
	}
	return aws.Ptr(either(*b))
}

func association(a *shape.NetworkInterfaceAssociation) shape.NetworkInterfaceAssociation {
	return aws.Val(a)
}

func attachment(i shape.NetworkInterface) shape.NetworkInterfaceAttachment {
	return aws.Val(i.Attachment)
}

func attachTime(i shape.NetworkInterface) []string {
	if at := attachment(i).AttachTime; at != nil {
		return []string{at.Format(time.RFC3339)}
	}
	return nil
}

// natGateway is the NAT gateway that an interface is for, as its description says it.
func natGateway(i shape.NetworkInterface) []string {
	if id, ok := strings.CutPrefix(aws.Val(i.Description), "Interface for NAT Gateway "); ok && aws.Val(i.InterfaceType) == "nat_gateway" {
		return []string{id}
	}
	return nil
}
