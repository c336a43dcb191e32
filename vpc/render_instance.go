package vpc

import (
	"strings"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ec2"
)

// States of instances.
const (
	running     = 16
	stopped     = 80
	RunningName = "running"
	StoppedName = "stopped"
)

// State is what an instance is in: it runs while the node's agent is connected.
func (n *Node) State() shape.InstanceState {
	if n.Connected {
		return shape.InstanceState{Code: aws.Ptr(int32(running)), Name: aws.Ptr(RunningName)}
	}
	return shape.InstanceState{Code: aws.Ptr(int32(stopped)), Name: aws.Ptr(StoppedName)}
}

// Reservation is the reservation of an instance: each came alone.
func (n *Node) Reservation() string { return "r-" + strings.TrimPrefix(n.Instance, "i-") }

// RenderInstance describes a node with its primary interface, which is described as well, in a subnet; nil for none. The subnet says how it is
// named.
func (n *Node) RenderInstance(i shape.NetworkInterface, s *Subnet, tags []shape.Tag) shape.Instance {
	state := n.State()
	out := shape.Instance{
		InstanceId: &n.Instance, InstanceType: aws.Ptr(n.TypeName()), State: &state, LaunchTime: aws.At(n.JoinedAt), AmiLaunchIndex: aws.Ptr(int32(0)),
		Architecture: &n.Architecture, PlatformDetails: aws.Ptr("Linux/UNIX"), Tags: tags, SecurityGroups: i.Groups, SourceDestCheck: i.SourceDestCheck,
		Placement:  &shape.Placement{AvailabilityZone: &n.Zone, AvailabilityZoneId: i.AvailabilityZoneId, GroupName: aws.Ptr(""), Tenancy: aws.Ptr("default")},
		Monitoring: &shape.Monitoring{State: aws.Ptr("disabled")}, StateTransitionReason: aws.Ptr(""), PublicDnsName: aws.Ptr(""),
		PrivateIpAddress: i.PrivateIpAddress, PrivateDnsName: i.PrivateDnsName, VpcId: filled(i.VpcId), SubnetId: filled(i.SubnetId),
		BlockDeviceMappings: []shape.InstanceBlockDeviceMapping{}, ProductCodes: []shape.ProductCode{},
		CpuOptions: &shape.CpuOptions{CoreCount: aws.Ptr(int32(n.CPUs)), ThreadsPerCore: aws.Ptr(int32(1))},
	}
	if !n.Connected {
		out.StateReason = &shape.StateReason{Code: aws.Ptr("Server.AgentDisconnected"), Message: aws.Ptr("The agent of the node is not connected.")}
	}
	out.NetworkInterfaces = []shape.InstanceNetworkInterface{renderInstanceInterface(i)}
	if s == nil {
		return out
	}
	out.PrivateDnsNameOptions = &shape.PrivateDnsNameOptionsResponse{
		HostnameType: &s.HostnameBy, EnableResourceNameDnsARecord: &s.ResourceA, EnableResourceNameDnsAAAARecord: &s.ResourceAAA,
	}
	if s.HostnameBy == NamedByResource {
		out.PrivateDnsName = aws.Ptr(n.Instance + "." + Domain(n.Region))
	}
	return out
}

func renderInstanceInterface(i shape.NetworkInterface) shape.InstanceNetworkInterface {
	out := shape.InstanceNetworkInterface{
		NetworkInterfaceId: i.NetworkInterfaceId, Description: i.Description, Groups: i.Groups, InterfaceType: i.InterfaceType, MacAddress: i.MacAddress,
		OwnerId: i.OwnerId, PrivateDnsName: i.PrivateDnsName, PrivateIpAddress: i.PrivateIpAddress, SourceDestCheck: i.SourceDestCheck, Status: i.Status,
		SubnetId: filled(i.SubnetId), VpcId: filled(i.VpcId), Ipv6Addresses: []shape.InstanceIpv6Address{}, PrivateIpAddresses: []shape.InstancePrivateIpAddress{},
	}
	if a := i.Attachment; a != nil {
		out.Attachment = &shape.InstanceNetworkInterfaceAttachment{
			AttachmentId: a.AttachmentId, AttachTime: a.AttachTime, DeleteOnTermination: a.DeleteOnTermination, DeviceIndex: a.DeviceIndex,
			NetworkCardIndex: a.NetworkCardIndex, Status: a.Status,
		}
	}
	for _, p := range i.PrivateIpAddresses {
		out.PrivateIpAddresses = append(out.PrivateIpAddresses, shape.InstancePrivateIpAddress{
			PrivateIpAddress: p.PrivateIpAddress, PrivateDnsName: p.PrivateDnsName, Primary: p.Primary,
		})
	}
	return out
}

// RenderStatus describes how an instance is: there are no checks of it but that its agent is connected.
func (n *Node) RenderStatus(zoneID string) shape.InstanceStatus {
	state := n.State()
	status, reachability := "ok", "passed"
	if !n.Connected {
		status, reachability = "not-applicable", ""
	}
	summary := func() *shape.InstanceStatusSummary {
		s := &shape.InstanceStatusSummary{Status: &status, Details: []shape.InstanceStatusDetails{}}
		if reachability != "" {
			s.Details = append(s.Details, shape.InstanceStatusDetails{Name: aws.Ptr("reachability"), Status: &reachability})
		}
		return s
	}
	return shape.InstanceStatus{
		InstanceId: &n.Instance, AvailabilityZone: &n.Zone, AvailabilityZoneId: &zoneID, InstanceState: &state, Events: []shape.InstanceStatusEvent{},
		InstanceStatus: summary(), SystemStatus: summary(),
	}
}

// RenderType describes the type of a node: what is so of it, nothing of what AWS's type of that name has besides.
func (n *Node) RenderType() shape.InstanceTypeInfo {
	cpus := int32(n.CPUs)
	return shape.InstanceTypeInfo{
		InstanceType: aws.Ptr(n.TypeName()), BareMetal: aws.Ptr(true), CurrentGeneration: aws.Ptr(true), SupportedUsageClasses: []string{"on-demand"},
		VCpuInfo:                 &shape.VCpuInfo{DefaultVCpus: &cpus, DefaultCores: &cpus, DefaultThreadsPerCore: aws.Ptr(int32(1))},
		MemoryInfo:               &shape.MemoryInfo{SizeInMiB: &n.MemoryMiB},
		ProcessorInfo:            &shape.ProcessorInfo{SupportedArchitectures: []string{n.Architecture}},
		InstanceStorageSupported: aws.Ptr(false), HibernationSupported: aws.Ptr(false), DedicatedHostsSupported: aws.Ptr(false),
		BurstablePerformanceSupported: aws.Ptr(false), FreeTierEligible: aws.Ptr(false), AutoRecoverySupported: aws.Ptr(false),
		NetworkInfo: &shape.NetworkInfo{Ipv6Supported: aws.Ptr(false), EnaSupport: aws.Ptr("unsupported"), MaximumNetworkInterfaces: aws.Ptr(int32(1)),
			MaximumNetworkCards: aws.Ptr(int32(1)), DefaultNetworkCardIndex: aws.Ptr(int32(0))},
	}
}

func filled(s *string) *string {
	if aws.Val(s) == "" {
		return nil
	}
	return s
}
