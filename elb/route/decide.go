package route

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/elb/lower"
)

// Tried is a rule, in the order in which they are tried.
type Tried struct {
	ARN      string
	Priority int32 // 0: the default one
	Takes    bool
	Findings []Finding // up to the one that does not hold; all of a rule that takes the request
}

// Answers of the load balancer's own.
const (
	moved       = 301
	found       = 302
	badRequest  = 400
	unavailable = 503
)

// Decision is which way a request takes.
type Decision struct {
	Listener string // ARN; "" when nothing listens
	Protocol string // of the listener
	Tried    []Tried
	Action   string `json:",omitempty"` // forward, redirect or fixed-response
	Groups   []elb.Weighted
	Sticky   bool   `json:",omitempty"` // the client stays with one of Groups
	Status   int    `json:",omitempty"` // of the load balancer's own answer; 0: a target answers, or nobody
	Location string `json:",omitempty"` // of a redirect
	Body     string `json:",omitempty"` // of a fixed response
	Why      string // in a sentence
}

// Rule is the rule that takes the request; nil when none was asked.
func (d *Decision) Rule() *Tried {
	if n := len(d.Tried); n > 0 && d.Tried[n-1].Takes {
		return &d.Tried[n-1]
	}
	return nil
}

// Decide follows a request to what becomes of it.
func Decide(b *lower.Balancer, q Request) Decision {
	var d Decision
	l := listener(b, q.Port)
	if l == nil {
		d.Why = fmt.Sprintf("nothing listens on port %d: the connection is refused", q.Port)
		return d
	}
	d.Listener, d.Protocol = b.LoadBalancer.ListenerARN(l.ID), l.Protocol
	rules := lower.InOrder(l.Listener, l.Rules)
	switch {
	case b.LoadBalancer.Type == elb.TypeNetwork:
		rules = rules[len(rules)-1:] // there are no others
	case q.Protocol == "http" && l.Protocol == elb.HTTPS:
		d.Status, d.Why = badRequest, "the listener speaks HTTPS, and the request is plain HTTP"
		return d
	case q.Protocol != "http" && l.Protocol == elb.HTTP:
		d.Why = "the listener speaks plain HTTP: no TLS connection begins"
		return d
	}
	for _, r := range rules {
		t := try(b.LoadBalancer.RuleARN(l.ID, r.ID), r, q)
		d.Tried = append(d.Tried, t)
		if t.Takes {
			d.act(b, r, q)
			break
		}
	}
	return d
}

func listener(b *lower.Balancer, port uint16) *lower.Listener {
	i := slices.IndexFunc(b.Listeners, func(l lower.Listener) bool { return l.Port == int32(port) })
	if i < 0 {
		return nil
	}
	return &b.Listeners[i]
}

// try holds a rule against a request.
func try(arn string, r *elb.Rule, q Request) Tried {
	t := Tried{ARN: arn, Priority: r.Priority, Takes: true}
	for _, c := range r.Conditions {
		f := holds(c, q)
		t.Findings = append(t.Findings, f)
		if !f.Holds {
			return Tried{ARN: arn, Priority: r.Priority, Findings: []Finding{f}}
		}
	}
	return t
}

// act does what a rule says.
func (d *Decision) act(b *lower.Balancer, r *elb.Rule, q Request) {
	if len(r.Actions) == 0 {
		d.Status, d.Why = unavailable, "the rule has no action"
		return
	}
	a := slices.MaxFunc(r.Actions, func(x, y elb.Action) int { return cmp.Compare(x.Order, y.Order) })
	switch {
	case a.Redirect != nil:
		d.Action, d.Status, d.Location = "redirect", found, location(a.Redirect, d.Protocol, q)
		if a.Redirect.Status == "HTTP_301" {
			d.Status = moved
		}
		d.Why = fmt.Sprintf("it is answered with %d, to %s", d.Status, d.Location)
	case a.Fixed != nil:
		d.Action, d.Body = "fixed-response", a.Fixed.Body
		d.Status, _ = strconv.Atoi(a.Fixed.Status)
		d.Why = fmt.Sprintf("it is answered with %d by the load balancer itself", d.Status)
	default:
		d.forward(b, a)
	}
}

// forward leaves the groups that there are and that have a share.
func (d *Decision) forward(b *lower.Balancer, a elb.Action) {
	d.Action, d.Sticky = "forward", a.Sticky > 0
	for _, w := range a.Groups {
		if _, ok := b.Groups[w.Group]; ok && w.Weight > 0 {
			d.Groups = append(d.Groups, w)
		}
	}
	switch {
	case len(d.Groups) > 0:
		d.Why = "it is forwarded to " + b.Groups[d.Groups[0].Group].Name
		if len(d.Groups) > 1 {
			d.Why = fmt.Sprintf("it is forwarded to one of %d target groups", len(d.Groups))
		}
	case b.LoadBalancer.Type == elb.TypeNetwork:
		d.Why = "no target group has a weight: the connection is refused"
	default:
		d.Status, d.Why = unavailable, "no target group of the action has a weight: it is answered with 503"
	}
}

// location is where a redirect leads.
func location(r *elb.Redirect, protocol string, q Request) string {
	fill := strings.NewReplacer("#{protocol}", strings.ToLower(protocol), "#{host}", q.Host, "#{port}", strconv.Itoa(int(q.Port)),
		"#{path}", strings.TrimPrefix(q.Path, "/"), "#{query}", q.Query)
	of := func(v, otherwise string) string { return fill.Replace(cmp.Or(v, otherwise)) }
	out := strings.ToLower(of(r.Protocol, "#{protocol}")) + "://" + of(r.Host, "#{host}") + ":" + of(r.Port, "#{port}") + of(r.Path, "/#{path}")
	if query := fill.Replace(r.Query); query != "" {
		out += "?" + query
	}
	return out
}
