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

func (a *API) bindRouteTables(m *wire.Mux) {
	bind(m, shape.OpCreateRouteTable, a.CreateRouteTable)
	bind(m, shape.OpDeleteRouteTable, a.DeleteRouteTable)
	bind(m, shape.OpDescribeRouteTables, a.DescribeRouteTables)
	bind(m, shape.OpCreateRoute, a.CreateRoute)
	bind(m, shape.OpReplaceRoute, a.ReplaceRoute)
	bind(m, shape.OpDeleteRoute, a.DeleteRoute)
	bind(m, shape.OpAssociateRouteTable, a.AssociateRouteTable)
	bind(m, shape.OpDisassociateRouteTable, a.DisassociateRouteTable)
	bind(m, shape.OpReplaceRouteTableAssociation, a.ReplaceRouteTableAssociation)
}

// CreateRouteTable makes a route table that leads nowhere but inside the VPC.
func (a *API) CreateRouteTable(ctx context.Context, c wire.Call, in *shape.CreateRouteTableRequest) (*shape.CreateRouteTableResult, error) {
	tags, err := tagSpec(in.TagSpecifications, vpc.KindRouteTable)
	if err != nil {
		return nil, err
	}
	out := &shape.CreateRouteTableResult{ClientToken: in.ClientToken}
	err = a.update(ctx, c, func(tx store.Tx, h vpc.Home) error {
		t, err := once(tx, c, request{token: in.ClientToken, parameters: in}, func(id string) (*vpc.RouteTable, error) { return tables.RouteTable(tx, h, id) },
			func() (*vpc.RouteTable, string, error) { return makeTable(tx, h, aws.Val(in.VpcId), tags) })
		if err != nil {
			return err
		}
		out.RouteTable = aws.Ptr(renderTable(viewTable(tx, t)))
		return nil
	})
	return out, err
}

func makeTable(tx store.Tx, h vpc.Home, id string, tags []vpc.Pair) (*vpc.RouteTable, string, error) {
	v, err := tables.VPC(tx, h, id)
	if err != nil {
		return nil, "", err
	}
	if tables.RouteTablesByVPC.Count(tx, v.ID) >= maxRouteTables {
		return nil, "", wire.Errorf("RouteTableLimitExceeded", "The maximum number of route tables has been reached.")
	}
	t := &vpc.RouteTable{Home: h, ID: vpc.KindRouteTable.NewID(tx.NewID()), VPC: v.ID}
	tables.Changed(tx, h, v.ID)
	tables.RouteTables.Put(tx, t)
	tables.PutTags(tx, h, t.ID, tags)
	return t, t.ID, nil
}

// DeleteRouteTable deletes a route table that no subnet has and that is no VPC's main one.
func (a *API) DeleteRouteTable(ctx context.Context, c wire.Call, in *shape.DeleteRouteTableRequest) (*aws.Unit, error) {
	return nil, a.update(ctx, c, func(tx store.Tx, h vpc.Home) error {
		t, err := tables.RouteTable(tx, h, aws.Val(in.RouteTableId))
		if err != nil {
			return err
		}
		tables.Changed(tx, h, t.VPC)
		v, err := tables.VPC(tx, h, t.VPC)
		if err != nil {
			return err
		}
		if v.MainTable == t.ID || tables.AssociationsByTarget.Count(tx, t.ID) > 0 {
			return vpc.KindRouteTable.Dependent(t.ID)
		}
		tables.PutTags(tx, h, t.ID, nil)
		tables.RouteTables.Delete(tx, tables.Key(h, t.ID))
		return nil
	})
}

// tableView is a route table with its associations and all its routes, the local ones first.
type tableView struct {
	*vpc.RouteTable
	associations []tableAssociation
	routes       []routeView
}

type tableAssociation struct {
	vpc.Association
	main bool
}

type routeView struct {
	vpc.Route
	state string
}

func viewTable(tx store.Tx, t *vpc.RouteTable) listed[tableView] {
	view := tableView{RouteTable: t}
	v, ok := tables.VPCs.Peek(tx, tables.Key(t.Home, t.VPC))
	if ok && v.MainTable == t.ID {
		view.associations = append(view.associations, tableAssociation{vpc.Association{ID: v.MainAssociation(), Target: t.ID}, true})
	}
	for _, as := range tables.AssociationsByTarget.List(tx, t.ID, "") {
		view.associations = append(view.associations, tableAssociation{*as, false})
	}
	if ok {
		for _, blocks := range [][]vpc.Block{v.Blocks, v.Blocks6} {
			for _, b := range blocks {
				view.routes = append(view.routes, routeView{vpc.Route{Destination: b.CIDR, Target: vpc.Local, Origin: shape.RouteOriginCreateRouteTable}, shape.RouteStateActive})
			}
		}
	}
	for _, r := range t.Routes {
		state := shape.RouteStateActive
		if !tables.Leads(tx, t, r.Target) {
			state = shape.RouteStateBlackhole
		}
		view.routes = append(view.routes, routeView{r, state})
	}
	return listed[tableView]{ID: t.ID, Item: view, Tags: tables.TagsOf(tx, t.Home, t.ID)}
}

