package lower

import (
	"reflect"

	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/proxyconf"
)

// Balancer is a load balancer with all that belongs to it, of the records that the index has; nil when there is none.
func (x *Index) Balancer(h elb.Home, id string) *Balancer {
	b := x.balancers[ref{h, id}]
	if b == nil || b.record == nil {
		return nil
	}
	out := &Balancer{LoadBalancer: b.record, Attributes: x.attributes[ref{h, b.record.ARN()}], Groups: map[string]Group{}}
	for _, p := range b.listeners {
		if p.record == nil {
			continue
		}
		l := Listener{Listener: p.record, Attributes: x.attributes[ref{h, b.record.ListenerARN(p.record.ID)}]}
		for _, c := range p.certificates {
			l.Certificates = append(l.Certificates, c)
		}
		for _, r := range p.rules {
			l.Rules = append(l.Rules, r)
		}
		out.Listeners = append(out.Listeners, l)
	}
	for id := range out.Named() {
		if g := x.groups[ref{h, id}]; g != nil && g.record != nil {
			out.Groups[id] = Group{TargetGroup: g.record, Attributes: x.attributes[ref{h, g.record.ARN()}]}
		}
	}
	return out
}

// Named are the IDs of all groups that an action names, whether there is such a group or not.
func (b *Balancer) Named() map[string]struct{} {
	found := map[string]struct{}{}
	add := func(actions []elb.Action) {
		for _, a := range actions {
			for _, w := range a.Groups {
				found[w.Group] = struct{}{}
			}
		}
	}
	for _, l := range b.Listeners {
		add(l.Default)
		for _, r := range l.Rules {
			add(r.Actions)
		}
	}
	return found
}

// remake makes the parts of a load balancer.
func (x *Index) remake(r ref) {
	b, whole := x.balancers[r], x.Balancer(r.Home, r.id)
	for id := range b.uses {
		link(x.users, ref{r.Home, id}, r, false)
	}
	b.uses = nil
	next := map[PartKey]proxyconf.Part{}
	if whole != nil {
		b.uses = whole.Named()
		for id := range b.uses {
			link(x.users, ref{r.Home, id}, r, true)
		}
	}
	if whole != nil && b.status != nil {
		for _, n := range b.status.Nodes {
			if n.Machine == "" || n.Interface == "" {
				continue
			}
			x.work.Parts++
			p := whole.Part(n)
			next[PartKey{Place{r.Home, n.Machine}, p.Name}] = p
		}
	}
	x.tell(b, next)
	b.forget()
	if b.record == nil && b.status == nil && len(b.listeners) == 0 {
		delete(x.balancers, r)
	}
}

// forget drops listeners of which there is nothing any more.
func (b *balancer) forget() {
	for id, p := range b.listeners {
		if p.record == nil && len(p.rules) == 0 && len(p.certificates) == 0 {
			delete(b.listeners, id)
		}
	}
}

// tell notes how the parts of a load balancer change.
func (x *Index) tell(b *balancer, next map[PartKey]proxyconf.Part) {
	for key, p := range next {
		was, had := b.told[key]
		if had && reflect.DeepEqual(was, p) {
			continue
		}
		x.delta.Parts = append(x.delta.Parts, PlacedPart{key.Place, p})
		x.count(key.Place.Home, p, 1)
		if had {
			x.count(key.Place.Home, was, -1)
		}
	}
	for key, was := range b.told {
		if _, is := next[key]; !is {
			x.delta.PartsGone = append(x.delta.PartsGone, key)
			x.count(key.Place.Home, was, -1)
		}
	}
	b.told = next
}

// count notes which endpoints and secrets a part has, or has not any more.
func (x *Index) count(h elb.Home, p proxyconf.Part, by int) {
	for _, c := range p.Clusters {
		x.use(h, c.Endpoints, by)
	}
	for _, l := range p.Listeners {
		if l.TLS == nil {
			continue
		}
		for _, arn := range l.TLS.Certificates {
			if _, seen := x.before[arn]; !seen {
				x.before[arn] = x.secrets[arn] > 0
			}
			x.secrets[arn] += by
		}
	}
}

func (x *Index) use(h elb.Home, name string, by int) {
	p, ok := elb.ParsePool(name)
	if !ok {
		return
	}
	r := ref{h, p.Group}
	if x.poolsOf[r] == nil {
		x.poolsOf[r] = map[string]*pool{}
	}
	if x.poolsOf[r][name] == nil {
		x.poolsOf[r][name] = &pool{Pool: p}
	}
	x.poolsOf[r][name].users += by
	x.touched[name] = r
}

// settlePools fills pools that are new, and empties those that nobody uses.
func (x *Index) settlePools() {
	for name, r := range x.touched {
		p := x.poolsOf[r][name]
		if p.users > 0 {
			if p.told.Name == "" {
				x.refill(p)
			}
			continue
		}
		if p.told.Name != "" {
			x.delta.EndpointsGone = append(x.delta.EndpointsGone, name)
		}
		delete(x.poolsOf[r], name)
		if len(x.poolsOf[r]) == 0 {
			delete(x.poolsOf, r)
		}
	}
}

// refill makes the endpoints of a pool.
func (x *Index) refill(p *pool) {
	if x.filled[p.String()] {
		return
	}
	x.filled[p.String()] = true
	x.work.Endpoints++
	next := proxyconf.Endpoints{Name: p.String()}
	if g := x.groups[ref{p.Home, p.Group}]; g != nil && g.record != nil {
		all := make([]*elb.Target, 0, len(g.targets))
		for _, t := range g.targets {
			all = append(all, t)
		}
		next = Endpoints(p.Pool, g.record, all, x)
	}
	if !reflect.DeepEqual(p.told, next) {
		p.told = next
		x.delta.Endpoints = append(x.delta.Endpoints, next)
	}
}
