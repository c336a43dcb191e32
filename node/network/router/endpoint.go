package router

import (
	"net/netip"

	"github.com/berth-ecs/berth/nodeconf"
)

// Endpoint is an interface that is ready: what a task's containers join.
type Endpoint struct {
	ID         string
	VPC        string
	Netns      string // path of the namespace's mount
	MAC        string
	MTU        int
	Addresses  []netip.Addr
	Addresses6 []netip.Addr
	Subnet     netip.Prefix
	Gateway    netip.Addr
	Resolver   netip.Addr // of the VPC
	Public     []nodeconf.Public
}

// Report is what is true after a change.
type Report struct {
	Version int64            // of the configuration
	Failed  map[string]error // interfaces and VPCs that are not as they should be, by id; they are tried again
}
