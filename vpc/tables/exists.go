package tables

import (
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
)

// Exists answers EC2's error for what is not the id of a resource that can have tags, guarded.
func Exists(tx store.Tx, h vpc.Home, id string) error {
	k, ok := vpc.KindOf(id)
	if !ok {
		return vpc.Errorf("InvalidID", "The ID '%s' is not valid", id)
	}
	there := false
	switch k {
	case vpc.KindVPC:
		_, there = VPCs.Get(tx, Key(h, id))
	case vpc.KindSubnet:
		_, there = Subnets.Get(tx, Key(h, id))
	case vpc.KindDHCPOptions:
		_, there = DHCPOptions.Get(tx, Key(h, id))
	case vpc.KindInterface:
		_, there = Interfaces.Get(tx, Key(h, id))
	case vpc.KindGroup:
		_, there = SecurityGroups.Get(tx, Key(h, id))
	case vpc.KindRule:
		there = ruleExists(tx, h, id)
	case vpc.KindACL:
		_, there = ACLs.Get(tx, Key(h, id))
	case vpc.KindRouteTable:
		_, there = RouteTables.Get(tx, Key(h, id))
	case vpc.KindInternetGateway:
		_, there = InternetGateways.Get(tx, Key(h, id))
	case vpc.KindNATGateway:
		_, there = NATGateways.Get(tx, Key(h, id))
	case vpc.KindElastic:
		_, there = Elastics.Get(tx, Key(h, id))
	}
	if !there {
		return k.NotFound(id)
	}
	return nil
}

func ruleExists(tx store.Tx, h vpc.Home, id string) bool {
	for key, r := range RulesByID.List(tx, id, "") {
		if r.Home == h {
			_, there := Rules.Get(tx, key)
			return there
		}
	}
	return false
}