// ofRoutes is a field of the routes of a table.
func ofRoutes(f func(routeView) string) func(tableView) []string {
	return func(v tableView) (all []string) {
		for _, r := range v.routes {
			all = append(all, one(f(r))...)
		}
		return all
	}
}

// ofAssociations is a field of the associations of a table.
func ofAssociations(f func(tableAssociation) string) func(tableView) []string {
	return func(v tableView) (all []string) {
		for _, as := range v.associations {
			all = append(all, one(f(as))...)
		}
		return all
	}
}

func noneOf(tableView) []string { return nil }

var tableFields = vpc.Fields[tableView]{
	"association.gateway-id":                 noneOf,
	"association.main":                       ofAssociations(func(as tableAssociation) string { return either(as.main) }),
	"association.route-table-association-id": ofAssociations(func(as tableAssociation) string { return as.ID }),
	"association.route-table-id":             ofAssociations(func(as tableAssociation) string { return as.Target }),
	"association.subnet-id":                  ofAssociations(func(as tableAssociation) string { return as.Subnet }),
	"owner-id":                               func(v tableView) []string { return one(v.Account) },
	"route-table-id":                         func(v tableView) []string { return one(v.ID) },
	"vpc-id":                                 func(v tableView) []string { return one(v.VPC) },

	"route.destination-cidr-block":          ofRoutes(func(r routeView) string { return r.destination(false) }),
	"route.destination-ipv6-cidr-block":     ofRoutes(func(r routeView) string { return r.destination(true) }),
	"route.destination-prefix-list-id":      noneOf,
	"route.egress-only-internet-gateway-id": noneOf,
	"route.gateway-id":                      ofRoutes(func(r routeView) string { return r.to(vpc.Local, vpc.KindInternetGateway.Prefix) }),
	"route.instance-id":                     noneOf,
	"route.nat-gateway-id":                  ofRoutes(func(r routeView) string { return r.to(vpc.KindNATGateway.Prefix) }),
	"route.network-interface-id":            ofRoutes(func(r routeView) string { return r.to(vpc.KindInterface.Prefix) }),
	"route.origin":                          ofRoutes(func(r routeView) string { return r.Origin }),
	"route.state":                           ofRoutes(func(r routeView) string { return r.state }),
	"route.transit-gateway-id":              noneOf,
	"route.vpc-peering-connection-id":       noneOf,
}

// DescribeRouteTables lists route tables.
func (a *API) DescribeRouteTables(ctx context.Context, c wire.Call, in *shape.DescribeRouteTablesRequest) (*shape.DescribeRouteTablesResult, error) {
	out := &shape.DescribeRouteTablesResult{}
	err := a.view(ctx, c, func(tx store.Tx, h vpc.Home) error {
		page, next, err := list(c, listing[tableView]{
			Kind: vpc.KindRouteTable, IDs: in.RouteTableIds, Fields: tableFields, Filters: in.Filters, Max: in.MaxResults, Token: in.NextToken,
		}, viewed(tx, h, tables.RouteTables, func(t *vpc.RouteTable) listed[tableView] { return viewTable(tx, t) }))
		out.RouteTables, out.NextToken = render(page, renderTable), next
		return err
	})
	return out, err
}

func renderTable(l listed[tableView]) shape.RouteTable {
	v := l.Item
	return shape.RouteTable{
		RouteTableId: aws.Ptr(v.ID), VpcId: aws.Ptr(v.VPC), OwnerId: aws.Ptr(v.Account), Tags: renderTags(l.Tags), PropagatingVgws: []shape.PropagatingVgw{},
		Routes: render(v.routes, renderRoute),
		Associations: render(v.associations, func(as tableAssociation) shape.RouteTableAssociation {
			out := shape.RouteTableAssociation{
				RouteTableAssociationId: aws.Ptr(as.ID), RouteTableId: aws.Ptr(as.Target), Main: aws.Ptr(as.main), AssociationState: isAssociated(),
			}
			if !as.main {
				out.SubnetId = aws.Ptr(as.Subnet)
			}
			return out
		}),
	}
}

func isAssociated() *shape.RouteTableAssociationState {
	return &shape.RouteTableAssociationState{State: aws.Ptr(associated)}
}
