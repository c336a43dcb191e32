package tables

import (
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
)

// The indexes of networks. Their values are ids, which are unique: of the VPC, of the subnet, of the target.
var (
	SubnetsByVPC     = store.NewIndex(Subnets, "vpc", func(r *vpc.Subnet) []string { return []string{r.VPC} })
	RouteTablesByVPC = store.NewIndex(RouteTables, "vpc", func(r *vpc.RouteTable) []string { return []string{r.VPC} })
	ACLsByVPC        = store.NewIndex(ACLs, "vpc", func(r *vpc.ACL) []string { return []string{r.VPC} })
	GroupsByVPC      = store.NewIndex(SecurityGroups, "vpc", func(r *vpc.SecurityGroup) []string { return []string{r.VPC} })
	NATsByVPC        = store.NewIndex(NATGateways, "vpc", func(r *vpc.NATGateway) []string { return []string{r.VPC} })
	NATsBySubnet     = store.NewIndex(NATGateways, "subnet", func(r *vpc.NATGateway) []string { return []string{r.Subnet} })

	// GatewaysByVPC: an internet gateway under the VPC it is attached to.
	GatewaysByVPC = store.NewIndex(InternetGateways, "vpc", func(r *vpc.InternetGateway) []string { return some(r.VPC) })

	AssociationsByID     = store.NewIndex(Associations, "id", func(r *vpc.Association) []string { return []string{r.ID} })
	AssociationsByTarget = store.NewIndex(Associations, "target", func(r *vpc.Association) []string { return []string{r.Target} })

	// VPCsByDHCPOptions: those that were given the options.
	VPCsByDHCPOptions = store.NewIndex(VPCs, "dhcpoptions", func(r *vpc.VPC) []string { return []string{r.DHCPOptions} })

	ElasticsByAddress     = store.NewIndex(Elastics, "address", func(r *vpc.Elastic) []string { return []string{r.Addr.String()} })
	ElasticsByAssociation = store.NewIndex(Elastics, "association", func(r *vpc.Elastic) []string { return some(r.Association) })
)

// some is no value for an id that is empty.
func some(id string) []string {
	if id == "" {
		return nil
	}
	return []string{id}
}

// Of is all of an index's records that have a value.
func Of[T any](tx store.Tx, x *store.Index[T], value string) []*T {
	var all []*T
	for _, r := range x.List(tx, value, "") {
		all = append(all, r)
	}
	return all
}
