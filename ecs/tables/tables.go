// Package tables is where the records of the ECS wing live in the store: their
// typed tables, their indexes, and the methods that the API, the loops and the
// session rooms share inside a transaction.
//
// Guarantees: every function takes a store.Tx and does no other I/O; it touches
// only this wing's tables; it reads time and identifiers from the Tx, so that it
// does the same when the transaction runs again. Functions that write state the
// number of keys they touch.
package tables

import (
	"fmt"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/store"
)

// At is the scope of a home's records.
func At(h ecs.Home) store.Scope { return store.Regional(h.Account, h.Region) }

// ClusterKey is the key of a cluster.
func ClusterKey(h ecs.Home, name string) string { return At(h).Key(name) }

// MemberKey is the key of what lives in a cluster: an instance, a task, a service.
func MemberKey(h ecs.Home, cluster, id string) string { return At(h).Key(cluster, id) }

// HostKey is the key of the container instance whose agent runs a task; "" for none.
func HostKey(h ecs.Home, on ecs.Host) string {
	if on.Instance == "" {
		return ""
	}
	return MemberKey(h, on.Cluster, on.Instance)
}

// ServiceEventKey sorts a service's events by time.
func ServiceEventKey(e *ecs.ServiceEvent) string {
	return At(e.Home).Key(e.Cluster, e.Service, fmt.Sprintf("%020d", e.At.UnixNano()), e.ID)
}

// LedgerKey is the key of a node's ledger.
func LedgerKey(region, node string) string { return store.RegionWide(region).Key(node) }

// ServerKey is the key of a server's process: it is the installation's.
func ServerKey(id string) string { return store.Installation().Key(id) }

// RevisionKey is the key of a task definition; keys of a family sort by revision.
func RevisionKey(h ecs.Home, family string, revision int32) string {
	return At(h).Key(family, fmt.Sprintf("%010d", revision))
}

// The tables.
var (
	Clusters = store.Define(store.Def[ecs.Cluster]{Name: "ecs.cluster", Version: 2,
		Key: func(c *ecs.Cluster) string { return ClusterKey(c.Home, c.Name) }})

	Instances = store.Define(store.Def[ecs.Instance]{Name: "ecs.instance", Version: 1,
		Key: func(i *ecs.Instance) string { return MemberKey(i.Home, i.Cluster, i.ID) }})
	InstanceStates = store.Define(store.Def[ecs.InstanceState]{Name: "ecs.instance.state", Version: 1,
		Key: func(i *ecs.InstanceState) string { return MemberKey(i.Home, i.Cluster, i.ID) }})
	Servers = store.Define(store.Def[ecs.Server]{Name: "ecs.server", Version: 1,
		Key: func(s *ecs.Server) string { return ServerKey(s.ID) }})
	Ledgers = store.Define(store.Def[ecs.Ledger]{Name: "ecs.ledger", Version: 2,
		Key: func(l *ecs.Ledger) string { return LedgerKey(l.Region, l.Node) }})

	TaskDefinitions = store.Define(store.Def[ecs.TaskDefinition]{Name: "ecs.taskdefinition", Version: 1,
		Key: func(d *ecs.TaskDefinition) string { return RevisionKey(d.Home, d.Family, d.Revision) }})
	Families = store.Define(store.Def[ecs.Family]{Name: "ecs.family", Version: 1,
		Key: func(f *ecs.Family) string { return At(f.Home).Key(f.Name) }})

	Tasks = store.Define(store.Def[ecs.Task]{Name: "ecs.task", Version: 6,
		Key: func(t *ecs.Task) string { return MemberKey(t.Home, t.Cluster, t.ID) }})
	TaskDesireds = store.Define(store.Def[ecs.TaskDesired]{Name: "ecs.task.desired", Version: 2,
		Key: func(t *ecs.TaskDesired) string { return MemberKey(t.Home, t.Cluster, t.ID) }})
	TaskStatuses = store.Define(store.Def[ecs.TaskStatus]{Name: "ecs.task.status", Version: 3,
		Key: func(t *ecs.TaskStatus) string { return MemberKey(t.Home, t.Cluster, t.ID) }})
	TaskTags = store.Define(store.Def[ecs.TaskTags]{Name: "ecs.task.tags", Version: 1,
		Key: func(t *ecs.TaskTags) string { return MemberKey(t.Home, t.Cluster, t.ID) }})

	TaskProtections = store.Define(store.Def[ecs.TaskProtection]{Name: "ecs.task.protection", Version: 1,
		Key: func(t *ecs.TaskProtection) string { return MemberKey(t.Home, t.Cluster, t.ID) }})

	Services = store.Define(store.Def[ecs.Service]{Name: "ecs.service", Version: 3,
		Key: func(s *ecs.Service) string { return MemberKey(s.Home, s.Cluster, s.Name) }})
	ServiceStatuses = store.Define(store.Def[ecs.ServiceStatus]{Name: "ecs.service.status", Version: 4,
		Key: func(s *ecs.ServiceStatus) string { return MemberKey(s.Home, s.Cluster, s.Name) }})
	ServiceEvents = store.Define(store.Def[ecs.ServiceEvent]{Name: "ecs.service.event", Version: 1,
		Key: ServiceEventKey})

	Tokens = store.Define(store.Def[ecs.Token]{Name: "ecs.token", Version: 1,
		Key: func(t *ecs.Token) string { return At(t.Home).Key(t.Operation, t.Token) }})

	AccountSettings = store.Define(store.Def[ecs.AccountSetting]{Name: "ecs.account.setting", Version: 1,
		Key: func(s *ecs.AccountSetting) string { return SettingKey(s.Home, s.Principal, s.Name) }})
)

// Schema is every table of the wing.
func Schema() store.Schema {
	return append(historySchema(), Clusters, Instances, InstanceStates, Servers, Ledgers, TaskDefinitions, Families,
		Tasks, TaskDesireds, TaskStatuses, TaskTags, TaskProtections, Services, ServiceStatuses, ServiceEvents, Tokens,
		AccountSettings)
}
