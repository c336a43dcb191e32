package rules

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"github.com/berth-ecs/berth/node/network/router/ruleset"
	"github.com/berth-ecs/berth/nodeconf"
)

// Plan knows which fragments the router of a VPC has, and which of them a change of the configuration makes anew. Not safe for
// concurrent use.
type Plan struct {
	vpc     string
	have    map[string]bool               // fragments by key
	ifaces  map[string]nodeconf.Interface // as they are rendered
	groups  map[string][]string           // groups that a group's rules name
	refs    map[string]int                // how many groups name a group
	combs   map[string]int                // how many interfaces have a combination of groups
	closed  map[string]bool               // subnets whose ACL does not let everything in
	acl     map[string]bool               // fragments that have something of an ACL
	public  map[string]bool               // fragments that need translations
	targets map[string]bool               // interfaces that routes name
	next    map[string]ruleset.Fragment   // of the change at hand
	gone    map[string]bool               // of the change at hand
	failed  map[string]error              // of the change at hand: interfaces that cannot be
	broken  map[string]bool               // interfaces that could not be
	owners  map[owned]string              // which interface has an address
	refused map[string]error              // subnets and NAT gateways that contradict others
	remotes map[string]bool               // interfaces on other nodes
}

// NewPlan is of a router without rules.
func NewPlan(vpc string) *Plan {
	return &Plan{
		vpc: vpc, have: map[string]bool{}, ifaces: map[string]nodeconf.Interface{}, groups: map[string][]string{}, refs: map[string]int{},
		combs: map[string]int{}, closed: map[string]bool{}, acl: map[string]bool{}, public: map[string]bool{}, targets: map[string]bool{}, broken: map[string]bool{},
		owners: map[owned]string{}, remotes: map[string]bool{},
	}
}

// Targets are the interfaces that routes name.
func (p *Plan) Targets() map[string]bool { return p.targets }

// Change is what is different of a router's fragments.
type Change struct {
	Set    map[string]ruleset.Fragment
	Gone   []string
	Failed map[string]error // what has no fragment or not all of it, and why
}

// Everything names every resource of a configuration.
func Everything(c *nodeconf.Resources) []nodeconf.Key {
	return Keys(nodeconf.Delta{Set: *c})
}

// Keys are the resources that a change touches.
func Keys(d nodeconf.Delta) []nodeconf.Key {
	out := slices.Clone(d.Gone)
	s := &d.Set
	out = keys(out, "VPCs", s.VPCs)
	out = keys(out, "Subnets", s.Subnets)
	out = keys(out, "ACLs", s.ACLs)
	out = keys(out, "RouteTables", s.RouteTables)
	out = keys(out, "NATs", s.NATs)
	out = keys(out, "Groups", s.Groups)
	out = keys(out, "Members", s.Members)
	out = keys(out, "Remotes", s.Remotes)
	return keys(out, "Interfaces", s.Interfaces)
}

func keys[V any](out []nodeconf.Key, kind string, m map[string]V) []nodeconf.Key {
	for id := range m {
		out = append(out, nodeconf.Key{Kind: kind, ID: id})
	}
	return out
}

// Update says what is different now that the resources of the keys are, of a configuration that has them as they are now.
func (p *Plan) Update(c *nodeconf.Resources, touched []nodeconf.Key) Change {
	p.next, p.gone, p.failed = map[string]ruleset.Fragment{}, map[string]bool{}, map[string]error{}
	v, exists := c.VPCs[p.vpc]
	if !exists {
		return p.nothing()
	}
	ground := !p.have["sets"]
	if ground { // what else is there may have been there before the VPC
		p.set("sets", Sets())
		touched = Everything(c)
	}
	ids := map[string]bool{}
	for _, k := range touched {
		switch k.Kind {
		case "VPCs":
			if k.ID == p.vpc {
				p.set("vpc", VPC(v))
				ground = true
			}
		case "Subnets", "ACLs", "RouteTables", "NATs":
			ground = ground || p.concerns(c, k)
		case "Interfaces":
			ids[k.ID] = true
			ground = ground || p.targets[k.ID]
		case "Groups":
			p.group(c, k.ID)
		case "Members":
			p.member(c, k.ID)
		case "Remotes":
			p.remote(c, k.ID)
		}
	}
	if ground {
		p.subnets(c, v, ids)
	}
	for id := range p.broken { // what was missing may be there now
		ids[id] = true
	}
	for id := range ids { // first, so that an address may move
		p.disown(id)
	}
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		p.iface(c, id)
	}
	p.hooks()
	maps.Copy(p.failed, p.refused)
	return Change{p.next, slices.Sorted(maps.Keys(p.gone)), p.failed}
}

