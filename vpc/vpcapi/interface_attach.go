package vpcapi

import (
	"context"
	"strings"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/vpc/tables"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ec2"
)

// AttachNetworkInterface refuses: instances are machines that berth did not make, and what they have for cards is theirs.
func (a *API) AttachNetworkInterface(ctx context.Context, c wire.Call, in *shape.AttachNetworkInterfaceRequest) (*shape.AttachNetworkInterfaceResult, error) {
	err := a.view(ctx, c, func(tx store.Tx, h vpc.Home) error {
		i, err := ownInterface(tx, h, aws.Val(in.NetworkInterfaceId))
		switch {
		case err != nil:
			return err
		case i.Attachment != "":
			return wire.Errorf("InvalidNetworkInterface.InUse", "Interface: [%s] in use.", i.ID)
		}
		if err := a.isInstance(tx, h, aws.Val(in.InstanceId)); err != nil {
			return err
		}
		return wire.Errorf("UnsupportedOperation", "Instance %s is a machine of its own: network interfaces of a VPC are attached to tasks, by Amazon ECS, not to instances.", aws.Val(in.InstanceId))
	})
	return nil, err
}

// DetachNetworkInterface refuses: what is attached is a service's.
func (a *API) DetachNetworkInterface(ctx context.Context, c wire.Call, in *shape.DetachNetworkInterfaceRequest) (*aws.Unit, error) {
	id := aws.Val(in.AttachmentId)
	err := a.view(ctx, c, func(tx store.Tx, h vpc.Home) error {
		if strings.HasPrefix(id, vpc.ServiceAttachment+"-") {
			return wire.Errorf("OperationNotPermitted", "You are not allowed to manage 'ela-attach' attachments.")
		}
		if err := vpc.KindAttachment.Check(id); err != nil {
			return err
		}
		for _, i := range tables.InterfacesByAttachment.List(tx, id, "") {
			if i.Home == h {
				return serviceOwned()
			}
		}
		if n, ok := a.primaryOf(tx, h, id); ok {
			return wire.Errorf("OperationNotPermitted", "The network interface at device index 0 and networkCard index 0 cannot be detached. (%s)", n)
		}
		return vpc.KindAttachment.NotFound(id)
	})
	return nil, err
}
