// Package zone makes zones of DNS of load balancers: what resolvers answer for their names.
//
// An Index is fed with changes of single records and answers which zones and values changed.
//
// Guarantees:
//
//   - It is pure: no I/O, no clock. Records are never changed.
//   - A load balancer's name has an address for each node that serves, and no other: in its own VPC the private ones, everywhere else the public ones;
//     of an internal one the private ones everywhere.
//   - The change that Apply answers holds what changed and nothing else.
package zone

import (
	"iter"
	"net/netip"
	"strings"

	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/nodeconf"
)

// TTL is that of the addresses of a load balancer, in seconds, as on AWS.
const TTL = 60

// negative is how long it may be kept that a name has no address, in seconds: of a load balancer whose first node is about to serve. It is short, so that
// who asked too early finds it soon.
const negative = 5

// internal is the scheme of load balancers without public addresses.
const internal = "internal"

// Change is a record as it was and as it is; nil for none. Both are pointers to the same type.
type Change struct{ Old, New any }

// Index holds the records that zones are made of. Make it with New.
type Index struct{ known map[key]pair }

type key struct {
	elb.Home
	id string
}

type pair struct {
	lb     *elb.LoadBalancer
	status *elb.LoadBalancerStatus
}

// New makes an index without records.
func New() *Index { return &Index{known: map[key]pair{}} }

// Load puts records into an empty index and answers what they make.
func (x *Index) Load(records iter.Seq[any]) nodeconf.Resources {
	for rec := range records {
		x.put(rec, rec)
	}
	r := nodeconf.Resources{Zones: map[string]nodeconf.Zone{}, Values: map[string]nodeconf.Value{}}
	for _, p := range x.known {
		p.add(&r)
	}
	return r
}

// Apply takes changes, in their order and as one, and answers what they change. Versions are zero.
func (x *Index) Apply(changes ...Change) nodeconf.Delta {
	touched := map[key]pair{}
	for _, c := range changes {
		rec := c.New
		if rec == nil {
			rec = c.Old
		}
		k, was := x.put(rec, c.New)
		if _, seen := touched[k]; !seen {
			touched[k] = was
		}
	}
	var before, after nodeconf.Config
	for _, c := range []*nodeconf.Config{&before, &after} {
		c.Resources = nodeconf.Resources{Zones: map[string]nodeconf.Zone{}, Values: map[string]nodeconf.Value{}}
	}
	for k, was := range touched {
		was.add(&before.Resources)
		x.known[k].add(&after.Resources)
		if x.known[k] == (pair{}) {
			delete(x.known, k)
		}
	}
	return nodeconf.Diff(&before, &after)
}

// put changes what is known of a load balancer, and answers what was.
func (x *Index) put(rec, next any) (k key, was pair) {
	switch rec := rec.(type) {
	case *elb.LoadBalancer:
		k = key{rec.Home, rec.ID}
		was = x.known[k]
		p := was
		if p.lb = rec; next == nil {
			p.lb = nil
		}
		x.known[k] = p
	case *elb.LoadBalancerStatus:
		k = key{rec.Home, rec.LoadBalancer}
		was = x.known[k]
		p := was
		if p.status = rec; next == nil {
			p.status = nil
		}
		x.known[k] = p
	}
	return k, was
}

// add adds the zones of a load balancer. The one that all resolvers answer has the id that sorts first: who is in no VPC is answered by that.
func (p pair) add(to *nodeconf.Resources) {
	if p.lb == nil || p.lb.DNSName == "" {
		return
	}
	name := strings.ToLower(p.lb.DNSName)
	everywhere := nodeconf.Zone{ID: "elb-" + p.lb.ID, Name: name, Public: true, SOA: soa(p.lb.Region)}
	to.Zones[everywhere.ID] = everywhere
	if p.lb.Scheme == internal {
		p.values(to, everywhere, func(n elb.Node) netip.Addr { return n.Private })
		return
	}
	p.values(to, everywhere, func(n elb.Node) netip.Addr { return n.Public })
	own := everywhere
	own.ID, own.Public, own.VPCs = everywhere.ID+"-vpc", false, []string{p.lb.VPC}
	to.Zones[own.ID] = own
	p.values(to, own, func(n elb.Node) netip.Addr { return n.Private })
}

func soa(region string) nodeconf.SOA {
	return nodeconf.SOA{Server: "ns-1." + region + ".elb.amazonaws.com", Mailbox: "awsdns-hostmaster.amazon.com", TTL: negative}
}

func (p pair) values(to *nodeconf.Resources, z nodeconf.Zone, address func(elb.Node) netip.Addr) {
	if p.status == nil {
		return
	}
	for _, n := range p.status.Nodes {
		if a := address(n); n.Serving && a.IsValid() {
			to.Values[nodeconf.ValueKey(z.ID, z.Name, "A", n.Interface)] = nodeconf.Value{Zone: z.ID, Name: z.Name, Type: "A", TTL: TTL, Value: a.String()}
		}
	}
}
