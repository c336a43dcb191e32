package control

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/loop"
	"github.com/berth-ecs/berth/store"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// reaper forgets what is over. A key is a kind and the key of a record; the loop's queue holds when each is due, so one timer at the next
// due time is all that waits.
type reaper struct {
	store   store.Store
	options Options
}

// The kinds of keys.
const (
	kindTask       = "task"     // STOPPED, by its age
	kindCluster    = "cluster"  // being deleted, or INACTIVE, by its age
	kindOfCluster  = "crowd"    // a cluster's STOPPED tasks, by their number
	kindOfService  = "stopped"  // a service's STOPPED tasks, by their number
	kindService    = "service"  // INACTIVE, by its age
	kindInstance   = "instance" // INACTIVE, by its age
	kindDefinition = "taskdefinition"
	kindToken      = "token"
	kindHistory    = "history" // a service's service deployments and revisions
)

func kindKey(kind, key string) string { return kind + "|" + key }

func (r reaper) config() loop.Config {
	return loop.Config{
		Name: "reaper", Store: r.store, Dirty: r.dirty, All: r.all, Reconcile: r.reconcile,
		Tables: []string{
			tables.TaskStatuses.Name(), tables.Services.Name(), tables.ServiceStatuses.Name(), tables.InstanceStates.Name(),
			tables.TaskDefinitions.Name(), tables.Tokens.Name(), tables.Clusters.Name(), tables.ServiceDeployments.Name(),
		},
		// What is due is known from events; nobody waits for what is over.
		Workers: 1, Debounce: 100 * time.Millisecond, Resync: 6 * time.Hour,
	}
}

func (r reaper) all(tx store.Tx) iter.Seq[string] {
	return func(yield func(string) bool) {
		_ = each(tx, tables.TaskStatuses, func(s *ecs.TaskStatus) []string { return r.ofStatus(tx, s) }, yield) &&
			each(tx, tables.ServiceStatuses, func(s *ecs.ServiceStatus) []string { return r.ofService(tx, s) }, yield) &&
			each(tx, tables.InstanceStates, r.ofInstance, yield) &&
			each(tx, tables.TaskDefinitions, r.ofDefinition, yield) &&
			each(tx, tables.Tokens, r.ofToken, yield) &&
			each(tx, tables.Clusters, r.ofCluster, yield) &&
			each(tx, tables.ServiceDeployments, r.ofDeployment, yield)
	}
}

// each yields the keys of every record of a table; it answers false when the reader has had enough.
func each[T any](tx store.Tx, t *store.Table[T], keys func(*T) []string, yield func(string) bool) bool {
	for _, rec := range t.List(tx, "", "") {
		for _, k := range keys(rec) {
			if !yield(k) {
				return false
			}
		}
	}
	return true
}

func (r reaper) dirty(tx store.Tx, c store.Change) []string {
	if _, now, ok := tables.TaskStatuses.Of(c); ok && now != nil {
		return r.ofStatus(tx, now)
	}
	if old, now, ok := tables.ServiceStatuses.Of(c); ok && now != nil {
		return append(r.ofService(tx, now), droppedDefinitions(old, now)...)
	}
	if _, now, ok := tables.ServiceDeployments.Of(c); ok && now != nil {
		return r.ofDeployment(now)
	}
	if _, now, ok := tables.InstanceStates.Of(c); ok && now != nil {
		return r.ofInstance(now)
	}
	if _, now, ok := tables.TaskDefinitions.Of(c); ok && now != nil {
		return r.ofDefinition(now)
	}
	if _, now, ok := tables.Tokens.Of(c); ok && now != nil {
		return r.ofToken(now)
	}
	if _, now, ok := tables.Clusters.Of(c); ok && now != nil {
		return r.ofCluster(now)
	}
	// A service that changed or went may have been the last to use a task definition.
	if old, _, ok := tables.Services.Of(c); ok && old != nil {
		return definitionKey(old.Target.TaskDefinition)
	}
	return nil
}

