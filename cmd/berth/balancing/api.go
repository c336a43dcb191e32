package balancing

import (
	"net/netip"

	"github.com/berth-ecs/berth/cmd/berth/identities"
	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/elb/elbapi"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
	vpctables "github.com/berth-ecs/berth/vpc/tables"
)

// Networks is the VPC wing as load balancing needs it.
type Networks struct{}

var _ elbapi.Network = Networks{}

func vpcHome(h elb.Home) vpc.Home { return vpc.Home{Account: h.Account, Region: h.Region} }

// Subnet implements elbapi.Network.
func (Networks) Subnet(tx store.Tx, h elb.Home, id string) (elbapi.Subnet, bool) {
	s, err := vpctables.Subnet(tx, vpcHome(h), id)
	if err != nil {
		return elbapi.Subnet{}, false
	}
	return elbapi.Subnet{ID: s.ID, VPC: s.VPC, Zone: s.Zone, Block: s.CIDR, Free: vpctables.FreeAddresses(tx, s)}, true
}

// SecurityGroup implements elbapi.Network.
func (Networks) SecurityGroup(tx store.Tx, h elb.Home, id string) (string, bool) {
	g, err := vpctables.Group(tx, vpcHome(h), id)
	if err != nil {
		return "", false
	}
	return g.VPC, true
}

// VPC implements elbapi.Network.
func (Networks) VPC(tx store.Tx, h elb.Home, id string) (elbapi.VPC, bool) {
	v, err := vpctables.VPC(tx, vpcHome(h), id)
	if err != nil {
		return elbapi.VPC{}, false
	}
	return elbapi.VPC{DefaultGroup: v.DefaultGroup, Gateway: vpctables.GatewaysByVPC.Count(tx, v.ID) > 0}, true
}

// Allocation implements elbapi.Network.
func (Networks) Allocation(tx store.Tx, h elb.Home, id string) (netip.Addr, bool, bool) {
	e, err := vpctables.Elastic(tx, vpcHome(h), id)
	if err != nil {
		return netip.Addr{}, false, false
	}
	return e.Addr, e.Interface != "", true
}

// New serves Elastic Load Balancing. places may be nil: then no address is in a VPC, and no machine is there.
func New(records store.Store, places elbapi.Places) *elbapi.API {
	return elbapi.New(elbapi.Config{Store: records, Network: Networks{}, Certificates: identities.Known{}, Places: places})
}
