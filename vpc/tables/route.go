package tables

import (
	"strings"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
)

// Belongs says whether a target of routes is there and of the table's VPC: an internet gateway that is attached to it, a NAT gateway that was not
// deleted, an interface.
func Belongs(tx store.Tx, t *vpc.RouteTable, target string) bool {
	kind, _, _ := strings.Cut(target, "-")
	switch kind {
	case vpc.KindInternetGateway.Prefix:
		g, ok := InternetGateways.Peek(tx, Key(t.Home, target))
		return ok && g.VPC == t.VPC
	case vpc.KindNATGateway.Prefix:
		n, ok := NATGateways.Peek(tx, Key(t.Home, target))
		return ok && n.VPC == t.VPC && n.DeletedAt.IsZero()
	case vpc.KindInterface.Prefix:
		i, ok := Interfaces.Peek(tx, Key(t.Home, target))
		return ok && i.VPC == t.VPC
	}
	return false
}

// Leads says whether a route of a table leads anywhere: its target belongs to the table's VPC, and an interface is attached to something that
// could forward. Otherwise the route is a blackhole.
func Leads(tx store.Tx, t *vpc.RouteTable, target string) bool {
	if !Belongs(tx, t, target) {
		return false
	}
	i, ok := Interfaces.Peek(tx, Key(t.Home, target))
	return !ok || i.Attachment != ""
}

// ToGateway says whether a VPC has an internet gateway.
func ToGateway(tx store.Tx, id string) bool { return GatewaysByVPC.Count(tx, id) > 0 }
