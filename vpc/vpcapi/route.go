package vpcapi

import (
	"context"
	"net/netip"
	"slices"
	"strings"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/vpc/tables"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ec2"
)

// routeWish is what a request says of a route.
type routeWish struct {
	table             string
	four, six         *string // destination
	gateway, nat, eni *string // target
	local             bool    // target
}

// CreateRoute adds a route to a table.
func (a *API) CreateRoute(ctx context.Context, c wire.Call, in *shape.CreateRouteRequest) (*shape.CreateRouteResult, error) {
	w := routeWish{table: aws.Val(in.RouteTableId), four: in.DestinationCidrBlock, six: in.DestinationIpv6CidrBlock,
		gateway: in.GatewayId, nat: in.NatGatewayId, eni: in.NetworkInterfaceId}
	err := a.changeRoutes(ctx, c, w, func(tx store.Tx, t *vpc.RouteTable, at netip.Prefix) error {
		i, there := findRoute(t.Routes, at)
		switch {
		case there:
			return wire.Errorf("RouteAlreadyExists", "The route identified by %s already exists.", at)
		case len(t.Routes) >= maxRoutes:
			return wire.Errorf("RouteLimitExceeded", "The maximum number of routes has been reached.")
		}
		target, err := w.target(tx, t)
		t.Routes = slices.Insert(t.Routes, i, vpc.Route{Destination: at, Target: target, Origin: vpc.ByCreateRoute})
		return err
	})
	return &shape.CreateRouteResult{Return: aws.Ptr(err == nil)}, err
}

// ReplaceRoute gives a route another target.
func (a *API) ReplaceRoute(ctx context.Context, c wire.Call, in *shape.ReplaceRouteRequest) (*aws.Unit, error) {
	w := routeWish{table: aws.Val(in.RouteTableId), four: in.DestinationCidrBlock, six: in.DestinationIpv6CidrBlock,
		gateway: in.GatewayId, nat: in.NatGatewayId, eni: in.NetworkInterfaceId, local: aws.Val(in.LocalTarget)}
	return nil, a.changeRoutes(ctx, c, w, func(tx store.Tx, t *vpc.RouteTable, at netip.Prefix) error {
		i, there := findRoute(t.Routes, at)
		if !there {
			return invalid("There is no route defined for '%s' in the route table. Use CreateRoute instead.", at)
		}
		target, err := w.target(tx, t)
		t.Routes[i].Target = target
		return err
	})
}

// DeleteRoute takes a route from a table.
func (a *API) DeleteRoute(ctx context.Context, c wire.Call, in *shape.DeleteRouteRequest) (*aws.Unit, error) {
	w := routeWish{table: aws.Val(in.RouteTableId), four: in.DestinationCidrBlock, six: in.DestinationIpv6CidrBlock}
	return nil, a.changeRoutes(ctx, c, w, func(_ store.Tx, t *vpc.RouteTable, at netip.Prefix) error {
		i, there := findRoute(t.Routes, at)
		if !there {
			return wire.Errorf("InvalidRoute.NotFound", "no route with destination-cidr-block %s in route table %s", at, t.ID)
		}
		t.Routes = slices.Delete(t.Routes, i, i+1)
		return nil
	})
}

// changeRoutes writes other routes of a table. change gets a copy.
func (a *API) changeRoutes(ctx context.Context, c wire.Call, w routeWish, change func(tx store.Tx, t *vpc.RouteTable, at netip.Prefix) error) error {
	at, err := w.destination()
	if err != nil {
		return err
	}
	return a.update(ctx, c, func(tx store.Tx, h vpc.Home) error {
		t, err := tables.RouteTable(tx, h, w.table)
		if err != nil {
			return err
		}
		v, err := tables.VPC(tx, h, t.VPC)
		if err != nil {
			return err
		}
		if err := w.leavesLocal(v, t, at); err != nil {
			return err
		}
		next := *t
		next.Routes = slices.Clone(t.Routes)
		if err := change(tx, &next, at); err != nil {
			return err
		}
		tables.Changed(tx, t.Home, t.VPC) // a range that the VPC gets at the same time looks at the routes there are
		tables.RouteTables.Put(tx, &next)
		return nil
	})
}

