package ecs

import "net/netip"

// Guise is how the interface of a hidden task is, and is shown.
type Guise struct {
	Requester   string     // of whom it is said that it made it
	Description string     //
	Type        string     // interface, network_load_balancer
	Private     netip.Addr // that it must have; the zero Addr: any
	Allocation  string     // of the Elastic address that it has
	Prefer      netip.Addr // public address that it has if nobody else has; the zero Addr: any
	Open        bool       // it has no security groups: everything passes
}
