package ecs

import (
	"net/netip"
	"strings"
)

// HiddenMark begins the names of clusters and families that no client sees or can name: what they hold works for other wings.
const HiddenMark = "@"

// HiddenBalancers is the cluster, and the family, of the tasks that are load balancers' nodes.
const HiddenBalancers = HiddenMark + "amazon-elb"

// Hidden says whether a cluster or family is one of those.
func Hidden(name string) bool { return strings.HasPrefix(name, HiddenMark) }

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
