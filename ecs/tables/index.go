package tables

import (
	"slices"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/store"
)

// The indexes. A value is a key of the store, with a status behind it where the
// name says so (see LiveIn and Is).
var (
	// InstancesByNode: LedgerKey. Which instances book in a node's ledger.
	InstancesByNode = store.NewIndex(Instances, "node", func(i *ecs.Instance) []string {
		return []string{LedgerKey(i.Region, i.Node)}
	})

	// TasksByFamily: ClusterKey + "/" + family.
	TasksByFamily = store.NewIndex(Tasks, "family", func(t *ecs.Task) []string {
		return []string{MemberKey(t.Home, t.Cluster, t.Family)}
	})
	// TasksByStartedBy: ClusterKey + "/" + startedBy; only tasks that have one.
	TasksByStartedBy = store.NewIndex(Tasks, "startedBy", func(t *ecs.Task) []string {
		if t.StartedBy == "" {
			return nil
		}
		return []string{ClusterKey(t.Home, t.Cluster) + "/" + t.StartedBy}
	})
	// TasksByDeployment: MemberKey of the service + "/" + deployment id.
	TasksByDeployment = store.NewIndex(Tasks, "deployment", func(t *ecs.Task) []string {
		if t.Deployment == "" {
			return nil
		}
		return []string{MemberKey(t.Home, t.Cluster, t.Service) + "/" + t.Deployment}
	})
	// TasksByRevision: RevisionKey of the task definition.
	TasksByRevision = store.NewIndex(Tasks, "revision", func(t *ecs.Task) []string {
		return []string{RevisionKey(t.Home, t.Family, t.Revision)}
	})

	// DesiredByCluster: Is(ClusterKey, desired status).
	DesiredByCluster = store.NewIndex(TaskDesireds, "cluster", func(t *ecs.TaskDesired) []string {
		return []string{Is(ClusterKey(t.Home, t.Cluster), t.Status)}
	})
	// DesiredByService: Is(MemberKey of the service, desired status).
	DesiredByService = store.NewIndex(TaskDesireds, "service", func(t *ecs.TaskDesired) []string {
		if t.Service == "" {
			return nil
		}
		return []string{Is(MemberKey(t.Home, t.Cluster, t.Service), t.Status)}
	})
	// DesiredByInstance: Is(MemberKey of the instance, desired status).
	DesiredByInstance = store.NewIndex(TaskDesireds, "instance", func(t *ecs.TaskDesired) []string {
		if t.Instance == "" {
			return nil
		}
		return []string{Is(MemberKey(t.Home, t.Cluster, t.Instance), t.Status)}
	})

	// DesiredByHost: Is(HostKey, desired status). The tasks that an agent runs, those on FARGATE among them.
	DesiredByHost = store.NewIndex(TaskDesireds, "host", func(t *ecs.TaskDesired) []string {
		if key := HostKey(t.Home, t.RunsOn()); key != "" {
			return []string{Is(key, t.Status)}
		}
		return nil
	})

	// StatusByCluster: Is(ClusterKey, LIVE or STOPPED), see Liveness.
	StatusByCluster = store.NewIndex(TaskStatuses, "cluster", func(t *ecs.TaskStatus) []string {
		return []string{Is(ClusterKey(t.Home, t.Cluster), Liveness(t))}
	})
	// StatusByService: Is(MemberKey of the service, LIVE or STOPPED).
	StatusByService = store.NewIndex(TaskStatuses, "service", func(t *ecs.TaskStatus) []string {
		if t.Service == "" {
			return nil
		}
		return []string{Is(MemberKey(t.Home, t.Cluster, t.Service), Liveness(t))}
	})
	// StatusByInstance: Is(MemberKey of the instance, LIVE or STOPPED).
	StatusByInstance = store.NewIndex(TaskStatuses, "instance", func(t *ecs.TaskStatus) []string {
		if t.Instance == "" {
			return nil
		}
		return []string{Is(MemberKey(t.Home, t.Cluster, t.Instance), Liveness(t))}
	})

	// StatusByHost: Is(HostKey, LIVE or STOPPED).
	StatusByHost = store.NewIndex(TaskStatuses, "host", func(t *ecs.TaskStatus) []string {
		if key := HostKey(t.Home, t.RunsOn()); key != "" {
			return []string{Is(key, Liveness(t))}
		}
		return nil
	})

	// ServicesByRevision: the ARN of the task definition that a service targets.
	ServicesByRevision = store.NewIndex(Services, "revision", func(s *ecs.Service) []string {
		return []string{s.Target.TaskDefinition}
	})
	// StatusesByRevision: the ARNs of the task definitions that a service may still start tasks from.
	StatusesByRevision = store.NewIndex(ServiceStatuses, "revision", UsedRevisions)
)

// UsedRevisions are the ARNs of the task definitions of a service's deployments, and of those it may go back to.
func UsedRevisions(s *ecs.ServiceStatus) []string {
	if !s.InactiveAt.IsZero() {
		return nil
	}
	var out []string
	for _, d := range s.Deployments {
		out = append(out, d.TaskDefinition)
	}
	if s.Completed != nil {
		out = append(out, s.Completed.TaskDefinition)
	}
	if s.Rollback != nil {
		out = append(out, s.Rollback.To.TaskDefinition)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Live and Stopped are the values of Liveness.
const (
	Live    = "LIVE"
	Stopped = ecs.TaskStopped
)

// Liveness is STOPPED for a task whose lastStatus says so, LIVE for any other.
func Liveness(t *ecs.TaskStatus) string {
	if t.LastStatus == ecs.TaskStopped {
		return Stopped
	}
	return Live
}

// Is composes an index value of a key and a status.
func Is(key, status string) string { return key + "|" + status }
