// Package tables is where the records of the VPC wing live in the store: their typed tables, their indexes, and what the API, the loops and
// other wings share inside a transaction.
//
// Guarantees: every function takes a store.Tx and does no other I/O; it touches only this wing's tables; it reads time and
// identifiers from the Tx. Functions that write state the number of keys they touch.
package tables

import (
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
)

// At is the scope of a home's records.
func At(h vpc.Home) store.Scope { return store.Regional(h.Account, h.Region) }

// Key is the key of a record that has an id.
func Key(h vpc.Home, id string) string { return At(h).Key(id) }

// All begins the keys of all records of a home in a table.
func All(h vpc.Home) string { return At(h).Prefix() }

// AddressKey is the key of an address of a subnet.
func AddressKey(a *vpc.Address) string { return At(a.Home).Key(a.Subnet, a.Addr.String()) }

// RuleKey is the key of a security group's rule.
func RuleKey(h vpc.Home, group, id string) string { return At(h).Key(group, id) }

// AssociationKey is the key of a subnet's association of a kind.
func AssociationKey(h vpc.Home, kind, subnet string) string { return At(h).Key(kind, subnet) }

// PublicKey is the key of an address of the installation's pool.
func PublicKey(a *vpc.PublicAddress) string { return store.Installation().Key(a.Addr.String()) }

// The tables.
var (
	VPCs = store.Define(store.Def[vpc.VPC]{Name: "vpc.vpc", Version: 1,
		Key: func(r *vpc.VPC) string { return Key(r.Home, r.ID) }})
	Subnets = store.Define(store.Def[vpc.Subnet]{Name: "vpc.subnet", Version: 1,
		Key: func(r *vpc.Subnet) string { return Key(r.Home, r.ID) }})
	DHCPOptions = store.Define(store.Def[vpc.DHCPOptions]{Name: "vpc.dhcpoptions", Version: 1,
		Key: func(r *vpc.DHCPOptions) string { return Key(r.Home, r.ID) }})
	Interfaces = store.Define(store.Def[vpc.Interface]{Name: "vpc.interface", Version: 2,
		Key: func(r *vpc.Interface) string { return Key(r.Home, r.ID) }})
	Addresses       = store.Define(store.Def[vpc.Address]{Name: "vpc.address", Version: 1, Key: AddressKey})
	PublicAddresses = store.Define(store.Def[vpc.PublicAddress]{Name: "vpc.public", Version: 1, Key: PublicKey})
	Elastics        = store.Define(store.Def[vpc.Elastic]{Name: "vpc.elastic", Version: 1,
		Key: func(r *vpc.Elastic) string { return Key(r.Home, r.ID) }})
	SecurityGroups = store.Define(store.Def[vpc.SecurityGroup]{Name: "vpc.group", Version: 1,
		Key: func(r *vpc.SecurityGroup) string { return Key(r.Home, r.ID) }})
	Rules = store.Define(store.Def[vpc.Rule]{Name: "vpc.rule", Version: 1,
		Key: func(r *vpc.Rule) string { return RuleKey(r.Home, r.Group, r.ID) }})
	ACLs = store.Define(store.Def[vpc.ACL]{Name: "vpc.acl", Version: 1,
		Key: func(r *vpc.ACL) string { return Key(r.Home, r.ID) }})
	RouteTables = store.Define(store.Def[vpc.RouteTable]{Name: "vpc.routes", Version: 1,
		Key: func(r *vpc.RouteTable) string { return Key(r.Home, r.ID) }})
	Associations = store.Define(store.Def[vpc.Association]{Name: "vpc.association", Version: 1,
		Key: func(r *vpc.Association) string { return AssociationKey(r.Home, r.Kind, r.Subnet) }})
	InternetGateways = store.Define(store.Def[vpc.InternetGateway]{Name: "vpc.internetgateway", Version: 1,
		Key: func(r *vpc.InternetGateway) string { return Key(r.Home, r.ID) }})
	NATGateways = store.Define(store.Def[vpc.NATGateway]{Name: "vpc.natgateway", Version: 1,
		Key: func(r *vpc.NATGateway) string { return Key(r.Home, r.ID) }})
	Tags = store.Define(store.Def[vpc.Tags]{Name: "vpc.tags", Version: 1,
		Key: func(r *vpc.Tags) string { return Key(r.Home, r.Resource) }})
	Bases = store.Define(store.Def[vpc.Base]{Name: "vpc.base", Version: 1,
		Key: func(r *vpc.Base) string { return At(r.Home).Key(base) }})
	Changes = store.Define(store.Def[vpc.Changes]{Name: "vpc.changes", Version: 1,
		Key: func(r *vpc.Changes) string { return Key(r.Home, r.VPC) }})
	Numbers = store.Define(store.Def[vpc.Numbers]{Name: "vpc.numbers", Version: 1,
		Key: func(r *vpc.Numbers) string { return store.Installation().Key(r.Name) }})
	Tokens = store.Define(store.Def[vpc.Token]{Name: "vpc.token", Version: 1,
		Key: func(r *vpc.Token) string { return At(r.Home).Key(r.Operation, r.Token) }})
)

// base is the last part of the key of a home's Base.
const base = "base"

// Schema is every table of the wing.
func Schema() store.Schema {
	return store.Schema{
		VPCs, Subnets, DHCPOptions, Interfaces, Addresses, PublicAddresses, Elastics, SecurityGroups, Rules, ACLs, RouteTables, Associations,
		InternetGateways, NATGateways, Tags, Deletions, Bases, Changes, Numbers, Tokens,
	}
}
