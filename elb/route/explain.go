package route

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/elb/lower"
)

// State is how things are behind a load balancer.
type State struct {
	Nodes   []elb.Node                     // of the load balancer
	Targets map[string][]*elb.Target       // by group's ID
	Healths map[string][]*elb.TargetHealth // by group's ID: what this load balancer's nodes say
	World   lower.World
}

// Answer is an explanation.
type Answer struct {
	LoadBalancer string
	Nodes        []Node
	Decision     Decision
	Groups       []Group
	Served       bool   // the request gets an answer that the load balancer was told to give
	Verdict      string // in a sentence
}

// Node is a place where a client may reach the load balancer.
type Node struct {
	Zone, Machine string
	Private       netip.Addr
	Public        netip.Addr `json:",omitzero"`
	Serves        bool
}

// Group is a target group that the request may go to.
type Group struct {
	ARN, Name     string
	Weight, Total int32
	Candidates    []Candidate
	Open          []string // zones whose nodes send to every target, because too few are healthy
	Closed        []string // zones whose nodes have nobody to send to
}

// Candidate is a target at one of its addresses.
type Candidate struct {
	Target, Zone string
	Addr         netip.AddrPort
	From         []string `json:",omitempty"` // zones whose nodes send to it
	State        string   // as DescribeTargetHealth has it
	Why          string   // it is sent to, or not
}

// Explain follows a request to its targets.
func Explain(b *lower.Balancer, s State, q Request) Answer {
	a := Answer{LoadBalancer: b.LoadBalancer.ARN(), Decision: Decide(b, q)}
	var serving []elb.Node
	for _, n := range s.Nodes {
		a.Nodes = append(a.Nodes, Node{Zone: n.Zone, Machine: n.Machine, Private: n.Private, Public: n.Public, Serves: n.Serving})
		if n.Serving {
			serving = append(serving, n)
		}
	}
	var total int32
	for _, w := range a.Decision.Groups {
		total += w.Weight
	}
	for _, w := range a.Decision.Groups {
		g := groupOf(b, s, serving, w.Group)
		g.Weight, g.Total = w.Weight, total
		a.Groups = append(a.Groups, g)
	}
	a.Served, a.Verdict = a.verdict(len(serving) > 0, b.LoadBalancer.Type == elb.TypeNetwork)
	return a
}

// seat is where a target is looked at from.
type seat struct {
	node elb.Node
	pool elb.Pool
	open bool // too few are healthy: all are sent to
	some bool // it has somebody to send to
}

// groupOf is who of a group gets requests from which node.
func groupOf(b *lower.Balancer, s State, serving []elb.Node, id string) Group {
	g := b.Groups[id]
	out := Group{ARN: g.ARN(), Name: g.Name}
	var seats []*seat
	for _, n := range serving {
		seats = append(seats, &seat{node: n, pool: b.Pool(id, n.Zone)})
	}
	for _, c := range seats {
		c.look(g, s)
		if c.open {
			out.Open = append(out.Open, c.node.Zone)
		}
		if !c.some {
			out.Closed = append(out.Closed, c.node.Zone)
		}
	}
	for _, t := range s.Targets[id] {
		hosts := lower.Hosts(g.TargetGroup, t, s.World)
		if len(hosts) == 0 {
			out.Candidates = append(out.Candidates, Candidate{Target: name(t), Zone: t.Place, State: elb.Unused, Why: "it has no address here"})
		}
		for _, h := range hosts {
			c := Candidate{Target: name(t), Zone: h.Zone, Addr: h.Addr}
			c.judge(g, t, seats, s)
			out.Candidates = append(out.Candidates, c)
		}
	}
	slices.SortFunc(out.Candidates, func(x, y Candidate) int { return cmp.Or(cmp.Compare(x.Target, y.Target), x.Addr.Compare(y.Addr)) })
	return out
}

func name(t *elb.Target) string { return fmt.Sprintf("%s:%d", t.ID, t.Port) }

// look counts a node's healthy targets.
func (c *seat) look(g lower.Group, s State) {
	all, healthy := 0, 0
	e := lower.Endpoints(c.pool, g.TargetGroup, s.Targets[g.ID], s.World)
	for _, h := range e.Hosts {
		if h.Draining {
			continue
		}
		all++
		if t := targetAt(g, s, h.Addr); t != nil && seen(s, t, c.node, h.Addr.Addr()).State == elb.Healthy || !g.Check.Enabled {
			healthy++
		}
	}
	c.some = all > 0
	c.open = all > 0 && g.FailsOpen(g.Attributes, healthy, all)
}

