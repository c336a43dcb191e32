package vpcapi

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/vpc/permission"
	"github.com/berth-ecs/berth/vpc/tables"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ec2"
)

// CreateSecurityGroup makes a group that lets everything out and nothing in.
func (a *API) CreateSecurityGroup(ctx context.Context, c wire.Call, in *shape.CreateSecurityGroupRequest) (*shape.CreateSecurityGroupResult, error) {
	if err := checkGroup(aws.Val(in.GroupName), aws.Val(in.Description)); err != nil {
		return nil, err
	}
	tags, err := tagSpec(in.TagSpecifications, vpc.KindGroup)
	if err != nil {
		return nil, err
	}
	g := &vpc.SecurityGroup{Home: homeOf(c), Name: aws.Val(in.GroupName), Description: aws.Val(in.Description)}
	if err := a.update(ctx, c, func(tx store.Tx, h vpc.Home) error { return makeGroup(tx, g, aws.Val(in.VpcId), tags) }); err != nil {
		return nil, err
	}
	return &shape.CreateSecurityGroupResult{GroupId: &g.ID, SecurityGroupArn: aws.Ptr(g.ARN(vpc.KindGroup.Type, g.ID)), Tags: renderTags(tags)}, nil
}

// makeGroup writes a group of a VPC, the default one when none is named. Changed keeps its name unique in the VPC.
func makeGroup(tx store.Tx, g *vpc.SecurityGroup, in string, tags []vpc.Pair) error {
	v, err := vpcOrDefault(tx, g.Home, in)
	if err != nil {
		return err
	}
	if count(tables.SecurityGroups.List(tx, tables.All(g.Home), "")) >= maxGroups {
		return wire.Errorf("SecurityGroupLimitExceeded", "The maximum number of security groups has been reached.")
	}
	for _, other := range tables.GroupsByVPC.List(tx, v.ID, "") {
		if other.Name == g.Name {
			return wire.Errorf("InvalidGroup.Duplicate", "The security group '%s' already exists for VPC '%s'", g.Name, v.ID)
		}
	}
	tables.Use(tx, g.Home, v.ID)
	tables.Changed(tx, g.Home, v.ID)
	g.ID, g.VPC = vpc.KindGroup.NewID(tx.NewID()), v.ID
	tables.SecurityGroups.Put(tx, g)
	out := vpc.Rule{Home: g.Home, Group: g.ID, Egress: true, Match: vpc.AllTraffic, Peer: vpc.Peer{CIDR: vpc.Everywhere}}
	addRule(tx, out, nil)
	if len(v.Blocks6) > 0 {
		out.Peer.CIDR = vpc.Everywhere6
		addRule(tx, out, nil)
	}
	tables.PutTags(tx, g.Home, g.ID, tags)
	return nil
}

// vpcOrDefault answers a VPC, guarded; the default one for "".
func vpcOrDefault(tx store.Tx, h vpc.Home, id string) (*vpc.VPC, error) {
	if id != "" {
		return tables.VPC(tx, h, id)
	}
	v, ok := tables.DefaultVPC(tx, h)
	if !ok {
		return nil, wire.Errorf("VPCIdNotSpecified", "No default VPC for this user")
	}
	return tables.VPC(tx, h, v.ID)
}

// checkGroup refuses names and descriptions that EC2 does not take.
func checkGroup(name, description string) error {
	bad := func(parameter, value, why string) error {
		return invalid("Value (%s) for parameter %s is invalid. %s", value, parameter, why)
	}
	for _, p := range []struct{ parameter, value string }{{"GroupName", name}, {"GroupDescription", description}} {
		switch {
		case p.value == "":
			return missing(p.parameter)
		case utf8.RuneCountInString(p.value) > permission.MaxText:
			return bad(p.parameter, p.value, "Value must be at most 255 characters.")
		case !ascii(p.value):
			return bad(p.parameter, p.value, "Character sets beyond ASCII are not supported.")
		case !permission.Plain(p.value):
			return bad(p.parameter, p.value, "Valid characters are a-z, A-Z, 0-9, spaces, and ._-:/()#,@[]+=&;{}!$*")
		}
	}
	switch {
	case strings.HasPrefix(name, "sg-"):
		return bad("GroupName", name, "Group names may not be in the format sg-*.")
	case name == vpc.DefaultGroupName:
		return invalid("Cannot use reserved security group name: %s", name)
	}
	return nil
}

func ascii(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r > 127 }) < 0
}
