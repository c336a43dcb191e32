package lower

import (
	"net/netip"

	"github.com/berth-ecs/berth/elb"
)

// apply puts a record, or takes it out, and notes what it touches.
func (x *Index) apply(rec any, is bool) {
	switch rec := rec.(type) {
	case *elb.LoadBalancer:
		b := x.balancer(ref{rec.Home, rec.ID})
		b.record = only(rec, is)
		x.reached(rec.ARN())
	case *elb.LoadBalancerStatus:
		b := x.balancer(ref{rec.Home, rec.LoadBalancer})
		b.status = only(rec, is)
		if b.record != nil {
			x.reached(b.record.ARN())
		}
	case *elb.Listener:
		x.port(rec.Home, rec.LoadBalancer, rec.ID).record = only(rec, is)
	case *elb.Rule:
		set(x.port(rec.Home, rec.LoadBalancer, rec.Listener).rules, rec.ID, only(rec, is))
	case *elb.Certificate:
		set(x.port(rec.Home, rec.LoadBalancer, rec.Listener).certificates, rec.ARN, only(rec, is))
	case *elb.Attributes:
		x.attribute(rec, is)
	case *elb.TargetGroup:
		r := ref{rec.Home, rec.ID}
		x.group(r).record = only(rec, is)
		x.reshaped(r)
	case *elb.Target:
		x.target(rec, is)
	case *Machine:
		x.machine(rec, is)
	}
}

// only is a record that is; nil for one that is no more.
func only[T any](rec *T, is bool) *T {
	if !is {
		return nil
	}
	return rec
}

func set[K comparable, T any](all map[K]*T, key K, rec *T) {
	if all[key] = rec; rec == nil {
		delete(all, key)
	}
}

// balancer is a load balancer that is touched.
func (x *Index) balancer(r ref) *balancer {
	x.dirty[r] = struct{}{}
	b := x.balancers[r]
	if b == nil {
		b = &balancer{listeners: map[string]*port{}}
		x.balancers[r] = b
	}
	return b
}

func (x *Index) port(h elb.Home, loadBalancer, listener string) *port {
	b := x.balancer(ref{h, loadBalancer})
	p := b.listeners[listener]
	if p == nil {
		p = &port{rules: map[string]*elb.Rule{}, certificates: map[string]*elb.Certificate{}}
		b.listeners[listener] = p
	}
	return p
}

// group is a group whose endpoints are touched.
func (x *Index) group(r ref) *members {
	x.stale[r] = struct{}{}
	g := x.groups[r]
	if g == nil {
		g = &members{targets: map[elb.TargetKey]*elb.Target{}}
		x.groups[r] = g
	}
	return g
}

// reshaped: what load balancers do with a group changes.
func (x *Index) reshaped(group ref) {
	for b := range x.users[group] {
		x.dirty[b] = struct{}{}
	}
}

// reached: where a load balancer is reached changes, for groups that it is a target of.
func (x *Index) reached(arn string) {
	for g := range x.atBalancer[arn] {
		x.stale[g] = struct{}{}
	}
}

func (x *Index) attribute(a *elb.Attributes, is bool) {
	key := ref{a.Home, a.Of}
	if x.attributes[key] = a.Values; !is {
		delete(x.attributes, key)
	}
	_, kind, p, _ := elb.ParseARN(a.Of)
	switch {
	case kind == "loadbalancer" && len(p) == 3, kind == "listener" && len(p) == 4:
		x.balancer(ref{a.Home, p[2]})
	case kind == "targetgroup" && len(p) == 2:
		x.reshaped(ref{a.Home, p[1]})
	}
}

func (x *Index) target(t *elb.Target, is bool) {
	r := ref{t.Home, t.Group}
	g := x.group(r)
	set(g.targets, t.TargetKey, only(t, is))
	if _, err := netip.ParseAddr(t.ID); err == nil {
		return // an address is where it is
	}
	has := false // at another port
	for k := range g.targets {
		has = has || k.ID == t.ID
	}
	link(x.atMachine, ref{t.Home, t.ID}, r, has)
	link(x.atBalancer, t.ID, r, has)
}

// link notes that something has to do with r, or has not any more.
func link[K comparable](all map[K]refs, key K, r ref, is bool) {
	if is {
		if all[key] == nil {
			all[key] = refs{}
		}
		all[key][r] = struct{}{}
		return
	}
	if delete(all[key], r); len(all[key]) == 0 {
		delete(all, key)
	}
}

func (x *Index) machine(m *Machine, is bool) {
	r := ref{m.Home, m.Instance}
	if is = is && m.Addr.IsValid(); x.machines[r] == m.Addr && is {
		return
	}
	if x.machines[r] = m.Addr; !is {
		delete(x.machines, r)
	}
	for g := range x.atMachine[r] {
		x.stale[g] = struct{}{}
	}
}
