package lower

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/proxyconf"
)

// Change is a record as it was and as it is; nil for none. Both are pointers to the same type: one of elb's, or Machine.
type Change struct{ Old, New any }

// Machine is where an instance is reached on the network of machines.
type Machine struct {
	elb.Home
	Instance string // i-...
	Addr     netip.Addr
}

// Place is a berth node: an account and region have those of their own.
type Place struct {
	elb.Home
	Machine string
}

// PlacedPart is a part that a berth node does.
type PlacedPart struct {
	Place Place
	Part  proxyconf.Part
}

// PartKey names one.
type PartKey struct {
	Place Place
	Part  string
}

// Delta is how what proxies are told changes.
type Delta struct {
	Parts         []PlacedPart
	PartsGone     []PartKey
	Endpoints     []proxyconf.Endpoints
	EndpointsGone []string
	Secrets       []string // ARNs of certificates that a listener has now, and none had before
	SecretsGone   []string
}

// Empty says whether nothing changes.
func (d *Delta) Empty() bool {
	return len(d.Parts)+len(d.PartsGone)+len(d.Endpoints)+len(d.EndpointsGone)+len(d.Secrets)+len(d.SecretsGone) == 0
}

// Work is how much an Index has made so far, whether it was told or not.
type Work struct{ Parts, Endpoints int }

func (k PartKey) compare(o PartKey) int {
	return cmp.Or(cmp.Compare(k.Place.Account, o.Place.Account), cmp.Compare(k.Place.Region, o.Place.Region),
		cmp.Compare(k.Place.Machine, o.Place.Machine), cmp.Compare(k.Part, o.Part))
}

func (p PlacedPart) key() PartKey { return PartKey{p.Place, p.Part.Name} }

// sort puts everything into one order.
func (d *Delta) sort() {
	slices.SortFunc(d.Parts, func(a, b PlacedPart) int { return a.key().compare(b.key()) })
	slices.SortFunc(d.PartsGone, PartKey.compare)
	slices.SortFunc(d.Endpoints, func(a, b proxyconf.Endpoints) int { return cmp.Compare(a.Name, b.Name) })
	slices.Sort(d.EndpointsGone)
	slices.Sort(d.Secrets)
	slices.Sort(d.SecretsGone)
}