// nothing is left of a VPC that is gone.
func (p *Plan) nothing() Change {
	gone := slices.Sorted(maps.Keys(p.have))
	*p = *NewPlan(p.vpc)
	return Change{Gone: gone}
}

func (p *Plan) set(key string, f ruleset.Fragment) {
	p.next[key], p.have[key] = f, true
	delete(p.gone, key)
}

func (p *Plan) unset(key string) {
	delete(p.next, key)
	if p.have[key] {
		delete(p.have, key)
		p.gone[key] = true
	}
}

// put sets a fragment that may be empty.
func (p *Plan) put(key string, f ruleset.Fragment) {
	if len(f.Sets)+len(f.Chains)+len(f.Elements) == 0 {
		p.unset(key)
		return
	}
	p.set(key, f)
}

// concerns: what is gone from the configuration may have been of this VPC.
func (p *Plan) concerns(c *nodeconf.Resources, k nodeconf.Key) bool {
	vpc, exists := "", false
	switch k.Kind {
	case "Subnets":
		x, ok := c.Subnets[k.ID]
		vpc, exists = x.VPC, ok
	case "ACLs":
		x, ok := c.ACLs[k.ID]
		vpc, exists = x.VPC, ok
	case "RouteTables":
		x, ok := c.RouteTables[k.ID]
		vpc, exists = x.VPC, ok
	case "NATs":
		x, ok := c.NATs[k.ID]
		vpc, exists = x.VPC, ok
	}
	return !exists || vpc == p.vpc
}