// ofStatus: a task that ended is due by its age, may be one too many, and may have been the last to use its definition.
func (r reaper) ofStatus(tx store.Tx, s *ecs.TaskStatus) []string {
	if s.LastStatus != ecs.TaskStopped {
		return nil
	}
	key := tables.MemberKey(s.Home, s.Cluster, s.ID)
	keys := []string{kindKey(kindTask, key), kindKey(kindOfCluster, tables.ClusterKey(s.Home, s.Cluster))}
	if s.Service != "" {
		keys = append(keys, kindKey(kindOfService, tables.MemberKey(s.Home, s.Cluster, s.Service)))
	}
	if t, ok := tables.Tasks.Peek(tx, key); ok {
		revision := tables.RevisionKey(t.Home, t.Family, t.Revision)
		if d, ok := tables.TaskDefinitions.Peek(tx, revision); ok {
			keys = append(keys, r.ofDefinition(d)...)
		}
	}
	return keys
}

// ofService: an INACTIVE service is due by its age, and may have been the last to use its definition.
func (r reaper) ofService(tx store.Tx, s *ecs.ServiceStatus) []string {
	if s.InactiveAt.IsZero() {
		return nil
	}
	key := tables.MemberKey(s.Home, s.Cluster, s.Name)
	keys := []string{kindKey(kindService, key), kindKey(kindHistory, key)}
	if svc, ok := tables.Services.Peek(tx, key); ok {
		keys = append(keys, definitionKey(svc.Target.TaskDefinition)...)
	}
	return keys
}

// droppedDefinitions: the task definitions that a service could have started tasks from, and no longer can.
func droppedDefinitions(old, now *ecs.ServiceStatus) []string {
	if old == nil {
		return nil
	}
	var keys []string
	still := tables.UsedRevisions(now)
	for _, arn := range tables.UsedRevisions(old) {
		if !slices.Contains(still, arn) {
			keys = append(keys, definitionKey(arn)...)
		}
	}
	return keys
}

func (r reaper) ofDeployment(d *ecs.ServiceDeployment) []string {
	return []string{kindKey(kindHistory, tables.MemberKey(d.Home, d.Cluster, d.Service))}
}

func (r reaper) ofInstance(s *ecs.InstanceState) []string {
	if s.Status != ecs.InstanceInactive {
		return nil
	}
	return []string{kindKey(kindInstance, tables.MemberKey(s.Home, s.Cluster, s.ID))}
}

// ofCluster: one that is being deleted may have lost the call that deletes it; an INACTIVE one is due by its age.
func (r reaper) ofCluster(k *ecs.Cluster) []string {
	if k.Status == ecs.ClusterActive {
		return nil
	}
	return []string{kindKey(kindCluster, tables.ClusterKey(k.Home, k.Name))}
}

func (r reaper) ofDefinition(d *ecs.TaskDefinition) []string {
	if aws.Val(d.Document.Status) != shape.TaskDefinitionStatusDeleteInProgress {
		return nil
	}
	return []string{kindKey(kindDefinition, tables.RevisionKey(d.Home, d.Family, d.Revision))}
}

func (r reaper) ofToken(t *ecs.Token) []string {
	return []string{kindKey(kindToken, tables.At(t.Home).Key(t.Operation, t.Token))}
}

func definitionKey(arn string) []string {
	h, family, revision, ok := ecs.RevisionOf(arn)
	if !ok {
		return nil
	}
	return []string{kindKey(kindDefinition, tables.RevisionKey(h, family, revision))}
}

func (r reaper) reconcile(ctx context.Context, key string) (loop.Result, error) {
	kind, key, _ := strings.Cut(key, "|")
	switch kind {
	case kindTask:
		return r.task(ctx, key)
	case kindCluster:
		return r.cluster(ctx, key)
	case kindOfCluster:
		return loop.Result{}, r.surplus(ctx, tables.StatusByCluster, key, r.options.StoppedPerCluster)
	case kindOfService:
		return loop.Result{}, r.surplus(ctx, tables.StatusByService, key, r.options.StoppedPerService)
	case kindService:
		return r.service(ctx, key)
	case kindInstance:
		return r.instance(ctx, key)
	case kindDefinition:
		return loop.Result{}, r.store.Update(ctx, func(tx store.Tx) error { tables.ReapRevision(tx, key); return nil })
	case kindToken:
		return r.token(ctx, key)
	case kindHistory:
		return r.history(ctx, key)
	}
	return loop.Result{}, fmt.Errorf("control: reaper: key of unknown kind %q", kind)
}
