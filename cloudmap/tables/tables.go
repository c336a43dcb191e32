// Package tables is where the records of Cloud Map live in the store: their typed tables, their indexes, and what the API, the loops and other
// wings share inside a transaction.
//
// Guarantees: every function takes a store.Tx and does no other I/O; it touches only this wing's tables; it reads time and
// identifiers from the Tx. Functions that write state the number of keys they touch. Two registrations of one service never conflict.
package tables

import (
	"strings"

	"github.com/berth-ecs/berth/cloudmap"
	"github.com/berth-ecs/berth/store"
)

// At is the scope of a home's records.
func At(h cloudmap.Home) store.Scope { return store.Regional(h.Account, h.Region) }

// Key is the key of a record that has an id.
func Key(h cloudmap.Home, id string) string { return At(h).Key(id) }

// All begins the keys of all records of a home in a table.
func All(h cloudmap.Home) string { return At(h).Prefix() }

// InstanceKey is the key of an instance's records.
func InstanceKey(h cloudmap.Home, service, instance string) string {
	return At(h).Key(service, cloudmap.KeyPart(instance))
}

// InstancesOf begins the keys of the records of all instances of a service.
func InstancesOf(h cloudmap.Home, service string) string { return At(h).Prefix(service) }

// NameKey is the key of a name, which may have any letters.
func NameKey(h cloudmap.Home, parent, name string) string {
	return At(h).Key(parent, strings.NewReplacer("%", "%25", "/", "%2F").Replace(name))
}

// OperationKey is the key of an operation; empty for what is no id of one.
func OperationKey(h cloudmap.Home, id string) string {
	order, ok := cloudmap.OperationOrder(id)
	if !ok {
		return ""
	}
	return At(h).Key(order)
}

// The tables.
var (
	Namespaces = store.Define(store.Def[cloudmap.Namespace]{Name: "cloudmap.namespace", Version: 1,
		Key: func(r *cloudmap.Namespace) string { return Key(r.Home, r.ID) }})
	Services = store.Define(store.Def[cloudmap.Service]{Name: "cloudmap.service", Version: 1,
		Key: func(r *cloudmap.Service) string { return Key(r.Home, r.ID) }})
	Instances = store.Define(store.Def[cloudmap.Instance]{Name: "cloudmap.instance", Version: 1,
		Key: func(r *cloudmap.Instance) string { return InstanceKey(r.Home, r.Service, r.ID) }})
	Healths = store.Define(store.Def[cloudmap.InstanceHealth]{Name: "cloudmap.health", Version: 1,
		Key: func(r *cloudmap.InstanceHealth) string { return InstanceKey(r.Home, r.Service, r.Instance) }})
	Attributes = store.Define(store.Def[cloudmap.Attributes]{Name: "cloudmap.attributes", Version: 1,
		Key: func(r *cloudmap.Attributes) string { return Key(r.Home, r.Service) }})
	Tags = store.Define(store.Def[cloudmap.Tags]{Name: "cloudmap.tags", Version: 1,
		Key: func(r *cloudmap.Tags) string { return Key(r.Home, r.Resource) }})
	Names = store.Define(store.Def[cloudmap.Name]{Name: "cloudmap.name", Version: 1,
		Key: func(r *cloudmap.Name) string { return NameKey(r.Home, r.Parent, r.Name) }})
	Changes = store.Define(store.Def[cloudmap.Changes]{Name: "cloudmap.changes", Version: 1,
		Key: func(r *cloudmap.Changes) string { return Key(r.Home, r.Of) }})
	Operations = store.Define(store.Def[cloudmap.Operation]{Name: "cloudmap.operation", Version: 1,
		Key: func(r *cloudmap.Operation) string { return OperationKey(r.Home, r.ID) }})
	Statuses = store.Define(store.Def[cloudmap.OperationStatus]{Name: "cloudmap.status", Version: 1,
		Key: func(r *cloudmap.OperationStatus) string { return OperationKey(r.Home, r.Operation) }})
	Busies = store.Define(store.Def[cloudmap.Busy]{Name: "cloudmap.busy", Version: 1,
		Key: func(r *cloudmap.Busy) string { return Key(r.Home, r.Target) }})
	Tokens = store.Define(store.Def[cloudmap.Token]{Name: "cloudmap.token", Version: 1,
		Key: func(r *cloudmap.Token) string { return NameKey(r.Home, r.Request, r.Token) }})
)

// The indexes.
var (
	// NamespacesByVPC: the VPC in which names of the namespace are answered.
	NamespacesByVPC = store.NewIndex(Namespaces, "vpc", func(n *cloudmap.Namespace) []string { return some(n.VPC) })
	// NamespacesByZone: the id of the hosted zone.
	NamespacesByZone = store.NewIndex(Namespaces, "zone", func(n *cloudmap.Namespace) []string { return some(n.Zone) })
	// ZonesByAccount: the account, for namespaces of all regions that have a hosted zone.
	ZonesByAccount = store.NewIndex(Namespaces, "account", func(n *cloudmap.Namespace) []string {
		if n.Zone == "" {
			return nil
		}
		return []string{n.Account}
	})
	// ServicesByNamespace: Key of the namespace.
	ServicesByNamespace = store.NewIndex(Services, "namespace", func(s *cloudmap.Service) []string { return []string{Key(s.Home, s.Namespace)} })
	// InstancesByService: Key of the service; for counting, the table lists them.
	InstancesByService = store.NewIndex(Instances, "service", func(i *cloudmap.Instance) []string { return []string{Key(i.Home, i.Service)} })
	// InstancesByOwner: the owner, of those that have one.
	InstancesByOwner = store.NewIndex(Instances, "owner", func(i *cloudmap.Instance) []string { return some(i.Owner) })
	// OperationsByHome: All of the home.
	OperationsByHome = store.NewIndex(Operations, "home", func(o *cloudmap.Operation) []string { return []string{All(o.Home)} })
	// ServicesWithCheck: "", those whose instances are checked.
	ServicesWithCheck = store.NewIndex(Services, "check", func(s *cloudmap.Service) []string {
		if s.Check == nil {
			return nil
		}
		return []string{""}
	})
	// HealthsDue: "", those that wait for something that was told to count.
	HealthsDue = store.NewIndex(Healths, "due", func(h *cloudmap.InstanceHealth) []string {
		if h.Next == "" {
			return nil
		}
		return []string{""}
	})
)

func some(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

// Schema is every table of the wing.
func Schema() store.Schema {
	return store.Schema{Namespaces, Services, Instances, Healths, Attributes, Tags, Names, Changes, Operations, Statuses, Busies, Tokens}
}
