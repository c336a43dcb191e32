package tables

import (
	"iter"
	"maps"
	"slices"

	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/store"
)

// LoadBalancer answers the load balancer of an ARN, guarded, or AWS's error.
func LoadBalancer(tx store.Tx, h elb.Home, arn string) (*elb.LoadBalancer, error) {
	if p, err := local(h, arn, "loadbalancer", 3); err != nil {
		return nil, err
	} else if p != nil {
		if l, ok := LoadBalancers.Get(tx, Key(h, p[2])); ok && l.ARN() == arn {
			return l, nil
		}
	}
	return nil, elb.NoLoadBalancer()
}

// Listener answers the listener of an ARN with its load balancer, both guarded, or AWS's error.
func Listener(tx store.Tx, h elb.Home, arn string) (*elb.LoadBalancer, *elb.Listener, error) {
	p, err := local(h, arn, "listener", 4)
	if err != nil {
		return nil, nil, err
	}
	if p != nil {
		b, there := LoadBalancers.Get(tx, Key(h, p[2]))
		l, ok := Listeners.Get(tx, ListenerKey(h, p[2], p[3]))
		if there && ok && b.ListenerARN(l.ID) == arn {
			return b, l, nil
		}
	}
	return nil, nil, elb.NoListener()
}

// Rule answers the rule of an ARN with its load balancer and listener, all guarded, or AWS's error. The default rule of a listener, which has no
// record, is answered as one whose Priority is 0.
func Rule(tx store.Tx, h elb.Home, arn string) (*elb.LoadBalancer, *elb.Listener, *elb.Rule, error) {
	p, err := local(h, arn, "listener-rule", 5)
	if err != nil {
		return nil, nil, nil, err
	}
	if p == nil {
		return nil, nil, nil, elb.NoRule()
	}
	b, there := LoadBalancers.Get(tx, Key(h, p[2]))
	l, ok := Listeners.Get(tx, ListenerKey(h, p[2], p[3]))
	if !there || !ok || b.RuleARN(l.ID, p[4]) != arn {
		return nil, nil, nil, elb.NoRule()
	}
	if d := l.DefaultRule(); d.ID == p[4] {
		return b, l, d, nil
	}
	if r, ok := Rules.Get(tx, RuleKey(h, b.ID, l.ID, p[4])); ok {
		return b, l, r, nil
	}
	return nil, nil, nil, elb.NoRule()
}

// TargetGroup answers the target group of an ARN, guarded, or AWS's error.
func TargetGroup(tx store.Tx, h elb.Home, arn string) (*elb.TargetGroup, error) {
	if p, err := local(h, arn, "targetgroup", 2); err != nil {
		return nil, err
	} else if p != nil {
		if g, ok := TargetGroups.Get(tx, Key(h, p[1])); ok && g.ARN() == arn {
			return g, nil
		}
	}
	return nil, elb.NoTargetGroup()
}

// local are the parts behind the kind of an ARN; nil when it is another home's. What is no ARN of the kind is AWS's error.
func local(h elb.Home, arn, kind string, n int) ([]string, error) {
	of, k, p, ok := elb.ParseARN(arn)
	if !ok || k != kind || len(p) != n {
		return nil, elb.BadARN(kind, arn)
	}
	if slices.Contains(p, "") {
		return nil, elb.BadARN(kind, arn)
	}
	if of != h {
		return nil, nil
	}
	return p, nil
}

// Status is what became of a load balancer; it is provisioning until somebody says otherwise. It is not guarded.
func Status(tx store.Tx, l *elb.LoadBalancer) elb.LoadBalancerStatus {
	if s, ok := Statuses.Peek(tx, Key(l.Home, l.ID)); ok {
		return *s
	}
	return elb.LoadBalancerStatus{Home: l.Home, LoadBalancer: l.ID, State: elb.StateProvisioning}
}

// ListenersIn yields the listeners of a load balancer in the order of their ids.
func ListenersIn(tx store.Tx, l *elb.LoadBalancer) iter.Seq2[string, *elb.Listener] {
	return Listeners.List(tx, ListenersOf(l.Home, l.ID), "")
}

// RulesIn yields the rules of a listener, but for the default one, in the order of their ids.
func RulesIn(tx store.Tx, l *elb.Listener) iter.Seq2[string, *elb.Rule] {
	return Rules.List(tx, RulesOf(l.Home, l.LoadBalancer, l.ID), "")
}

// CertificatesIn yields the further certificates of a listener.
func CertificatesIn(tx store.Tx, l *elb.Listener) iter.Seq2[string, *elb.Certificate] {
	return Certificates.List(tx, RulesOf(l.Home, l.LoadBalancer, l.ID), "")
}

// AttributesOf are those that somebody set of a resource. It is not guarded.
func AttributesOf(tx store.Tx, h elb.Home, arn string) map[string]string {
	if a, ok := Attributes.Peek(tx, OfKey(h, arn)); ok {
		return a.Values
	}
	return nil
}

// UsersOf are the ids of the load balancers that forward to a target group, in order.
func UsersOf(tx store.Tx, h elb.Home, group string) []string {
	seen := map[string]bool{}
	for _, l := range ListenersByGroup.List(tx, Key(h, group), "") {
		seen[l.LoadBalancer] = true
	}
	for _, r := range RulesByGroup.List(tx, Key(h, group), "") {
		seen[r.LoadBalancer] = true
	}
	return slices.Sorted(maps.Keys(seen))
}
