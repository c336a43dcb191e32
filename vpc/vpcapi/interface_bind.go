package vpcapi

import (
	"github.com/berth-ecs/berth/wire"
	shape "github.com/berth-ecs/berth/wire/shape/ec2"
)

// bindInterfaces binds the operations of network interfaces.
func (a *API) bindInterfaces(m *wire.Mux) {
	bind(m, shape.OpCreateNetworkInterface, a.CreateNetworkInterface)
	bind(m, shape.OpDeleteNetworkInterface, a.DeleteNetworkInterface)
	bind(m, shape.OpDescribeNetworkInterfaces, a.DescribeNetworkInterfaces)
	bind(m, shape.OpDescribeNetworkInterfaceAttribute, a.DescribeNetworkInterfaceAttribute)
	bind(m, shape.OpModifyNetworkInterfaceAttribute, a.ModifyNetworkInterfaceAttribute)
	bind(m, shape.OpAttachNetworkInterface, a.AttachNetworkInterface)
	bind(m, shape.OpDetachNetworkInterface, a.DetachNetworkInterface)
	bind(m, shape.OpAssignPrivateIpAddresses, a.AssignPrivateIpAddresses)
	bind(m, shape.OpUnassignPrivateIpAddresses, a.UnassignPrivateIpAddresses)
	bind(m, shape.OpAssignIpv6Addresses, a.AssignIpv6Addresses)
	bind(m, shape.OpUnassignIpv6Addresses, a.UnassignIpv6Addresses)
	bind(m, shape.OpResetNetworkInterfaceAttribute, a.ResetNetworkInterfaceAttribute)
}
