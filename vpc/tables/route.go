package tables

import (
	"strings"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
)

// Leads says whether a route of a table leads anywhere: its target is there and belongs to the table's VPC. Otherwise it is a blackhole.
func Leads(tx store.Tx, t *vpc.RouteTable, target string) bool {
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

// ToGateway says whether a VPC has an internet gateway.
func ToGateway(tx store.Tx, id string) bool { return GatewaysByVPC.Count(tx, id) > 0 }
