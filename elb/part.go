package elb

import (
	"slices"
	"strings"
)

// Part says which node of a load balancer a part of a proxy's configuration is. There may be two in a zone, while one takes the place of the other.
type Part struct {
	Home
	LoadBalancer string // ID
	Zone         string
	Interface    string
}

const partPrefix = "elb"

// String is the name of the part in the installation.
func (p Part) String() string {
	return strings.Join([]string{partPrefix, p.Account, p.Region, p.LoadBalancer, p.Zone, p.Interface}, "/")
}

// ParsePart reads the name of a part; false for one that is no load balancer's.
func ParsePart(name string) (Part, bool) {
	w := strings.Split(name, "/")
	if len(w) != 6 || w[0] != partPrefix {
		return Part{}, false
	}
	if slices.Contains(w, "") {
		return Part{}, false
	}
	return Part{Home: Home{Account: w[1], Region: w[2]}, LoadBalancer: w[3], Zone: w[4], Interface: w[5]}, true
}

// PartOf is the part that a node of the load balancer is.
func (l *LoadBalancer) PartOf(n Node) Part {
	return Part{Home: l.Home, LoadBalancer: l.ID, Zone: n.Zone, Interface: n.Interface}
}