// subnets renders all of them, with the gateways in them: there are few, and each depends on several others.
func (p *Plan) subnets(c *nodeconf.Resources, v nodeconf.VPC, ifaces map[string]bool) {
	p.findTargets(c)
	stale := p.places()
	p.refused = map[string]error{}
	turned, bases, taken := map[string]bool{}, claims[netip.Addr]{}, claims[netip.Addr]{}
	for _, id := range slices.Sorted(maps.Keys(c.Subnets)) {
		s := c.Subnets[id]
		if s.VPC != p.vpc || !s.CIDR.Addr().Is4() {
			continue
		}
		acl, routes := ACL(s, c.ACLs[s.ACL], Resolver(v)), Routes(c, s)
		if err := bases.take(id, s.CIDR.Addr()); err != nil { // it has the other's routes and outbound ACL
			p.refused[id] = err
			acl.Elements, routes = nil, ruleset.Fragment{}
		}
		flag(p.acl, "subnet/"+id, len(acl.Chains) > 0)
		p.put("subnet/"+id, join(acl, routes))
		delete(stale, "subnet/"+id)
		if shut := !open(c.ACLs[s.ACL].Ingress); shut != p.closed[id] {
			turned[id] = true
			flag(p.closed, id, shut)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(c.NATs)) {
		if n := c.NATs[id]; n.VPC == p.vpc {
			if err := usable(n, taken); err != nil {
				p.refused[id] = err
				continue
			}
			f := NAT(c, n)
			flag(p.public, "nat/"+id, len(f.Elements) > 0)
			p.put("nat/"+id, f)
			delete(stale, "nat/"+id)
		}
	}
	for key := range stale {
		p.unset(key)
		delete(p.acl, key)
		delete(p.public, key)
		if id, is := after(key, "subnet/"); is {
			delete(p.closed, id)
		}
	}
	for id, i := range c.Interfaces {
		if i.VPC == p.vpc && turned[i.Subnet] {
			ifaces[id] = true
		}
	}
}

// findTargets notes the interfaces that routes lead to.
func (p *Plan) findTargets(c *nodeconf.Resources) {
	p.targets = map[string]bool{}
	for _, t := range c.RouteTables {
		for _, r := range t.Routes {
			if t.VPC == p.vpc && r.Kind == nodeconf.ToInterface {
				p.targets[r.Target] = true
			}
		}
	}
}

// places are the keys of subnets and gateways that there are.
func (p *Plan) places() map[string]bool {
	out := map[string]bool{}
	for key := range p.have {
		_, subnet := after(key, "subnet/")
		_, nat := after(key, "nat/")
		if subnet || nat {
			out[key] = true
		}
	}
	return out
}

func after(key, prefix string) (string, bool) {
	if len(key) < len(prefix) || key[:len(prefix)] != prefix {
		return "", false
	}
	return key[len(prefix):], true
}

func flag(m map[string]bool, key string, on bool) {
	if on {
		m[key] = true
	} else {
		delete(m, key)
	}
}

func join(a, b ruleset.Fragment) ruleset.Fragment {
	return ruleset.Fragment{
		Sets: append(a.Sets, b.Sets...), Chains: append(a.Chains, b.Chains...), Elements: append(a.Elements, b.Elements...),
	}
}

// hooks puts chains of hooks there only when something needs them: each costs every packet.
func (p *Plan) hooks() {
	acl, nat := len(p.acl) > 0, len(p.public) > 0
	for _, h := range []struct {
		key  string
		want bool
		make func() ruleset.Fragment
	}{{"hook/acl", acl, ACLs}, {"hook/nat", nat, Translations}, {"hook/acl-late", acl && nat, LateACLs}, {"overlay", len(p.remotes) > 0, Crossing}} {
		if h.want && !p.have[h.key] {
			p.set(h.key, h.make())
		}
		if !h.want {
			p.unset(h.key)
		}
	}
}

func (p *Plan) iface(c *nodeconf.Resources, id string) {
	old, had := p.ifaces[id]
	i, exists := c.Interfaces[id]
	exists = exists && i.VPC == p.vpc
	if !exists && !had {
		delete(p.broken, id)
		return
	}
	var f ruleset.Fragment
	var err error
	if exists {
		if f, err = Interface(c, i); err == nil {
			err = p.own(i)
		}
		if err != nil {
			p.failed[id] = err
			exists = false
		}
	}
	flag(p.broken, id, err != nil)
	if exists {
		p.ifaces[id] = i
		p.combine(i.Groups, 1)
		p.set(Key(id), f)
	} else {
		delete(p.ifaces, id)
		p.unset(Key(id))
	}
	if had {
		p.combine(old.Groups, -1)
	}
	flag(p.public, Key(id), exists && len(i.Public) > 0)
}

func (p *Plan) combine(groups []string, n int) {
	name := Combination(groups)
	p.combs[name] += n
	switch {
	case len(groups) < 2:
	case p.combs[name] > 0 && !p.have["groups/"+name]:
		p.set("groups/"+name, Combined(groups))
	case p.combs[name] == 0:
		p.unset("groups/" + name)
	}
	if p.combs[name] == 0 {
		delete(p.combs, name)
	}
}

func (p *Plan) group(c *nodeconf.Resources, id string) {
	g, exists := c.Groups[id]
	exists = exists && g.VPC == p.vpc
	old := p.groups[id]
	delete(p.groups, id)
	if exists {
		p.groups[id] = named(g)
		for _, to := range p.groups[id] {
			p.refer(c, to, 1)
		}
		p.set("group/"+id, Group(g))
	} else {
		p.unset("group/" + id)
	}
	for _, to := range old {
		p.refer(c, to, -1)
	}
}

// named are the groups that a group's rules name.
func named(g nodeconf.Group) []string {
	var out []string
	for _, a := range slices.Concat(g.Ingress, g.Egress) {
		if a.Group != "" {
			out = append(out, a.Group)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// refer counts who names a group; its members are there as long as somebody does.
func (p *Plan) refer(c *nodeconf.Resources, group string, n int) {
	before := p.refs[group]
	p.refs[group] += n
	switch {
	case before == 0:
		p.set("members/"+group, Members(group))
		for key, m := range c.Members {
			if m.Group == group {
				p.put("member/"+key, Member(m))
			}
		}
	case p.refs[group] == 0:
		delete(p.refs, group)
		p.unset("members/" + group)
		for key := range p.have {
			if _, is := after(key, fmt.Sprintf("member/%s/", group)); is {
				p.unset(key)
			}
		}
	}
}

func (p *Plan) member(c *nodeconf.Resources, key string) {
	m, exists := c.Members[key]
	if exists && p.refs[m.Group] > 0 {
		p.put("member/"+key, Member(m))
		return
	}
	p.unset("member/" + key)
}

func (p *Plan) remote(c *nodeconf.Resources, id string) {
	r, exists := c.Remotes[id]
	var f ruleset.Fragment
	if exists && r.VPC == p.vpc {
		f = Remote(r)
	}
	flag(p.remotes, id, len(f.Elements) > 0)
	p.put("remote/"+id, f)
}
