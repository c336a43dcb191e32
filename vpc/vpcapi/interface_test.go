package vpcapi

import (
	"net/netip"
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

func (s *site) interfaceOf(in shape.CreateNetworkInterfaceRequest) *shape.NetworkInterface {
	s.Helper()
	if in.SubnetId == nil {
		in.SubnetId = &s.remote.ID
	}
	return ask(s, s.CreateNetworkInterface, in).NetworkInterface
}

func (s *site) look(id string) shape.NetworkInterface {
	s.Helper()
	return ask(s, s.DescribeNetworkInterfaces, shape.DescribeNetworkInterfacesRequest{NetworkInterfaceIds: []string{id}}).NetworkInterfaces[0]
}

func specs(primary string, others ...string) []shape.PrivateIpAddressSpecification {
	out := []shape.PrivateIpAddressSpecification{{PrivateIpAddress: &primary, Primary: aws.Ptr(true)}}
	for _, o := range others {
		out = append([]shape.PrivateIpAddressSpecification{{PrivateIpAddress: aws.Ptr(o)}}, out...)
	}
	return out
}

func TestCreateInterface(t *testing.T) {
	s := newSite(t)
	web := s.group(s.other, "web")
	i := s.interfaceOf(shape.CreateNetworkInterfaceRequest{
		Description: aws.Ptr("mine"), Groups: []string{web}, PrivateIpAddresses: specs("10.0.1.9", "10.0.1.10"), Ipv6AddressCount: new(int32(1)), ClientToken: aws.Ptr("t"),
		TagSpecifications: []shape.TagSpecification{{ResourceType: aws.Ptr("network-interface"), Tags: []shape.Tag{{Key: aws.Ptr("Name"), Value: aws.Ptr("x")}}}},
	})
	if *i.Status != "pending" || *i.PrivateIpAddress != "10.0.1.9" || *i.PrivateDnsName != "ip-10-0-1-9.ec2.internal" || len(i.PrivateIpAddresses) != 2 || len(i.Ipv6Addresses) != 1 ||
		*i.Groups[0].GroupName != "web" || *i.InterfaceType != "interface" || *i.RequesterManaged || i.Attachment != nil || *i.AvailabilityZone != "us-east-1b" || *i.AvailabilityZoneId != "use1-az2" || *i.TagSet[0].Value != "x" {
		t.Error(asJSON(i))
	}
	if got := s.look(*i.NetworkInterfaceId); *got.Status != "available" || *got.Description != "mine" || !*got.SourceDestCheck {
		t.Error(asJSON(got))
	}
}

func TestCreateInterfaceOnce(t *testing.T) {
	s := newSite(t)
	in := shape.CreateNetworkInterfaceRequest{ClientToken: aws.Ptr("token")}
	a, b := s.interfaceOf(in), s.interfaceOf(in)
	if *a.NetworkInterfaceId != *b.NetworkInterfaceId {
		t.Error("two interfaces of one token")
	}
	in.SubnetId, in.Description = &s.remote.ID, aws.Ptr("other")
	refused(s, s.CreateNetworkInterface, in, "IdempotentParameterMismatch: ")
}

func TestCreateInterfaceRefuses(t *testing.T) {
	s := newSite(t)
	s.interfaceOf(shape.CreateNetworkInterfaceRequest{PrivateIpAddress: aws.Ptr("10.0.1.9")})
	foreign := s.group(s.vpc, "foreign")
	six := []shape.InstanceIpv6Address{{Ipv6Address: aws.Ptr("fd00:1::5")}}
	for want, in := range map[string]shape.CreateNetworkInterfaceRequest{
		"InvalidSubnetID.NotFound: The subnet ID 'subnet-00000000000000000' does not exist": {SubnetId: aws.Ptr("subnet-00000000000000000")},
		"InvalidSubnetID.Malformed: ": {SubnetId: aws.Ptr("here")},
		"InvalidSecurityGroupID.NotFound: The security group 'sg-00000000000000000' does not exist": {Groups: []string{"sg-00000000000000000"}},
		"InvalidGroupId.Malformed: ": {Groups: []string{"web"}},
		"InvalidParameter: Security group " + foreign + " and subnet " + s.remote.ID + " belong to different": {Groups: []string{foreign}},
		"InvalidIPAddress.InUse: Address 10.0.1.9 is in use.":                                                 {PrivateIpAddress: aws.Ptr("10.0.1.9")},
		"InvalidParameterValue: Address 10.0.1.3 is in subnet's reserved address range":                       {PrivateIpAddress: aws.Ptr("10.0.1.3")},
		"InvalidParameterValue: Address 10.0.2.9 does not fall within the subnet's address range":             {PrivateIpAddress: aws.Ptr("10.0.2.9")},
		"InvalidParameterValue: Invalid value 'x' for address. It is not a valid IP address.":                 {PrivateIpAddress: aws.Ptr("x")},
		"InvalidParameterValue: Exactly one private IP address must be the primary one.":                      {PrivateIpAddresses: append(specs("10.0.1.20"), specs("10.0.1.21")...)},
		"InvalidParameterCombination: The parameters privateIpAddress and privateIpAddresses":                 {PrivateIpAddress: aws.Ptr("10.0.1.20"), PrivateIpAddresses: specs("10.0.1.21")},
		"InvalidParameterCombination: The parameters secondaryPrivateIpAddressCount and privateIpAddresses":   {SecondaryPrivateIpAddressCount: new(int32(1)), PrivateIpAddresses: specs("10.0.1.21", "10.0.1.22")},
		"InvalidParameterCombination: The parameters ipv6AddressCount and ipv6Addresses":                      {Ipv6AddressCount: new(int32(1)), Ipv6Addresses: six},
		"PrivateIpAddressLimitExceeded: Number of private addresses will exceed limit of 30.":                 {SecondaryPrivateIpAddressCount: new(int32(30))},
		"UnsupportedOperation: ": {InterfaceType: aws.Ptr("efa")},
	} {
		if in.SubnetId == nil {
			in.SubnetId = &s.remote.ID
		}
		refused(s, s.CreateNetworkInterface, in, want)
	}
}

func TestModifyInterface(t *testing.T) {
	s := newSite(t)
	web := s.group(s.other, "web")
	id := *s.interfaceOf(shape.CreateNetworkInterfaceRequest{}).NetworkInterfaceId
	for _, in := range []shape.ModifyNetworkInterfaceAttributeRequest{
		{Groups: []string{web}}, {Description: &shape.AttributeValue{Value: aws.Ptr("new")}}, {SourceDestCheck: &shape.AttributeBooleanValue{Value: aws.Ptr(false)}},
	} {
		in.NetworkInterfaceId = &id
		ask(s, s.ModifyNetworkInterfaceAttribute, in)
	}
	if i := s.look(id); *i.Groups[0].GroupId != web || *i.Description != "new" || *i.SourceDestCheck {
		t.Error(asJSON(i))
	}
	attribute := func(name string) string {
		return asJSON(ask(s, s.DescribeNetworkInterfaceAttribute, shape.DescribeNetworkInterfaceAttributeRequest{NetworkInterfaceId: &id, Attribute: &name}))
	}
	ask(s, s.ResetNetworkInterfaceAttribute, shape.ResetNetworkInterfaceAttributeRequest{NetworkInterfaceId: &id, SourceDestCheck: aws.Ptr("true")})
	if i := s.look(id); !*i.SourceDestCheck {
		t.Error("the check is still off")
	}
	refused(s, s.ResetNetworkInterfaceAttribute, shape.ResetNetworkInterfaceAttributeRequest{NetworkInterfaceId: &id}, "InvalidParameterCombination: No attributes specified.")
	ask(s, s.ModifyNetworkInterfaceAttribute, shape.ModifyNetworkInterfaceAttributeRequest{NetworkInterfaceId: &id, SourceDestCheck: &shape.AttributeBooleanValue{Value: aws.Ptr(false)}})
	for name, want := range map[string]string{"description": `{"Value":"new"}`, "groupSet": web, "sourceDestCheck": `{"Value":false}`, "associatePublicIpAddress": "false"} {
		if got := attribute(name); !strings.Contains(got, want) {
			t.Errorf("%s: %s", name, got)
		}
	}
	for want, in := range map[string]shape.ModifyNetworkInterfaceAttributeRequest{
		"InvalidParameterCombination: No attributes specified.":                                              {NetworkInterfaceId: &id},
		"InvalidParameterCombination: Fields for multiple attribute types":                                   {NetworkInterfaceId: &id, Groups: []string{web}, Description: &shape.AttributeValue{}},
		"InvalidSecurityGroupID.NotFound: ":                                                                  {NetworkInterfaceId: &id, Groups: []string{"sg-00000000000000000"}},
		"InvalidNetworkInterfaceID.NotFound: The networkInterface ID 'eni-00000000000000000' does not exist": {NetworkInterfaceId: aws.Ptr("eni-00000000000000000"), Groups: []string{web}},
		"InvalidAttachmentID.NotFound: ":                                                                     {NetworkInterfaceId: &id, Attachment: &shape.NetworkInterfaceAttachmentChanges{AttachmentId: aws.Ptr("eni-attach-00000000000000000")}},
	} {
		refused(s, s.ModifyNetworkInterfaceAttribute, in, want)
	}
	refused(s, s.DescribeNetworkInterfaceAttribute, shape.DescribeNetworkInterfaceAttributeRequest{NetworkInterfaceId: &id, Attribute: aws.Ptr("colour")}, "InvalidParameterValue: ")
}

func TestAssignAddresses(t *testing.T) {
	s := newSite(t)
	id := s.interfaceOf(shape.CreateNetworkInterfaceRequest{PrivateIpAddress: aws.Ptr("10.0.1.9")}).NetworkInterfaceId
	other := s.interfaceOf(shape.CreateNetworkInterfaceRequest{PrivateIpAddresses: specs("10.0.1.20", "10.0.1.21")}).NetworkInterfaceId
	out := ask(s, s.AssignPrivateIpAddresses, shape.AssignPrivateIpAddressesRequest{NetworkInterfaceId: id, PrivateIpAddresses: []string{"10.0.1.10", "10.0.1.10"}})
	if len(out.AssignedPrivateIpAddresses) != 1 || *out.AssignedPrivateIpAddresses[0].PrivateIpAddress != "10.0.1.10" {
		t.Error(asJSON(out))
	}
	ask(s, s.AssignPrivateIpAddresses, shape.AssignPrivateIpAddressesRequest{NetworkInterfaceId: id, SecondaryPrivateIpAddressCount: new(int32(2))})
	for want, in := range map[string]shape.AssignPrivateIpAddressesRequest{
		"InvalidIPAddress.InUse: ":                  {NetworkInterfaceId: id, PrivateIpAddresses: []string{"10.0.1.21"}},
		"InvalidParameterCombination: Either ":      {NetworkInterfaceId: id},
		"InvalidParameterCombination: The ":         {NetworkInterfaceId: id, PrivateIpAddresses: []string{"10.0.1.50"}, SecondaryPrivateIpAddressCount: new(int32(1))},
		"InvalidParameterValue: The primary IP":     {NetworkInterfaceId: id, PrivateIpAddresses: []string{"10.0.1.20"}, AllowReassignment: aws.Ptr(true)},
		"PrivateIpAddressLimitExceeded: Number of ": {NetworkInterfaceId: id, SecondaryPrivateIpAddressCount: new(int32(27))},
	} {
		refused(s, s.AssignPrivateIpAddresses, in, want)
	}
	ask(s, s.AssignPrivateIpAddresses, shape.AssignPrivateIpAddressesRequest{NetworkInterfaceId: id, PrivateIpAddresses: []string{"10.0.1.21"}, AllowReassignment: aws.Ptr(true)})
	if i, o := s.look(*id), s.look(*other); len(i.PrivateIpAddresses) != 5 || len(o.PrivateIpAddresses) != 1 {
		t.Error(asJSON(i), asJSON(o))
	}
	ask(s, s.UnassignPrivateIpAddresses, shape.UnassignPrivateIpAddressesRequest{NetworkInterfaceId: id, PrivateIpAddresses: []string{"10.0.1.10", "10.0.1.21"}})
	for want, in := range map[string]shape.UnassignPrivateIpAddressesRequest{
		"InvalidParameterValue: The primary IP address 10.0.1.9": {NetworkInterfaceId: id, PrivateIpAddresses: []string{"10.0.1.9"}},
		"InvalidParameterValue: Some of the specified addresses": {NetworkInterfaceId: id, PrivateIpAddresses: []string{"10.0.1.10"}},
		"MissingParameter: ": {NetworkInterfaceId: id},
	} {
		refused(s, s.UnassignPrivateIpAddresses, in, want)
	}
}

// An interface of a task is shown and cannot be touched.
func TestInterfaceOfTask(t *testing.T) {
	s := newSite(t)
	const arn = "arn:aws:ecs:us-east-1:000000000000:attachment/0"
	i, err := s.attach(tables.Spec{Home: at, Subnet: s.subnet.ID, Owner: "arn:aws:ecs:us-east-1:000000000000:task/t", Description: arn, Requester: "ecs", AssignPublic: true, Pool: s.Pool,
		Attached: tables.Attached{Instance: "i-00000000000000001", DeviceIndex: 1}, ServiceTags: []vpc.Pair{{Key: "aws:ecs:clusterName", Value: "c"}}})
	s.must(err)
	s.taggedByECS(i.ID)
	got := s.look(i.ID)
	if *got.Status != "in-use" || *got.Attachment.InstanceId != "i-00000000000000001" || *got.Attachment.Status != "attached" || !*got.RequesterManaged || *got.Description != arn ||
		*got.Association.IpOwnerId != "amazon" || !strings.HasPrefix(*got.PublicDnsName, "ec2-198-") || !strings.HasSuffix(*got.PublicDnsName, ".compute-1.amazonaws.com") {
		t.Error(asJSON(got))
	}
	const denied = "AuthFailure: You do not have permission to access the specified resource."
	refused(s, s.DetachNetworkInterface, shape.DetachNetworkInterfaceRequest{AttachmentId: got.Attachment.AttachmentId}, denied)
	refused(s, s.ModifyNetworkInterfaceAttribute, shape.ModifyNetworkInterfaceAttributeRequest{NetworkInterfaceId: &i.ID, Description: &shape.AttributeValue{}}, denied)
	refused(s, s.AssignPrivateIpAddresses, shape.AssignPrivateIpAddressesRequest{NetworkInterfaceId: &i.ID, SecondaryPrivateIpAddressCount: new(int32(1))}, denied)
	refused(s, s.DeleteNetworkInterface, shape.DeleteNetworkInterfaceRequest{NetworkInterfaceId: &i.ID}, "InvalidParameterValue: Network interface '"+i.ID+"' is currently in use.")
	refused(s, s.DetachNetworkInterface, shape.DetachNetworkInterfaceRequest{AttachmentId: aws.Ptr("ela-attach-1")}, "OperationNotPermitted: You are not allowed to manage 'ela-attach' attachments.")
	refused(s, s.DetachNetworkInterface, shape.DetachNetworkInterfaceRequest{AttachmentId: aws.Ptr("eni-attach-00000000000000000")}, "InvalidAttachmentID.NotFound: ")
}

// taggedByECS looks at the tags of an interface that has one of ECS: clients add theirs and cannot touch that one.
func (s *site) taggedByECS(id string) {
	s.Helper()
	const key = "aws:ecs:clusterName"
	ask(s, s.CreateTags, shape.CreateTagsRequest{Resources: []string{id}, Tags: []shape.Tag{{Key: aws.Ptr("Name"), Value: aws.Ptr("x")}, {Key: aws.Ptr("a"), Value: aws.Ptr("y")}}})
	refused(s, s.CreateTags, shape.CreateTagsRequest{Resources: []string{id}, Tags: []shape.Tag{{Key: aws.Ptr(key), Value: aws.Ptr("x")}}}, "InvalidParameterValue: Tag keys starting with 'aws:' are reserved")
	refused(s, s.DeleteTags, shape.DeleteTagsRequest{Resources: []string{id}, Tags: []shape.Tag{{Key: aws.Ptr(key)}}}, "InvalidParameterValue: Tag keys starting with 'aws:' are reserved")
	told := func() string {
		var all []string
		for _, t := range ask(s, s.DescribeTags, shape.DescribeTagsRequest{}).Tags {
			all = append(all, *t.ResourceId+" "+*t.ResourceType+" "+*t.Key+"="+*t.Value)
		}
		return strings.ReplaceAll(strings.Join(all, ", "), id+" network-interface ", "")
	}
	if got := told(); got != "Name=x, a=y, aws:ecs:clusterName=c" {
		s.Error(got)
	}
	if got := ask(s, s.DescribeNetworkInterfaces, shape.DescribeNetworkInterfacesRequest{Filters: append(filter("tag:"+key, "c"), filter("tag:a", "y")...)}).NetworkInterfaces; len(got) != 1 || len(got[0].TagSet) != 3 {
		s.Error(asJSON(got))
	}
	ask(s, s.DeleteTags, shape.DeleteTagsRequest{Resources: []string{id}})
	if got := told(); got != "aws:ecs:clusterName=c" {
		s.Error(got)
	}
}

func TestDeleteInterface(t *testing.T) {
	s := newSite(t)
	id := s.interfaceOf(shape.CreateNetworkInterfaceRequest{}).NetworkInterfaceId
	ask(s, s.DeleteNetworkInterface, shape.DeleteNetworkInterfaceRequest{NetworkInterfaceId: id})
	refused(s, s.DeleteNetworkInterface, shape.DeleteNetworkInterfaceRequest{NetworkInterfaceId: id}, "InvalidNetworkInterfaceID.NotFound: ")
	refused(s, s.DescribeNetworkInterfaces, shape.DescribeNetworkInterfacesRequest{NetworkInterfaceIds: []string{*id}}, "InvalidNetworkInterfaceID.NotFound: The networkInterface ID '"+*id+"' does not exist")
}

func TestInterfaceFilters(t *testing.T) {
	s := newSite(t)
	web := s.group(s.other, "web")
	mine := *s.interfaceOf(shape.CreateNetworkInterfaceRequest{PrivateIpAddresses: specs("10.0.1.9", "10.0.1.10"), Groups: []string{web}, Description: aws.Ptr("mine"),
		TagSpecifications: []shape.TagSpecification{{ResourceType: aws.Ptr("network-interface"), Tags: []shape.Tag{{Key: aws.Ptr("Name"), Value: aws.Ptr("x")}}}}}).NetworkInterfaceId
	task, err := s.attach(tables.Spec{Home: at, Subnet: s.subnet.ID, Owner: "task", Requester: "ecs", AssignPublic: true, Pool: s.Pool, Attached: tables.Attached{Instance: "i-00000000000000001"}})
	s.must(err)
	for name, c := range map[string]struct{ value, want string }{
		"vpc-id": {s.other.ID, mine}, "subnet-id": {s.subnet.ID, task.ID}, "group-id": {web, mine}, "group-name": {"web", mine}, "description": {"mi*", mine}, "status": {"in-use", task.ID},
		"addresses.private-ip-address": {"10.0.1.10", mine}, "private-ip-address": {"10.0.1.10", ""}, "requester-managed": {"true", task.ID}, "mac-address": {task.MAC, task.ID},
		"attachment.instance-id": {"i-00000000000000001", task.ID}, "attachment.attachment-id": {task.Attachment, task.ID}, "association.public-ip": {task.Private[0].Public.String(), task.ID},
		"tag:Name": {"x", mine}, "tag-key": {"Name", mine}, "network-interface-id": {mine, mine}, "addresses.primary": {"false", mine}, "availability-zone": {"us-east-1b", mine},
	} {
		var ids []string
		for _, i := range ask(s, s.DescribeNetworkInterfaces, shape.DescribeNetworkInterfacesRequest{Filters: filter(name, c.value)}).NetworkInterfaces {
			ids = append(ids, *i.NetworkInterfaceId)
		}
		if got := strings.Join(ids, " "); got != c.want {
			t.Errorf("%s=%s: %s, want %s", name, c.value, got, c.want)
		}
	}
}

// Pages are of one order also where nodes' interfaces are between the others.
func TestInterfacePages(t *testing.T) {
	s := newSite(t)
	s.Nodes = fleet{{Home: at, Instance: "i-00000000000000001", Zone: "us-east-1a", Address: netip.MustParseAddr("192.0.2.1")}, {Home: at, Instance: "i-00000000000000002"}}
	for range 11 {
		s.interfaceOf(shape.CreateNetworkInterfaceRequest{})
	}
	var ids []string
	in := shape.DescribeNetworkInterfacesRequest{MaxResults: new(int32(5))}
	for {
		out := ask(s, s.DescribeNetworkInterfaces, in)
		for _, i := range out.NetworkInterfaces {
			ids = append(ids, *i.NetworkInterfaceId)
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			break
		}
	}
	if len(ids) != 13 || !slices.IsSorted(ids) {
		t.Error(ids)
	}
}

// fleet is nodes that are said to be there.
type fleet []vpc.Node

func (f fleet) Nodes(store.Tx, vpc.Home) []vpc.Node { return f }

func TestInstances(t *testing.T) {
	s := newSite(t)
	joined := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s.Nodes = fleet{
		{Home: at, Instance: "i-00000000000000002", Zone: "us-east-1b", Connected: false, CPUs: 4, MemoryMiB: 7900, Architecture: "arm64", JoinedAt: joined},
		{Home: at, Instance: "i-00000000000000001", Zone: "us-east-1a", Connected: true, CPUs: 2, MemoryMiB: 4000, Architecture: "x86_64", Type: "m5.large", JoinedAt: joined,
			Address: netip.MustParseAddr("192.0.2.7"), Tags: []vpc.Pair{{Key: "Name", Value: "one"}}},
	}
	names := func(filters ...shape.Filter) string {
		var out []string
		for _, r := range ask(s, s.DescribeInstances, shape.DescribeInstancesRequest{Filters: filters}).Reservations {
			for _, i := range r.Instances {
				out = append(out, strings.TrimLeft(*i.InstanceId, "i-0"))
			}
		}
		return strings.Join(out, " ")
	}
	for want, f := range map[string][]shape.Filter{
		"1 2": nil, "1": filter("instance-state-name", "running"), "2": filter("instance-state-code", "80"), "": filter("private-ip-address", "10.0.0.1"),
	} {
		if got := names(f...); got != want {
			t.Errorf("%v: %q", f, got)
		}
	}
	if got := names(filter("tag:Name", "one")...) + names(filter("instance-type", "berth.4x8")...) + names(filter("subnet-id", s.subnet.ID)...); got != "121" {
		t.Error(got)
	}
	i := ask(s, s.DescribeInstances, shape.DescribeInstancesRequest{InstanceIds: []string{"i-00000000000000001"}}).Reservations[0].Instances[0]
	if *i.PrivateIpAddress != "192.0.2.7" || *i.PrivateDnsName != "ip-192-0-2-7.ec2.internal" || *i.VpcId != s.vpc.ID || *i.NetworkInterfaces[0].Attachment.DeviceIndex != 0 || *i.State.Code != 16 {
		t.Error(asJSON(i))
	}
	if o := i.PrivateDnsNameOptions; *o.HostnameType != "ip-name" || *o.EnableResourceNameDnsARecord {
		t.Error(asJSON(o))
	}
	ask(s, s.ModifySubnetAttribute, shape.ModifySubnetAttributeRequest{SubnetId: i.SubnetId, PrivateDnsHostnameTypeOnLaunch: aws.Ptr("resource-name")})
	if named := ask(s, s.DescribeInstances, shape.DescribeInstancesRequest{Filters: filter("private-dns-name", "i-00000000000000001.ec2.internal")}).Reservations; len(named) != 1 {
		t.Error(asJSON(named))
	}
	if eni := s.look(*i.NetworkInterfaces[0].NetworkInterfaceId); *eni.Attachment.InstanceId != *i.InstanceId {
		t.Error(asJSON(eni))
	}
	if st := ask(s, s.DescribeInstanceStatus, shape.DescribeInstanceStatusRequest{}).InstanceStatuses; len(st) != 1 || *st[0].InstanceStatus.Status != "ok" {
		t.Error(asJSON(st))
	}
	if st := ask(s, s.DescribeInstanceStatus, shape.DescribeInstanceStatusRequest{IncludeAllInstances: aws.Ptr(true)}).InstanceStatuses; len(st) != 2 {
		t.Error(asJSON(st))
	}
	types := ask(s, s.DescribeInstanceTypes, shape.DescribeInstanceTypesRequest{}).InstanceTypes
	if len(types) != 2 || *types[0].InstanceType != "berth.4x8" || *types[1].VCpuInfo.DefaultVCpus != 2 || *types[1].MemoryInfo.SizeInMiB != 4000 {
		t.Error(asJSON(types))
	}
	s.offered()
	refused(s, s.DescribeInstanceTypes, shape.DescribeInstanceTypesRequest{InstanceTypes: []string{"t2.micro"}}, "InvalidInstanceType: The following supplied instance types do not exist: [t2.micro]")
	refused(s, s.DescribeInstances, shape.DescribeInstancesRequest{InstanceIds: []string{"i-00000000000000009"}}, "InvalidInstanceID.NotFound: The instance ID 'i-00000000000000009' does not exist")
	refused(s, s.CreateTags, shape.CreateTagsRequest{Resources: []string{"i-00000000000000001"}, Tags: pairs("a=b")}, "UnsupportedOperation: Instance i-00000000000000001 is a machine of its own")
	refused(s, s.CreateTags, shape.CreateTagsRequest{Resources: []string{"i-00000000000000009"}, Tags: pairs("a=b")}, "InvalidInstanceID.NotFound: ")
	refused(s, s.RunInstances, shape.RunInstancesRequest{}, "UnsupportedOperation: ")
	refused(s, s.TerminateInstances, shape.TerminateInstancesRequest{InstanceIds: []string{"i-00000000000000001"}}, "UnsupportedOperation: ")
	refused(s, s.TerminateInstances, shape.TerminateInstancesRequest{InstanceIds: []string{"i-00000000000000009"}}, "InvalidInstanceID.NotFound: ")
	eni := s.interfaceOf(shape.CreateNetworkInterfaceRequest{}).NetworkInterfaceId
	refused(s, s.AttachNetworkInterface, shape.AttachNetworkInterfaceRequest{NetworkInterfaceId: eni, InstanceId: i.InstanceId, DeviceIndex: new(int32(1))}, "UnsupportedOperation: Instance i-00000000000000001")
	refused(s, s.AttachNetworkInterface, shape.AttachNetworkInterfaceRequest{NetworkInterfaceId: eni, InstanceId: aws.Ptr("i-00000000000000009"), DeviceIndex: new(int32(1))}, "InvalidInstanceID.NotFound: ")
	refused(s, s.DetachNetworkInterface, shape.DetachNetworkInterfaceRequest{AttachmentId: i.NetworkInterfaces[0].Attachment.AttachmentId}, "OperationNotPermitted: The network interface at device index 0")
}

// offered looks at the places of the two nodes' types.
func (s *site) offered() {
	s.Helper()
	for by, want := range map[string]string{
		"": "berth.4x8 us-east-1, m5.large us-east-1", "region": "berth.4x8 us-east-1, m5.large us-east-1", "availability-zone": "berth.4x8 us-east-1b, m5.large us-east-1a",
		"availability-zone-id": "berth.4x8 use1-az2, m5.large use1-az1", "outpost": "",
	} {
		in := shape.DescribeInstanceTypeOfferingsRequest{}
		if by != "" {
			in.LocationType = &by
		}
		var got []string
		for _, o := range ask(s, s.DescribeInstanceTypeOfferings, in).InstanceTypeOfferings {
			got = append(got, *o.InstanceType+" "+*o.Location)
		}
		if text := strings.Join(got, ", "); text != want {
			s.Errorf("by %s: %s, want %s", by, text, want)
		}
	}
	if out := ask(s, s.DescribeInstanceTypeOfferings, shape.DescribeInstanceTypeOfferingsRequest{Filters: filter("instance-type", "m5.*")}).InstanceTypeOfferings; len(out) != 1 {
		s.Error(asJSON(out))
	}
	refused(s, s.DescribeInstanceTypeOfferings, shape.DescribeInstanceTypeOfferingsRequest{LocationType: aws.Ptr("moon")}, "InvalidParameterValue: Value (moon) for parameter locationType")
}
