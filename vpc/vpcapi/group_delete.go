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

// DeleteSecurityGroup deletes a group that no interface has and no rule of another group names.
func (a *API) DeleteSecurityGroup(ctx context.Context, c wire.Call, in *shape.DeleteSecurityGroupRequest) (*shape.DeleteSecurityGroupResult, error) {
	more := false
	id, err := a.deleteUnused(ctx, c, removal{
		find: func(tx store.Tx, h vpc.Home) (string, error) {
			g, err := groupOf(tx, h, in.GroupId, in.GroupName)
			switch {
			case err != nil:
				return "", err
			case g.Name == vpc.DefaultGroupName:
				return "", wire.Errorf("CannotDelete", "the specified group: %q name: %q cannot be deleted by a user", g.ID, g.Name)
			case tables.GroupUsed(tx, h, g.ID):
				return "", wire.Errorf("DependencyViolation", "resource %s has a dependent object", g.ID)
			}
			return g.ID, nil
		},
		remove: func(tx store.Tx, h vpc.Home, id string) { more = tables.DropGroup(tx, h, id) },
	})
	for err == nil && more { // the sweeper would, too
		err = a.update(ctx, c, func(tx store.Tx, h vpc.Home) error { more = tables.DropRulesOf(tx, h, id); return nil })
	}
	if err != nil {
		return nil, err
	}
	return &shape.DeleteSecurityGroupResult{GroupId: &id, Return: aws.Ptr(true)}, nil
}

// groupOf answers the group that a request names, guarded: by its id, or by its name in the default VPC.
func groupOf(tx store.Tx, h vpc.Home, id, name *string) (*vpc.SecurityGroup, error) {
	switch {
	case id != nil:
		return tables.Group(tx, h, *id)
	case name == nil:
		return nil, missing("GroupName or GroupId")
	}
	if v, ok := tables.DefaultVPC(tx, h); ok {
		for _, g := range tables.GroupsByVPC.List(tx, v.ID, "") {
			if g.Name == *name {
				return tables.Group(tx, h, g.ID)
			}
		}
	}
	return nil, vpc.KindGroup.NotFound(*name)
}
