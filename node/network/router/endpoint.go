package router

import (
	"context"
	"net/netip"
	"slices"

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

// Netns is the path of the namespace of an interface, whether it is there or not.
func (r *Routers) Netns(id string) string { return r.cfg.eniMount(id) }

// Wait returns once the interface is ready, or, with why it is not, when the context ends.
func (r *Routers) Wait(ctx context.Context, id string) (Endpoint, error) {
	e, err := r.ready.Wait(ctx, id)
	e.Addresses, e.Addresses6, e.Public = slices.Clone(e.Addresses), slices.Clone(e.Addresses6), slices.Clone(e.Public)
	return e, err
}
