package tables

import (
	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/store"
)

// DropLoadBalancer deletes a load balancer with all that it has; when that is much, at most so many of its rules and certificates and one of its
// listeners, and says that there is more. Nothing is left of what is gone, whenever it ends. 11 keys and 2 for each.
func DropLoadBalancer(tx store.Tx, l *elb.LoadBalancer, most int) (more bool) {
	Touch(tx, l.Home, l.ID)
	room := most
	for _, i := range ListenersIn(tx, l) {
		if n := holds(tx, i); n > room && room < most || room <= 0 {
			return true
		} else if DropListener(tx, l, i, room) {
			return true
		} else {
			room -= n + 3
		}
	}
	Still(tx, l.Home, l.ID)
	Forget(tx, l.Home, l.ARN())
	Names.Delete(tx, NameKey(l.Home, elb.NamesOfLoadBalancers, l.Name))
	LoadBalancers.Delete(tx, Key(l.Home, l.ID))
	return false
}

func holds(tx store.Tx, l *elb.Listener) int {
	return RulesByListener.Count(tx, Key(l.Home, l.ID)) + CertificatesByListener.Count(tx, Key(l.Home, l.ID))
}

// DropListener deletes a listener with its rules and certificates; when those are many, at most so many of them, and says that there are more. 7 keys
// and 2 for each.
func DropListener(tx store.Tx, b *elb.LoadBalancer, l *elb.Listener, most int) (more bool) {
	Touch(tx, l.Home, l.ID)
	for _, r := range RulesIn(tx, l) {
		if most--; most < 0 {
			return true
		}
		DropRule(tx, b, r)
	}
	for _, c := range CertificatesIn(tx, l) {
		if most--; most < 0 {
			return true
		}
		Certificates.Delete(tx, CertificateKey(c.Home, c.LoadBalancer, c.Listener, c.ARN))
	}
	Touch(tx, b.Home, b.ID)
	Still(tx, l.Home, l.ID)
	Forget(tx, l.Home, b.ListenerARN(l.ID))
	Tags.Delete(tx, OfKey(l.Home, b.RuleARN(l.ID, l.DefaultRuleID())))
	Listeners.Delete(tx, ListenerKey(l.Home, l.LoadBalancer, l.ID))
	return false
}

// DropRule deletes a rule. 2 keys.
func DropRule(tx store.Tx, b *elb.LoadBalancer, r *elb.Rule) {
	Tags.Delete(tx, OfKey(r.Home, b.RuleARN(r.Listener, r.ID)))
	Rules.Delete(tx, RuleKey(r.Home, r.LoadBalancer, r.Listener, r.ID))
}
