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

func (a *API) bindInternetGateways(m *wire.Mux) {
	bind(m, shape.OpCreateInternetGateway, a.CreateInternetGateway)
	bind(m, shape.OpDeleteInternetGateway, a.DeleteInternetGateway)
	bind(m, shape.OpDescribeInternetGateways, a.DescribeInternetGateways)
	bind(m, shape.OpAttachInternetGateway, a.AttachInternetGateway)
	bind(m, shape.OpDetachInternetGateway, a.DetachInternetGateway)
}

// CreateInternetGateway makes an internet gateway.
func (a *API) CreateInternetGateway(ctx context.Context, c wire.Call, in *shape.CreateInternetGatewayRequest) (*shape.CreateInternetGatewayResult, error) {
	tags, err := tagSpec(in.TagSpecifications, vpc.KindInternetGateway)
	if err != nil {
		return nil, err
	}
	var out shape.InternetGateway
	err = a.update(ctx, c, func(tx store.Tx, h vpc.Home) error {
		if count(tables.InternetGateways.List(tx, tables.All(h), "")) >= maxGateways {
			return wire.Errorf("InternetGatewayLimitExceeded", "The maximum number of internet gateways has been reached.")
		}
		g := &vpc.InternetGateway{Home: h, ID: vpc.KindInternetGateway.NewID(tx.NewID())}
		tables.InternetGateways.Put(tx, g)
		tables.PutTags(tx, h, g.ID, tags)
		out = renderGateway(listed[*vpc.InternetGateway]{Item: g, Tags: tags})
		return nil
	})
	return &shape.CreateInternetGatewayResult{InternetGateway: &out}, err
}

// DeleteInternetGateway deletes an internet gateway that is attached to nothing.
func (a *API) DeleteInternetGateway(ctx context.Context, c wire.Call, in *shape.DeleteInternetGatewayRequest) (*aws.Unit, error) {
	return nil, a.update(ctx, c, func(tx store.Tx, h vpc.Home) error {
		g, err := tables.InternetGateway(tx, h, aws.Val(in.InternetGatewayId))
		if err != nil {
			return err
		}
		if g.VPC != "" {
			return vpc.KindInternetGateway.Dependent(g.ID)
		}
		tables.PutTags(tx, h, g.ID, nil)
		tables.InternetGateways.Delete(tx, tables.Key(h, g.ID))
		return nil
	})
}

// AttachInternetGateway attaches an internet gateway to a VPC that has none.
func (a *API) AttachInternetGateway(ctx context.Context, c wire.Call, in *shape.AttachInternetGatewayRequest) (*aws.Unit, error) {
	return nil, a.update(ctx, c, func(tx store.Tx, h vpc.Home) error {
		g, v, err := gatewayAndVPC(tx, h, aws.Val(in.InternetGatewayId), aws.Val(in.VpcId))
		if err != nil {
			return err
		}
		tables.Changed(tx, h, v.ID)
		switch {
		case g.VPC != "":
			return wire.Errorf("Resource.AlreadyAssociated", "resource %s is already attached to network %s", g.ID, g.VPC)
		case tables.ToGateway(tx, v.ID):
			return invalid("Network %s already has an internet gateway attached", v.ID)
		}
		next := *g
		next.VPC = v.ID
		tables.InternetGateways.Put(tx, &next)
		return nil
	})
}

// DetachInternetGateway detaches an internet gateway from a VPC in which nothing has a public address.
func (a *API) DetachInternetGateway(ctx context.Context, c wire.Call, in *shape.DetachInternetGatewayRequest) (*aws.Unit, error) {
	return nil, a.update(ctx, c, func(tx store.Tx, h vpc.Home) error {
		g, v, err := gatewayAndVPC(tx, h, aws.Val(in.InternetGatewayId), aws.Val(in.VpcId))
		if err != nil {
			return err
		}
		tables.Changed(tx, h, v.ID)
		if g.VPC != v.ID {
			return wire.Errorf("Gateway.NotAttached", "resource %s is not attached to network %s", g.ID, v.ID)
		}
		for _, i := range tables.InterfacesByVPC.List(tx, v.ID, "") {
			for _, p := range i.Private {
				if p.Public.IsValid() {
					return wire.Errorf("DependencyViolation", "Network %s has some mapped public address(es). Please unmap those public address(es) before detaching the gateway.", v.ID)
				}
			}
		}
		next := *g
		next.VPC = ""
		tables.InternetGateways.Put(tx, &next)
		return nil
	})
}

func gatewayAndVPC(tx store.Tx, h vpc.Home, gateway, network string) (*vpc.InternetGateway, *vpc.VPC, error) {
	g, err := tables.InternetGateway(tx, h, gateway)
	if err != nil {
		return nil, nil, err
	}
	v, err := tables.VPC(tx, h, network)
	return g, v, err
}

var gatewayFields = vpc.Fields[*vpc.InternetGateway]{
	"attachment.state": func(g *vpc.InternetGateway) []string {
		if g.VPC == "" {
			return nil
		}
		return one(gatewayAttached)
	},
	"attachment.vpc-id":   func(g *vpc.InternetGateway) []string { return one(g.VPC) },
	"internet-gateway-id": func(g *vpc.InternetGateway) []string { return one(g.ID) },
	"owner-id":            func(g *vpc.InternetGateway) []string { return one(g.Account) },
}

// gatewayAttached is the state of an attached gateway, which is no AttachmentStatus of EC2's model.
const gatewayAttached = "available"

// DescribeInternetGateways lists internet gateways.
func (a *API) DescribeInternetGateways(ctx context.Context, c wire.Call, in *shape.DescribeInternetGatewaysRequest) (*shape.DescribeInternetGatewaysResult, error) {
	out := &shape.DescribeInternetGatewaysResult{}
	err := a.view(ctx, c, func(tx store.Tx, h vpc.Home) error {
		page, next, err := list(c, listing[*vpc.InternetGateway]{
			Kind: vpc.KindInternetGateway, IDs: in.InternetGatewayIds, Fields: gatewayFields, Filters: in.Filters, Max: in.MaxResults, Token: in.NextToken,
		}, tagged(tx, h, tables.InternetGateways, func(g *vpc.InternetGateway) string { return g.ID }))
		out.InternetGateways, out.NextToken = render(page, renderGateway), next
		return err
	})
	return out, err
}

func renderGateway(l listed[*vpc.InternetGateway]) shape.InternetGateway {
	g := l.Item
	out := shape.InternetGateway{InternetGatewayId: aws.Ptr(g.ID), OwnerId: aws.Ptr(g.Account), Tags: renderTags(l.Tags), Attachments: []shape.InternetGatewayAttachment{}}
	if g.VPC != "" {
		out.Attachments = append(out.Attachments, shape.InternetGatewayAttachment{VpcId: aws.Ptr(g.VPC), State: aws.Ptr(gatewayAttached)})
	}
	return out
}
