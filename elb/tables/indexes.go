package tables

import (
	"strings"

	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/store"
)

// The indexes. A value of several words is that of Key: of a load balancer, listener or target group by its ID.
var (
	// LoadBalancersByVPC: Key of the VPC's id.
	LoadBalancersByVPC = store.NewIndex(LoadBalancers, "vpc", func(l *elb.LoadBalancer) []string { return []string{Key(l.Home, l.VPC)} })
	// LoadBalancersByHome: All of the home; for counting, the table lists them.
	LoadBalancersByHome = store.NewIndex(LoadBalancers, "home", func(l *elb.LoadBalancer) []string { return []string{All(l.Home)} })
	// LoadBalancersByDNS: the DNS name, which has no large letters.
	LoadBalancersByDNS = store.NewIndex(LoadBalancers, "dns", func(l *elb.LoadBalancer) []string { return []string{strings.ToLower(l.DNSName)} })
	// StatusesByMachine: name of a berth node that is a place of the load balancer.
	StatusesByMachine = store.NewIndex(Statuses, "machine", func(s *elb.LoadBalancerStatus) []string {
		var all []string
		for _, n := range s.Nodes {
			all = append(all, some(n.Machine)...)
		}
		return all
	})
	// PlacesByMachine: name of the berth node that said it.
	PlacesByMachine = store.NewIndex(Places, "machine", func(p *elb.Place) []string { return some(p.Machine) })
	// ListenersByLoadBalancer: Key of the load balancer; for counting, the table lists them.
	ListenersByLoadBalancer = store.NewIndex(Listeners, "loadbalancer", func(l *elb.Listener) []string { return []string{Key(l.Home, l.LoadBalancer)} })
	// ListenersByGroup: Key of a target group that the default actions forward to.
	ListenersByGroup = store.NewIndex(Listeners, "group", func(l *elb.Listener) []string { return groups(l.Home, l.Default) })
	// ListenersByCertificate: ARN of the default certificate.
	ListenersByCertificate = store.NewIndex(Listeners, "certificate", func(l *elb.Listener) []string { return some(l.Certificate) })
	// CertificatesByARN: ARN of the certificate.
	CertificatesByARN = store.NewIndex(Certificates, "arn", func(c *elb.Certificate) []string { return []string{c.ARN} })
	// CertificatesByListener: Key of the listener; for counting, the table lists them.
	CertificatesByListener = store.NewIndex(Certificates, "listener", func(c *elb.Certificate) []string { return []string{Key(c.Home, c.Listener)} })
	// RulesByLoadBalancer: Key of the load balancer; for counting, the table lists them.
	RulesByLoadBalancer = store.NewIndex(Rules, "loadbalancer", func(r *elb.Rule) []string { return []string{Key(r.Home, r.LoadBalancer)} })
	// RulesByListener: Key of the listener; for counting, the table lists them.
	RulesByListener = store.NewIndex(Rules, "listener", func(r *elb.Rule) []string { return []string{Key(r.Home, r.Listener)} })
	// RulesByGroup: Key of a target group that the actions forward to.
	RulesByGroup = store.NewIndex(Rules, "group", func(r *elb.Rule) []string { return groups(r.Home, r.Actions) })
	// TargetGroupsByVPC: Key of the VPC's id.
	TargetGroupsByVPC = store.NewIndex(TargetGroups, "vpc", func(g *elb.TargetGroup) []string {
		if g.VPC == "" {
			return nil
		}
		return []string{Key(g.Home, g.VPC)}
	})
	// TargetGroupsByHome: All of the home; for counting, the table lists them.
	TargetGroupsByHome = store.NewIndex(TargetGroups, "home", func(g *elb.TargetGroup) []string { return []string{All(g.Home)} })
	// TargetsByGroup: Key of the group; for counting, the table lists them. Draining ones are among them.
	TargetsByGroup = store.NewIndex(Targets, "group", func(t *elb.Target) []string { return []string{Key(t.Home, t.Group)} })
	// TargetsByID: id of the target: an address, an instance or the ARN of a load balancer.
	TargetsByID = store.NewIndex(Targets, "id", func(t *elb.Target) []string { return []string{t.ID} })
	// TargetsByOwner: the owner, of those that have one.
	TargetsByOwner = store.NewIndex(Targets, "owner", func(t *elb.Target) []string { return some(t.Owner) })
	// TargetsOwned: "", those that have an owner.
	TargetsOwned = store.NewIndex(Targets, "owned", func(t *elb.Target) []string { return one(t.Owner != "") })
	// TargetsDraining: "", those that were deregistered.
	TargetsDraining = store.NewIndex(Targets, "draining", func(t *elb.Target) []string { return one(!t.DrainingSince.IsZero()) })
	// HealthsByGroup: Key of the group; for counting, the table lists them.
	HealthsByGroup = store.NewIndex(TargetHealths, "group", func(r *elb.TargetHealth) []string { return []string{Key(r.Home, r.Group)} })
	// HealthsByLoadBalancer: Key of the load balancer that looked.
	HealthsByLoadBalancer = store.NewIndex(TargetHealths, "loadbalancer", func(r *elb.TargetHealth) []string { return []string{Key(r.Home, r.LoadBalancer)} })
)

// groups are the Keys of all target groups of actions.
func groups(h elb.Home, actions []elb.Action) []string {
	var all []string
	for _, a := range actions {
		for _, g := range a.Groups {
			all = append(all, Key(h, g.Group))
		}
	}
	return all
}

func some(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

// one is the value of an index that only says yes or no.
func one(yes bool) []string {
	if !yes {
		return nil
	}
	return []string{""}
}
