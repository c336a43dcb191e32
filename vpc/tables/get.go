package tables

import (
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
)

// get answers a record by its id, guarded, or EC2's error.
func get[T any](tx store.Tx, t *store.Table[T], k vpc.Kind, h vpc.Home, id string) (*T, error) {
	if err := k.Check(id); err != nil {
		return nil, err
	}
	r, ok := t.Get(tx, Key(h, id))
	if !ok {
		return nil, k.NotFound(id)
	}
	return r, nil
}

// VPC answers a VPC by its id, guarded, or EC2's error.
func VPC(tx store.Tx, h vpc.Home, id string) (*vpc.VPC, error) {
	return get(tx, VPCs, vpc.KindVPC, h, id)
}

// Subnet answers a subnet by its id, guarded, or EC2's error.
func Subnet(tx store.Tx, h vpc.Home, id string) (*vpc.Subnet, error) {
	return get(tx, Subnets, vpc.KindSubnet, h, id)
}

// Group answers a security group by its id, guarded, or EC2's error.
func Group(tx store.Tx, h vpc.Home, id string) (*vpc.SecurityGroup, error) {
	return get(tx, SecurityGroups, vpc.KindGroup, h, id)
}

// RouteTable answers a route table by its id, guarded, or EC2's error.
func RouteTable(tx store.Tx, h vpc.Home, id string) (*vpc.RouteTable, error) {
	return get(tx, RouteTables, vpc.KindRouteTable, h, id)
}

// ACL answers a network ACL by its id, guarded, or EC2's error.
func ACL(tx store.Tx, h vpc.Home, id string) (*vpc.ACL, error) {
	return get(tx, ACLs, vpc.KindACL, h, id)
}

// InternetGateway answers an internet gateway by its id, guarded, or EC2's error.
func InternetGateway(tx store.Tx, h vpc.Home, id string) (*vpc.InternetGateway, error) {
	return get(tx, InternetGateways, vpc.KindInternetGateway, h, id)
}

// NATGateway answers a NAT gateway by its id, guarded, or EC2's error.
func NATGateway(tx store.Tx, h vpc.Home, id string) (*vpc.NATGateway, error) {
	return get(tx, NATGateways, vpc.KindNATGateway, h, id)
}

// Options answers DHCP options by their id, guarded, or EC2's error.
func Options(tx store.Tx, h vpc.Home, id string) (*vpc.DHCPOptions, error) {
	return get(tx, DHCPOptions, vpc.KindDHCPOptions, h, id)
}

// Interface answers an interface by its id, guarded, or EC2's error.
func Interface(tx store.Tx, h vpc.Home, id string) (*vpc.Interface, error) {
	return get(tx, Interfaces, vpc.KindInterface, h, id)
}

// Elastic answers an Elastic address by its allocation, guarded, or EC2's error.
func Elastic(tx store.Tx, h vpc.Home, id string) (*vpc.Elastic, error) {
	return get(tx, Elastics, vpc.KindElastic, h, id)
}

// TagsOf are the tags of a resource in the order of their keys.
func TagsOf(tx store.Tx, h vpc.Home, id string) []vpc.Pair {
	if t, ok := Tags.Peek(tx, Key(h, id)); ok {
		return t.Pairs
	}
	return nil
}

// PutTags gives a resource its tags, or none. Writes 1 key.
func PutTags(tx store.Tx, h vpc.Home, id string, pairs []vpc.Pair) {
	if len(pairs) == 0 {
		Tags.Delete(tx, Key(h, id))
		return
	}
	Tags.Put(tx, &vpc.Tags{Home: h, Resource: id, Pairs: pairs})
}