// leavesLocal refuses what is about the VPC's own ranges: those routes are always there and stay as they are.
func (w routeWish) leavesLocal(v *vpc.VPC, t *vpc.RouteTable, at netip.Prefix) error {
	exactly := func(b vpc.Block) bool { return b.CIDR == at }
	local := slices.ContainsFunc(v.Blocks, exactly) || slices.ContainsFunc(v.Blocks6, exactly)
	switch {
	case w.targets() == 0 && !w.local && local:
		return invalid("cannot remove local route %s in route table %s", at, t.ID)
	case vpc.Contains(v.Blocks, at) || vpc.Contains(v.Blocks6, at):
		return invalid("The destination CIDR block %s is equal to or more specific than one of this VPC's CIDR blocks. Routes inside of a VPC cannot be changed in this region.", at)
	}
	return nil
}

func findRoute(routes []vpc.Route, at netip.Prefix) (int, bool) {
	return slices.BinarySearchFunc(routes, at, func(r vpc.Route, p netip.Prefix) int { return r.Destination.Compare(p) })
}

func (w routeWish) destination() (netip.Prefix, error) {
	name, text, six := "destinationCidrBlock", aws.Val(w.four), aws.Val(w.six)
	switch {
	case text != "" && six != "":
		return netip.Prefix{}, together("destinationCidrBlock", "destinationIpv6CidrBlock")
	case text == "" && six == "":
		return netip.Prefix{}, missing("destinationCidrBlock or destinationIpv6CidrBlock")
	case six != "":
		name, text = "destinationIpv6CidrBlock", six
	}
	p, err := netip.ParsePrefix(text)
	if err != nil || p.Addr().Is6() != (six != "") {
		return p, notCIDR(name, text)
	}
	return p.Masked(), nil
}

func (w routeWish) targets() (n int) {
	for _, t := range []*string{w.gateway, w.nat, w.eni} {
		if aws.Val(t) != "" {
			n++
		}
	}
	return n
}

// target is the id that the request leads to; it must be there, and of the table's VPC.
func (w routeWish) target(tx store.Tx, t *vpc.RouteTable) (string, error) {
	switch n := w.targets(); {
	case w.local:
		return "", invalid("Only the routes of the VPC's own CIDR blocks can have the target local.")
	case n == 0:
		return "", missing("gatewayId, natGatewayId or networkInterfaceId")
	case n > 1:
		return "", wire.Errorf("InvalidParameterCombination", "Exactly one of gatewayId, natGatewayId and networkInterfaceId can be specified.")
	}
	id, what := aws.Val(w.gateway), "network gateway"
	var err error
	switch {
	case id != "":
		_, err = tables.InternetGateway(tx, t.Home, id)
	case aws.Val(w.nat) != "":
		id, what = aws.Val(w.nat), "NAT gateway"
		_, err = liveNAT(tx, t.Home, id)
	default:
		id, what = aws.Val(w.eni), "interface"
		_, err = tables.Interface(tx, t.Home, id)
	}
	if err != nil {
		return "", err
	}
	if !tables.Belongs(tx, t, id) {
		return "", invalid("route table %s and %s %s belong to different networks", t.ID, what, id)
	}
	return id, nil
}

// destination is a route's destination of one family, "" if it is of the other.
func (r routeView) destination(six bool) string {
	if r.Destination.Addr().Is6() != six {
		return ""
	}
	return r.Destination.String()
}

// to is a route's target if it is of one of these kinds.
func (r routeView) to(kinds ...string) string {
	kind, _, _ := strings.Cut(r.Target, "-")
	if slices.Contains(kinds, kind) {
		return r.Target
	}
	return ""
}

func renderRoute(r routeView) shape.Route {
	text := func(s string) *string {
		if s == "" {
			return nil
		}
		return &s
	}
	return shape.Route{
		DestinationCidrBlock: text(r.destination(false)), DestinationIpv6CidrBlock: text(r.destination(true)),
		GatewayId: text(r.to(vpc.Local, vpc.KindInternetGateway.Prefix)), NatGatewayId: text(r.to(vpc.KindNATGateway.Prefix)),
		NetworkInterfaceId: text(r.to(vpc.KindInterface.Prefix)), Origin: aws.Ptr(r.Origin), State: aws.Ptr(r.state),
	}
}
