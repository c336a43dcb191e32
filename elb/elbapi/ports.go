package elbapi

import (
	"net/netip"

	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/store"
)

// Network is what the VPC wing knows. Whatever is found of an id is guarded: it is there when the transaction commits.
type Network interface {
	// Subnet is a subnet. 3 keys.
	Subnet(tx store.Tx, h elb.Home, id string) (Subnet, bool)
	// SecurityGroup is the VPC of a security group. 1 key.
	SecurityGroup(tx store.Tx, h elb.Home, id string) (vpc string, ok bool)
	// VPC is a VPC. 1 key.
	VPC(tx store.Tx, h elb.Home, id string) (VPC, bool)
	// Allocation is an Elastic address, and whether something has it. 1 key.
	Allocation(tx store.Tx, h elb.Home, id string) (addr netip.Addr, used, ok bool)
}

// Subnet is what load balancers need to know of one.
type Subnet struct {
	ID, VPC, Zone string
	Block         netip.Prefix
	Free          int // addresses
}

// VPC is what load balancers need to know of one.
type VPC struct {
	DefaultGroup string // the security group that it began with
	Gateway      bool   // it has an internet gateway
}

// Certificates is what Certificate Manager knows.
type Certificates interface {
	// Certificate says whether there is a certificate that a listener can serve; it is there when the transaction commits. 1 key.
	Certificate(tx store.Tx, h elb.Home, arn string) bool
}

type none struct{}

func (none) Certificate(store.Tx, elb.Home, string) bool { return false }
