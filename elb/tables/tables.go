// Package tables is where the records of Elastic Load Balancing live in the store: their typed tables, their indexes, and what the API, the loops
// and other wings share inside a transaction.
//
// Guarantees: every function takes a store.Tx and does no other I/O; it touches only this wing's tables; it reads time and identifiers from the Tx.
// Functions that write state the number of keys they touch.
package tables

import (
	"strconv"
	"strings"

	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/store"
)

// At is the scope of a home's records.
func At(h elb.Home) store.Scope { return store.Regional(h.Account, h.Region) }

// Key is the key of a record that has an id.
func Key(h elb.Home, id string) string { return At(h).Key(id) }

// All begins the keys of all records of a home in a table.
func All(h elb.Home) string { return At(h).Prefix() }

// ListenerKey is the key of a listener.
func ListenerKey(h elb.Home, loadBalancer, listener string) string {
	return At(h).Key(loadBalancer, listener)
}

// ListenersOf begins the keys of the listeners, certificates and rules of a load balancer.
func ListenersOf(h elb.Home, loadBalancer string) string { return At(h).Prefix(loadBalancer) }

// RuleKey is the key of a rule.
func RuleKey(h elb.Home, loadBalancer, listener, rule string) string {
	return At(h).Key(loadBalancer, listener, rule)
}

// RulesOf begins the keys of the rules, and of the certificates, of a listener.
func RulesOf(h elb.Home, loadBalancer, listener string) string {
	return At(h).Prefix(loadBalancer, listener)
}

// CertificateKey is the key of a further certificate of a listener.
func CertificateKey(h elb.Home, loadBalancer, listener, arn string) string {
	return At(h).Key(loadBalancer, listener, escape(arn))
}

// OfKey is the key of a resource's attributes and tags.
func OfKey(h elb.Home, arn string) string { return At(h).Key(escape(arn)) }

// NameKey is the key of a name.
func NameKey(h elb.Home, of, name string) string { return At(h).Key(of, name) }

// TargetKey is the key of a registration: an id and a port within a group.
func TargetKey(h elb.Home, group string, k elb.TargetKey) string {
	return At(h).Key(group, escape(k.ID), strconv.Itoa(int(k.Port)))
}

// TargetsOf begins the keys of the targets of a group, and of their health.
func TargetsOf(h elb.Home, group string) string { return At(h).Prefix(group) }

// HealthKey is the key of what the node of a load balancer sees of a target at an address.
func HealthKey(r *elb.TargetHealth) string {
	return At(r.Home).Key(r.Group, escape(r.ID), strconv.Itoa(int(r.Port)), r.LoadBalancer, r.Interface, r.Addr.String())
}

// HealthsOf begins the keys of the health of a target.
func HealthsOf(h elb.Home, group string, k elb.TargetKey) string {
	return At(h).Prefix(group, escape(k.ID), strconv.Itoa(int(k.Port)))
}

// PlaceKey is the key of what a proxy says of a node of a load balancer.
func PlaceKey(h elb.Home, loadBalancer, iface string) string {
	return At(h).Key(loadBalancer, iface)
}

// PlacesOf begins the keys of the places of a load balancer.
func PlacesOf(h elb.Home, loadBalancer string) string { return At(h).Prefix(loadBalancer) }

func escape(s string) string { return strings.NewReplacer("%", "%25", "/", "%2F").Replace(s) }

// The tables.
var (
	LoadBalancers = store.Define(store.Def[elb.LoadBalancer]{Name: "elb.loadbalancer", Version: 1,
		Key: func(r *elb.LoadBalancer) string { return Key(r.Home, r.ID) }})
	Statuses = store.Define(store.Def[elb.LoadBalancerStatus]{Name: "elb.status", Version: 1,
		Key: func(r *elb.LoadBalancerStatus) string { return Key(r.Home, r.LoadBalancer) }})
	Places = store.Define(store.Def[elb.Place]{Name: "elb.place", Version: 1,
		Key: func(r *elb.Place) string { return PlaceKey(r.Home, r.LoadBalancer, r.Interface) }})
	Attributes = store.Define(store.Def[elb.Attributes]{Name: "elb.attributes", Version: 1,
		Key: func(r *elb.Attributes) string { return OfKey(r.Home, r.Of) }})
	Tags = store.Define(store.Def[elb.Tags]{Name: "elb.tags", Version: 1,
		Key: func(r *elb.Tags) string { return OfKey(r.Home, r.Of) }})
	Listeners = store.Define(store.Def[elb.Listener]{Name: "elb.listener", Version: 1,
		Key: func(r *elb.Listener) string { return ListenerKey(r.Home, r.LoadBalancer, r.ID) }})
	Certificates = store.Define(store.Def[elb.Certificate]{Name: "elb.certificate", Version: 1,
		Key: func(r *elb.Certificate) string { return CertificateKey(r.Home, r.LoadBalancer, r.Listener, r.ARN) }})
	Rules = store.Define(store.Def[elb.Rule]{Name: "elb.rule", Version: 1,
		Key: func(r *elb.Rule) string { return RuleKey(r.Home, r.LoadBalancer, r.Listener, r.ID) }})
	TargetGroups = store.Define(store.Def[elb.TargetGroup]{Name: "elb.targetgroup", Version: 1,
		Key: func(r *elb.TargetGroup) string { return Key(r.Home, r.ID) }})
	Targets = store.Define(store.Def[elb.Target]{Name: "elb.target", Version: 1,
		Key: func(r *elb.Target) string { return TargetKey(r.Home, r.Group, r.TargetKey) }})
	TargetHealths = store.Define(store.Def[elb.TargetHealth]{Name: "elb.targethealth", Version: 1, Key: HealthKey})
	Names         = store.Define(store.Def[elb.Name]{Name: "elb.name", Version: 1,
		Key: func(r *elb.Name) string { return NameKey(r.Home, r.Of, r.Name) }})
	Changes = store.Define(store.Def[elb.Changes]{Name: "elb.changes", Version: 1,
		Key: func(r *elb.Changes) string { return Key(r.Home, r.Of) }})
)

// Schema is every table of the wing.
func Schema() store.Schema {
	return store.Schema{LoadBalancers, Statuses, Places, Attributes, Tags, Listeners, Certificates, Rules, TargetGroups, Targets, TargetHealths, Names, Changes}
}
