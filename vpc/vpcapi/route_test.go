package vpcapi

import (
	"strings"
	"testing"

	shape "github.com/berth-ecs/berth/wire/shape/ec2"
)

// routes are the routes of a table as text.
func (w *world) routes(table string) string {
	w.t.Helper()
	var out []string
	for _, r := range try(w, w.DescribeRouteTables, shape.DescribeRouteTablesRequest{RouteTableIds: []string{table}}).RouteTables[0].Routes {
		text := ""
		var textSb16 strings.Builder
		for _, p := range []*string{r.DestinationCidrBlock, r.DestinationIpv6CidrBlock, r.GatewayId, r.NatGatewayId, r.NetworkInterfaceId, r.State} {
			if p != nil {
				textSb16.WriteString(" " + strings.SplitN(*p, "-", 2)[0])
			}
		}
		text += textSb16.String()
		out = append(out, strings.TrimSpace(text))
	}
	return strings.Join(out, ", ")
}

func TestRoutes(t *testing.T) {
	w := newWorld(t)
	v := w.vpc("10.0.0.0/16")
	table, g, i := w.table(v), w.gateway(v), w.eni(w.subnet(v, "10.0.1.0/24"))
	to := func(d string) shape.CreateRouteRequest {
		return shape.CreateRouteRequest{RouteTableId: &table, DestinationCidrBlock: &d, GatewayId: &g}
	}
	if out := try(w, w.CreateRoute, to("0.0.0.0/0")); !*out.Return {
		t.Error("not made")
	}
	try(w, w.CreateRoute, to("192.0.2.77/24"))
	try(w, w.CreateRoute, shape.CreateRouteRequest{RouteTableId: &table, DestinationIpv6CidrBlock: ptr("::/0"), GatewayId: &g})
	try(w, w.ReplaceRoute, shape.ReplaceRouteRequest{RouteTableId: &table, DestinationCidrBlock: ptr("192.0.2.0/24"), NetworkInterfaceId: &i.ID})
	if got, want := w.routes(table), "10.0.0.0/16 local active, 0.0.0.0/0 igw active, 192.0.2.0/24 eni blackhole, ::/0 igw active"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	i = w.attached(i)
	if got, want := w.routes(table), "10.0.0.0/16 local active, 0.0.0.0/0 igw active, 192.0.2.0/24 eni active, ::/0 igw active"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	for _, f := range [][]shape.Filter{
		filter("route.destination-cidr-block", "0.0.0.0/0"), filter("route.destination-ipv6-cidr-block", "::/0"), filter("route.gateway-id", g), filter("route.origin", "CreateRoute"),
		filter("route.network-interface-id", i.ID), filter("route-table-id", table),
	} {
		out := try(w, w.DescribeRouteTables, shape.DescribeRouteTablesRequest{Filters: append(f, filter("vpc-id", v)[0])})
		if len(out.RouteTables) != 1 || *out.RouteTables[0].RouteTableId != table {
			t.Errorf("%s: %+v", *f[0].Name, out.RouteTables)
		}
	}
	w.badRoutes(v, table, g)
	w.release(i)
	try(w, w.DetachInternetGateway, shape.DetachInternetGatewayRequest{InternetGatewayId: &g, VpcId: &v})
	if got, want := w.routes(table), "10.0.0.0/16 local active, 0.0.0.0/0 igw blackhole, 192.0.2.0/24 eni blackhole, ::/0 igw blackhole"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	try(w, w.DeleteRoute, shape.DeleteRouteRequest{RouteTableId: &table, DestinationCidrBlock: ptr("0.0.0.0/0")})
	try(w, w.DeleteRoute, shape.DeleteRouteRequest{RouteTableId: &table, DestinationIpv6CidrBlock: ptr("::/0")})
	if got, want := w.routes(table), "10.0.0.0/16 local active, 192.0.2.0/24 eni blackhole"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

// A route to a NAT gateway that was deleted leads nowhere, and there can be no other.
func TestRouteToDeletedNATGateway(t *testing.T) {
	w := newWorld(t)
	v := w.vpc("10.0.0.0/16")
	table, s := w.table(v), w.subnet(v, "10.0.1.0/24")
	n := *try(w, w.CreateNatGateway, shape.CreateNatGatewayRequest{SubnetId: &s, ConnectivityType: ptr("private")}).NatGateway.NatGatewayId
	route := shape.CreateRouteRequest{RouteTableId: &table, DestinationCidrBlock: ptr("0.0.0.0/0"), NatGatewayId: &n}
	try(w, w.CreateRoute, route)
	if got, want := w.routes(table), "10.0.0.0/16 local active, 0.0.0.0/0 nat active"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	try(w, w.DeleteNatGateway, shape.DeleteNatGatewayRequest{NatGatewayId: &n})
	if got, want := w.routes(table), "10.0.0.0/16 local active, 0.0.0.0/0 nat blackhole"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	route.DestinationCidrBlock = ptr("192.0.2.0/24")
	w.refuses(bad(w, "NatGatewayNotFound: NatGateway "+n+" was not found", w.CreateRoute, route))
}

func (w *world) badRoutes(v, table, g string) {
	w.t.Helper()
	other := w.vpc("10.0.0.0/16")
	far, none := w.gateway(other), "rtb-0123456789abcdef0"
	farENI := w.eni(w.subnet(other, "10.0.0.0/24")).ID
	route := func(want string, in shape.CreateRouteRequest) row {
		if in.RouteTableId == nil {
			in.RouteTableId = &table
		}
		return bad(w, want, w.CreateRoute, in)
	}
	d := ptr("198.51.100.0/24")
	w.refuses(
		route("RouteAlreadyExists: The route identified by 0.0.0.0/0 already exists.", shape.CreateRouteRequest{DestinationCidrBlock: ptr("0.0.0.0/0"), GatewayId: &g}),
		route("InvalidParameterValue: route table "+table+" and network gateway "+far+" belong to different networks", shape.CreateRouteRequest{DestinationCidrBlock: d, GatewayId: &far}),
		route("InvalidParameterValue: route table "+table+" and interface "+farENI+" belong to different networks", shape.CreateRouteRequest{DestinationCidrBlock: d, NetworkInterfaceId: &farENI}),
		route("InvalidInternetGatewayID.NotFound", shape.CreateRouteRequest{DestinationCidrBlock: d, GatewayId: ptr("igw-01234567")}),
		route("InvalidInternetGatewayId.Malformed", shape.CreateRouteRequest{DestinationCidrBlock: d, GatewayId: ptr("vgw-01234567")}),
		route("NatGatewayNotFound", shape.CreateRouteRequest{DestinationCidrBlock: d, NatGatewayId: ptr("nat-01234567")}),
		route("InvalidNetworkInterfaceID.NotFound", shape.CreateRouteRequest{DestinationCidrBlock: d, NetworkInterfaceId: ptr("eni-01234567")}),
		route("MissingParameter", shape.CreateRouteRequest{DestinationCidrBlock: d}), route("MissingParameter", shape.CreateRouteRequest{GatewayId: &g}),
		route("InvalidParameterCombination", shape.CreateRouteRequest{DestinationCidrBlock: d, GatewayId: &g, NetworkInterfaceId: &farENI}),
		route("InvalidParameterCombination", shape.CreateRouteRequest{DestinationCidrBlock: d, DestinationIpv6CidrBlock: ptr("::/0"), GatewayId: &g}),
		route("InvalidParameterValue: Value (x) for parameter destinationCidrBlock", shape.CreateRouteRequest{DestinationCidrBlock: ptr("x"), GatewayId: &g}),
		route("InvalidParameterValue: Value (0.0.0.0/0) for parameter destinationIpv6CidrBlock", shape.CreateRouteRequest{DestinationIpv6CidrBlock: ptr("0.0.0.0/0"), GatewayId: &g}),
		route("InvalidParameterValue: The destination CIDR block 10.0.7.0/24 is equal to or more specific", shape.CreateRouteRequest{DestinationCidrBlock: ptr("10.0.7.0/24"), GatewayId: &g}),
		route("InvalidRouteTableID.NotFound", shape.CreateRouteRequest{RouteTableId: &none, DestinationCidrBlock: d, GatewayId: &g}),
		route("UnsupportedOperation: Routes lead to internet gateways, NAT gateways and network interfaces in this region. (TransitGatewayId)", shape.CreateRouteRequest{DestinationCidrBlock: d, TransitGatewayId: ptr("tgw-1")}),
		route("UnsupportedOperation", shape.CreateRouteRequest{DestinationPrefixListId: ptr("pl-1"), GatewayId: &g}),
		bad(w, "InvalidParameterValue: There is no route defined for '198.51.100.0/24' in the route table. Use CreateRoute instead.", w.ReplaceRoute, shape.ReplaceRouteRequest{RouteTableId: &table, DestinationCidrBlock: d, GatewayId: &g}),
		bad(w, "InvalidParameterValue: Only the routes of the VPC's own", w.ReplaceRoute, shape.ReplaceRouteRequest{RouteTableId: &table, DestinationCidrBlock: ptr("0.0.0.0/0"), LocalTarget: ptr(true)}),
		bad(w, "InvalidRoute.NotFound: no route with destination-cidr-block 198.51.100.0/24 in route table "+table, w.DeleteRoute, shape.DeleteRouteRequest{RouteTableId: &table, DestinationCidrBlock: d}),
		bad(w, "InvalidParameterValue: cannot remove local route 10.0.0.0/16 in route table "+table, w.DeleteRoute, shape.DeleteRouteRequest{RouteTableId: &table, DestinationCidrBlock: ptr("10.0.0.0/16")}),
		bad(w, "InvalidVpcID.NotFound", w.CreateRouteTable, shape.CreateRouteTableRequest{VpcId: ptr("vpc-01234567")}),
		bad(w, "InvalidRouteTableID.NotFound: The routeTable ID '"+none+"' does not exist", w.DescribeRouteTables, shape.DescribeRouteTablesRequest{RouteTableIds: []string{none}}),
		bad(w, "InvalidRouteTableId.Malformed", w.DescribeRouteTables, shape.DescribeRouteTablesRequest{RouteTableIds: []string{v}}),
		bad(w, "InvalidRouteTableID.NotFound", w.DeleteRouteTable, shape.DeleteRouteTableRequest{RouteTableId: &none}),
	)
}

func TestRouteTablesOfSubnets(t *testing.T) {
	w := newWorld(t)
	v, other := w.vpc("10.0.0.0/16"), w.vpc("10.0.0.0/16")
	s, a, b, far := w.subnet(v, "10.0.1.0/24"), w.table(v), w.table(v), w.table(other)
	main := try(w, w.DescribeRouteTables, shape.DescribeRouteTablesRequest{Filters: append(filter("association.main", "true"), filter("vpc-id", v)...)}).RouteTables
	if len(main) != 1 || len(main[0].Associations) != 1 || !*main[0].Associations[0].Main || main[0].Associations[0].SubnetId != nil {
		t.Fatalf("%+v", main)
	}
	first := *try(w, w.AssociateRouteTable, shape.AssociateRouteTableRequest{RouteTableId: &a, SubnetId: &s}).AssociationId
	if again := *try(w, w.AssociateRouteTable, shape.AssociateRouteTableRequest{RouteTableId: &a, SubnetId: &s}).AssociationId; again != first {
		t.Errorf("the same association is %s and %s", first, again)
	}
	for _, f := range [][]shape.Filter{filter("association.route-table-association-id", first), filter("association.subnet-id", s)} {
		if out := try(w, w.DescribeRouteTables, shape.DescribeRouteTablesRequest{Filters: f}).RouteTables; len(out) != 1 || *out[0].RouteTableId != a || *out[0].Associations[0].SubnetId != s {
			t.Errorf("%+v", out)
		}
	}
	mainID, none := *main[0].Associations[0].RouteTableAssociationId, "rtbassoc-01234567"
	w.refuses(
		bad(w, "Resource.AlreadyAssociated: the specified association for route table "+b+" conflicts with an existing association", w.AssociateRouteTable, shape.AssociateRouteTableRequest{RouteTableId: &b, SubnetId: &s}),
		bad(w, "InvalidParameterValue: Route table "+far+" and subnet "+s+" belong to different networks", w.AssociateRouteTable, shape.AssociateRouteTableRequest{RouteTableId: &far, SubnetId: &s}),
		bad(w, "MissingParameter", w.AssociateRouteTable, shape.AssociateRouteTableRequest{RouteTableId: &a}),
		bad(w, "UnsupportedOperation", w.AssociateRouteTable, shape.AssociateRouteTableRequest{RouteTableId: &a, GatewayId: ptr("igw-01234567")}),
		bad(w, "InvalidSubnetID.NotFound", w.AssociateRouteTable, shape.AssociateRouteTableRequest{RouteTableId: &a, SubnetId: ptr("subnet-01234567")}),
		bad(w, "DependencyViolation: The routeTable '"+a+"' has dependencies and cannot be deleted.", w.DeleteRouteTable, shape.DeleteRouteTableRequest{RouteTableId: &a}),
		bad(w, "DependencyViolation", w.DeleteRouteTable, shape.DeleteRouteTableRequest{RouteTableId: main[0].RouteTableId}),
		bad(w, "InvalidParameterValue: cannot disassociate the main route table association "+mainID, w.DisassociateRouteTable, shape.DisassociateRouteTableRequest{AssociationId: &mainID}),
		bad(w, "InvalidAssociationID.NotFound: The association ID '"+none+"' does not exist", w.DisassociateRouteTable, shape.DisassociateRouteTableRequest{AssociationId: &none}),
		bad(w, "InvalidAssociationID.NotFound", w.ReplaceRouteTableAssociation, shape.ReplaceRouteTableAssociationRequest{AssociationId: &none, RouteTableId: &a}),
		bad(w, "InvalidParameterValue", w.ReplaceRouteTableAssociation, shape.ReplaceRouteTableAssociationRequest{AssociationId: &first, RouteTableId: &far}),
		bad(w, "InvalidParameterValue", w.ReplaceRouteTableAssociation, shape.ReplaceRouteTableAssociationRequest{AssociationId: &mainID, RouteTableId: &far}),
	)
	second := *try(w, w.ReplaceRouteTableAssociation, shape.ReplaceRouteTableAssociationRequest{AssociationId: &first, RouteTableId: &b}).NewAssociationId
	try(w, w.DeleteRouteTable, shape.DeleteRouteTableRequest{RouteTableId: &a})
	try(w, w.DisassociateRouteTable, shape.DisassociateRouteTableRequest{AssociationId: &second})
	// The main table changes places with another, which can then not be deleted; the old one can.
	newMain := *try(w, w.ReplaceRouteTableAssociation, shape.ReplaceRouteTableAssociationRequest{AssociationId: &mainID, RouteTableId: &b}).NewAssociationId
	if out := try(w, w.DescribeRouteTables, shape.DescribeRouteTablesRequest{Filters: append(filter("association.main", "true"), filter("vpc-id", v)...)}).RouteTables; *out[0].RouteTableId != b || *out[0].Associations[0].RouteTableAssociationId != newMain || newMain == mainID {
		t.Errorf("%+v", out)
	}
	w.refuses(bad(w, "DependencyViolation", w.DeleteRouteTable, shape.DeleteRouteTableRequest{RouteTableId: &b}))
	try(w, w.DeleteRouteTable, shape.DeleteRouteTableRequest{RouteTableId: main[0].RouteTableId})
	try(w, w.DeleteSubnet, shape.DeleteSubnetRequest{SubnetId: &s})
	try(w, w.DeleteVpc, shape.DeleteVpcRequest{VpcId: &v})
	w.nothingOf(v)
}

// The same client token makes one table; with other parameters it is refused.
func TestClientTokens(t *testing.T) {
	w := newWorld(t)
	v, other := w.vpc("10.0.0.0/16"), w.vpc("10.0.0.0/16")
	in := shape.CreateRouteTableRequest{VpcId: &v, ClientToken: ptr("terraform-1")}
	first := *try(w, w.CreateRouteTable, in).RouteTable.RouteTableId
	if again := *try(w, w.CreateRouteTable, in).RouteTable.RouteTableId; again != first {
		t.Errorf("made twice: %s, %s", first, again)
	}
	acl := shape.CreateNetworkAclRequest{VpcId: &v, ClientToken: ptr("terraform-1")}
	if a, b := *try(w, w.CreateNetworkAcl, acl).NetworkAcl.NetworkAclId, *try(w, w.CreateNetworkAcl, acl).NetworkAcl.NetworkAclId; a != b {
		t.Errorf("made twice: %s, %s", a, b)
	}
	w.refuses(
		bad(w, "IdempotentParameterMismatch", w.CreateRouteTable, shape.CreateRouteTableRequest{VpcId: &other, ClientToken: ptr("terraform-1")}),
		bad(w, "InvalidParameterValue: Value (", w.CreateRouteTable, shape.CreateRouteTableRequest{VpcId: &v, ClientToken: ptr(strings.Repeat("x", 65))}),
	)
	w.now = w.now.Add(25 * 3600 * 1e9)
	if late := *try(w, w.CreateRouteTable, in).RouteTable.RouteTableId; late == first {
		t.Error("a token of yesterday is remembered")
	}
}

func TestInternetGateways(t *testing.T) {
	w := newWorld(t)
	v, other := w.vpc("10.0.0.0/16"), w.vpc("10.1.0.0/16")
	g, second, none := w.gateway(v), w.gateway(""), "igw-01234567"
	if out := try(w, w.DescribeInternetGateways, shape.DescribeInternetGatewaysRequest{Filters: append(filter("attachment.vpc-id", v), filter("attachment.state", "available")...)}).InternetGateways; len(out) != 1 || *out[0].InternetGatewayId != g || *out[0].Attachments[0].VpcId != v {
		t.Errorf("%+v", out)
	}
	attach := func(want, g, v string) row {
		return bad(w, want, w.AttachInternetGateway, shape.AttachInternetGatewayRequest{InternetGatewayId: &g, VpcId: &v})
	}
	detach := func(want, g, v string) row {
		return bad(w, want, w.DetachInternetGateway, shape.DetachInternetGatewayRequest{InternetGatewayId: &g, VpcId: &v})
	}
	i := w.eni(w.subnet(v, "10.0.1.0/24"))
	e := w.allocate()
	association := try(w, w.AssociateAddress, shape.AssociateAddressRequest{AllocationId: &e, NetworkInterfaceId: &i.ID}).AssociationId
	w.refuses(
		attach("Resource.AlreadyAssociated: resource "+g+" is already attached to network "+v, g, other), attach("InvalidParameterValue: Network "+v+" already has an internet gateway attached", second, v),
		attach("InvalidInternetGatewayID.NotFound: The internetGateway ID '"+none+"' does not exist", none, v), attach("InvalidVpcID.NotFound", second, "vpc-01234567"),
		detach("Gateway.NotAttached: resource "+second+" is not attached to network "+v, second, v), detach("InvalidInternetGatewayId.Malformed", "blue", v),
		detach("DependencyViolation: Network "+v+" has some mapped public address(es). Please unmap those public address(es) before detaching the gateway.", g, v),
		bad(w, "DependencyViolation: The internetGateway '"+g+"' has dependencies and cannot be deleted.", w.DeleteInternetGateway, shape.DeleteInternetGatewayRequest{InternetGatewayId: &g}),
		bad(w, "InvalidInternetGatewayID.NotFound", w.DeleteInternetGateway, shape.DeleteInternetGatewayRequest{InternetGatewayId: &none}),
		bad(w, "InvalidInternetGatewayID.NotFound", w.DescribeInternetGateways, shape.DescribeInternetGatewaysRequest{InternetGatewayIds: []string{none}}),
	)
	try(w, w.DisassociateAddress, shape.DisassociateAddressRequest{AssociationId: association})
	try(w, w.DetachInternetGateway, shape.DetachInternetGatewayRequest{InternetGatewayId: &g, VpcId: &v})
	try(w, w.DeleteInternetGateway, shape.DeleteInternetGatewayRequest{InternetGatewayId: &g})
}
