// Package lower makes what proxies are told of the records of load balancers: a proxyconf.Part of each node of one, proxyconf.Endpoints of each
// target group as nodes see it. Index keeps them as records change.
//
// Guarantees:
//
//   - It is pure. The same records give the same values, in whichever order they come.
//   - Every attribute is honoured, or nothing is behind it and elb says so.
//   - A record that names what is not there makes its own way a 503, and nobody else's.
//   - A change costs what it touches: a target's, the endpoints of its group; a rule's, the parts of its load balancer.
package lower

import (
	"net/netip"
	"strconv"
	"time"

	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/proxyconf"
)

// Balancer is a load balancer with the records that its parts are made of.
type Balancer struct {
	LoadBalancer *elb.LoadBalancer
	Attributes   map[string]string
	Listeners    []Listener
	Groups       map[string]Group // by ID: those that it forwards to
}

// Listener is a listener with what belongs to it.
type Listener struct {
	*elb.Listener
	Attributes   map[string]string
	Certificates []*elb.Certificate
	Rules        []*elb.Rule
}

// Group is a target group with what was set of it.
type Group struct {
	*elb.TargetGroup
	Attributes map[string]string
}

// World is what else there is to know: where machines and other load balancers are, and what SSL policies mean.
type World interface {
	// Machine is where a machine is reached on the network of machines, the zero Addr for nowhere.
	Machine(h elb.Home, instance string) netip.Addr
	// Nodes are the nodes that serve of a load balancer, by its ARN.
	Nodes(arn string) []elb.Node
}

// Cross says whether the nodes of the load balancer send to targets of a group in other zones.
func (b *Balancer) Cross(group string) bool {
	return elb.CrossZone(b.LoadBalancer, b.Attributes, b.Groups[group].Attributes)
}

// Pool is what a node in a zone sends to when it forwards to a group.
func (b *Balancer) Pool(group, zone string) elb.Pool {
	return b.LoadBalancer.PoolOf(group, zone, b.Cross(group))
}

// Part is what the node n does.
func (b *Balancer) Part(n elb.Node) proxyconf.Part {
	p := proxyconf.Part{Name: b.LoadBalancer.PartOf(n).String(), Space: n.Interface}
	for _, l := range b.listeners() {
		if one, ok := b.listener(l); ok {
			p.Listeners = append(p.Listeners, one)
		}
	}
	for _, id := range b.forwarded() {
		p.Clusters = append(p.Clusters, b.cluster(b.Groups[id], n))
	}
	return p
}

func seconds(text string) time.Duration {
	n, _ := strconv.Atoi(text)
	return time.Duration(n) * time.Second
}

func number(text string) int {
	n, _ := strconv.Atoi(text)
	return n
}
