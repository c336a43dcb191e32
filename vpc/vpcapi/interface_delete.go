package vpcapi

import (
	"context"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/vpc/tables"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ec2"
)

// DeleteNetworkInterface deletes an interface that is attached to nothing.
func (a *API) DeleteNetworkInterface(ctx context.Context, c wire.Call, in *shape.DeleteNetworkInterfaceRequest) (*aws.Unit, error) {
	return nil, a.update(ctx, c, func(tx store.Tx, h vpc.Home) error {
		i, err := tables.Interface(tx, h, aws.Val(in.NetworkInterfaceId))
		switch {
		case err != nil:
			return err
		case i.Attachment != "":
			return invalid("Network interface '%s' is currently in use.", i.ID)
		case i.Managed():
			return serviceOwned()
		}
		tables.Release(tx, h, i.ID)
		return nil
	})
}

// serviceOwned is EC2's error of changing an interface that a service has made, a task's for one.
func serviceOwned() error {
	return wire.Errorf("AuthFailure", "You do not have permission to access the specified resource.")
}
