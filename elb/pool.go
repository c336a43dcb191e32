package elb

import (
	"slices"
	"strings"
)

// Pool names the targets of a group that the nodes of a load balancer in some zones send to: proxyconf.Endpoints.Name. Nodes that see the same
// targets share one.
type Pool struct {
	Home
	Group string   // ID
	Zones []string // whose targets, in order; those that are everywhere are in every pool
}

const plus = "+"

// PoolOf is what the nodes of a load balancer in a zone send to; cross as CrossZone says.
func (l *LoadBalancer) PoolOf(group, zone string, cross bool) Pool {
	p := Pool{Home: l.Home, Group: group, Zones: []string{zone}}
	if cross {
		p.Zones = nil
		for _, z := range l.Zones {
			p.Zones = append(p.Zones, z.Name)
		}
		slices.Sort(p.Zones)
	}
	return p
}

// Has says whether a target is in the pool. It agrees with Target.SeenFrom.
func (p Pool) Has(t *Target) bool { return t.everywhere() || slices.Contains(p.Zones, t.Place) }

// String is the name of the pool in the installation: elb/<account>/<region>/<group>/<zone>+<zone>.
func (p Pool) String() string {
	return strings.Join([]string{partPrefix, p.Account, p.Region, p.Group, strings.Join(p.Zones, plus)}, "/")
}

// ParsePool reads the name of a pool; false for one that is none.
func ParsePool(name string) (Pool, bool) {
	w := strings.Split(name, "/")
	if len(w) != 5 || w[0] != partPrefix || slices.Contains(w, "") {
		return Pool{}, false
	}
	return Pool{Home: Home{Account: w[1], Region: w[2]}, Group: w[3], Zones: strings.Split(w[4], plus)}, true
}
