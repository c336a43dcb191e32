package elb

import (
	"fmt"
	"strings"
)

// Home is the account and region a record belongs to. It is the first part of every key.
type Home struct {
	Account string
	Region  string
}

// Pair is a tag, or a parameter of a query.
type Pair struct{ Key, Value string }

func (h Home) arn(rest string) string {
	return fmt.Sprintf("arn:aws:elasticloadbalancing:%s:%s:%s", h.Region, h.Account, rest)
}

// short is the word of a load balancer's type in ARNs.
func (l *LoadBalancer) short() string {
	if l.Type == TypeNetwork {
		return "net"
	}
	return "app"
}

// Path names it within ARNs, and in the description of its interfaces: app/<name>/<id>.
func (l *LoadBalancer) Path() string { return l.short() + "/" + l.Name + "/" + l.ID }

// ARN names it.
func (l *LoadBalancer) ARN() string { return l.arn("loadbalancer/" + l.Path()) }

// ListenerARN names a listener of it.
func (l *LoadBalancer) ListenerARN(listener string) string {
	return l.arn("listener/" + l.Path() + "/" + listener)
}

// RuleARN names a rule of a listener of it.
func (l *LoadBalancer) RuleARN(listener, rule string) string {
	return l.arn("listener-rule/" + l.Path() + "/" + listener + "/" + rule)
}

// ARN names it.
func (g *TargetGroup) ARN() string { return g.arn("targetgroup/" + g.Name + "/" + g.ID) }

// Types of load balancers.
const (
	TypeApplication = "application"
	TypeNetwork     = "network"
)

// ParseARN takes an ARN of Elastic Load Balancing apart: the home, what it names (loadbalancer, listener, listener-rule, targetgroup) and the
// parts behind that.
func ParseARN(arn string) (h Home, kind string, parts []string, ok bool) {
	p := strings.SplitN(arn, ":", 6)
	if len(p) != 6 || p[0] != "arn" || p[2] != "elasticloadbalancing" {
		return h, "", nil, false
	}
	parts = strings.Split(p[5], "/")
	return Home{Account: p[4], Region: p[3]}, parts[0], parts[1:], len(parts) > 1
}

// BadARN is the error of what is no ARN of a kind.
func BadARN(kind, arn string) error {
	what, ok := map[string]string{"loadbalancer": "load balancer", "listener": "listener", "listener-rule": "listener rule", "targetgroup": "target group"}[kind]
	if !ok {
		what = kind
	}
	return Invalid("'%s' is not a valid %s ARN", arn, what)
}

// States of a load balancer.
const (
	StateProvisioning = "provisioning"
	StateActive       = "active"
	StateImpaired     = "active_impaired"
	StateFailed       = "failed"
)

// DefaultRule is the rule that takes what no other does: a part of the listener. Its Priority is 0.
func (l *Listener) DefaultRule() *Rule {
	return &Rule{Home: l.Home, LoadBalancer: l.LoadBalancer, Listener: l.ID, ID: l.DefaultRuleID(), Actions: l.Default, CreatedAt: l.CreatedAt}
}

// DefaultRuleID is made of the listener's: the default rule has no record. Half of the digits are turned around, so that no ID looks like another.
func (l *Listener) DefaultRuleID() string {
	id := []byte(l.ID)
	for i := range id {
		id[i] = turned[l.ID[len(l.ID)-1-i]]
	}
	return string(id)
}

// turned is another hex digit for each.
var turned = func() (t [256]byte) {
	for i := range t {
		t[i] = byte(i)
	}
	for i, c := range []byte("0123456789abcdef") {
		t[c] = "5f8c1e63d0b94a27"[i]
	}
	return t
}()