func targetAt(g lower.Group, s State, at netip.AddrPort) *elb.Target {
	for _, t := range s.Targets[g.ID] {
		for _, h := range lower.Hosts(g.TargetGroup, t, s.World) {
			if h.Addr == at && t.DrainingSince.IsZero() {
				return t
			}
		}
	}
	return nil
}

// seen is what a node says of a target at an address; nothing, maybe.
func seen(s State, t *elb.Target, n elb.Node, at netip.Addr) elb.TargetHealth {
	for _, h := range s.Healths[t.Group] {
		if h.TargetKey == t.TargetKey && h.Interface == n.Interface && h.Addr == at {
			return *h
		}
	}
	return elb.TargetHealth{State: elb.Initial, Reason: "Elb.RegistrationInProgress"}
}

// judge says which nodes send to a candidate, and why the others do not.
func (c *Candidate) judge(g lower.Group, t *elb.Target, seats []*seat, s State) {
	if !t.DrainingSince.IsZero() {
		c.State, c.Why = elb.Draining, "it is deregistered: what is under way ends, and nothing new begins"
		return
	}
	var why []string
	for _, at := range seats {
		p := at.pool
		inside := p.Has(t)
		if g.Type == elb.TargetALB {
			inside = slices.Contains(p.Zones, c.Zone)
		}
		if !inside {
			why = append(why, fmt.Sprintf("from %s it is in another zone (%s), and zones are not crossed", at.node.Zone, cmp.Or(c.Zone, "none")))
			continue
		}
		h := seen(s, t, at.node, c.Addr.Addr())
		c.State = worse(c.State, h.State)
		switch {
		case h.State == elb.Healthy, !g.Check.Enabled:
			c.From = append(c.From, at.node.Zone)
		case at.open:
			c.From = append(c.From, at.node.Zone)
			why = append(why, fmt.Sprintf("from %s it is %s, as too many are: then all are sent to", at.node.Zone, said(h)))
		default:
			why = append(why, fmt.Sprintf("from %s it is %s", at.node.Zone, said(h)))
		}
	}
	if c.State = cmp.Or(c.State, elb.Unused); len(why) == 0 {
		why = []string{"it is healthy"}
	}
	c.Why = strings.Join(why, "; ")
}

// worse is the state of two that a client of the API is told: healthy while one says so, initial before that.
func worse(a, b string) string {
	order := []string{"", elb.Unhealthy, elb.Healthy, elb.Initial}
	if slices.Index(order, a) > slices.Index(order, b) {
		return a
	}
	return b
}

func said(h elb.TargetHealth) string {
	out := h.State
	if h.Reason != "" {
		out += " (" + h.Reason + ")"
	}
	if h.Description != "" {
		out += ": " + h.Description
	}
	return out
}

// verdict is what comes of it.
func (a *Answer) verdict(serves, network bool) (bool, string) {
	d := a.Decision
	switch {
	case !serves:
		return false, "no node of the load balancer serves yet: nobody answers"
	case d.Listener == "" || d.Rule() == nil:
		return false, d.Why
	case d.Action != "forward":
		return true, d.Why
	case len(a.Groups) == 0:
		return false, d.Why
	}
	var to, dead []string
	for _, g := range a.Groups {
		n := 0
		for _, c := range g.Candidates {
			if len(c.From) > 0 {
				n++
			}
		}
		if n > 0 {
			to = append(to, fmt.Sprintf("%s (%d)", g.Name, n))
		}
		if len(g.Closed) > 0 {
			dead = append(dead, fmt.Sprintf("%s has no target for nodes in %s", g.Name, strings.Join(slices.Compact(g.Closed), " and ")))
		}
	}
	refusal := "it is answered with 503"
	if network {
		refusal = "the connection is closed"
	}
	switch {
	case len(to) == 0:
		return false, refusal + ": " + strings.Join(dead, "; ")
	case len(dead) > 0:
		return true, "it goes to a target of " + strings.Join(to, " or ") + "; but " + refusal + " where " + strings.Join(dead, "; ")
	}
	return true, "it goes to a target of " + strings.Join(to, " or ")
}
