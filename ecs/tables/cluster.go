package tables

import (
	"slices"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/store"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// MarkDeleting marks an ACTIVE cluster, which the caller has read with Get, as being deleted: whoever creates something in a cluster compares
// it, so that after this nothing new can come. It writes the cluster (1 key).
func MarkDeleting(tx store.Tx, k *ecs.Cluster) {
	Clusters.Put(tx, k.WithStatus(ecs.ClusterDeleting, tx.Now()))
}

// SettleDeletion ends what MarkDeleting began, for a cluster that the caller has read with Get: an empty cluster becomes INACTIVE, any other
// ACTIVE again, with the refusal that a client is owed. It writes the cluster (1 key).
func SettleDeletion(tx store.Tx, k *ecs.Cluster) (settled *ecs.Cluster, refused error) {
	next := ecs.ClusterInactive
	if refused = Occupied(tx, k); refused != nil {
		next = ecs.ClusterActive
	}
	settled = k.WithStatus(next, tx.Now())
	Clusters.Put(tx, settled)
	return settled, refused
}

// Occupied is AWS's refusal to delete a cluster for what is still in it, in AWS's order; nil when it is empty.
func Occupied(tx store.Tx, k *ecs.Cluster) error {
	refuse := func(code, what string) error {
		return &aws.Error{Code: code, Message: "The Cluster cannot be deleted while " + what + "."}
	}
	members := At(k.Home).Prefix(k.Name)
	for _, i := range InstanceStates.List(tx, members, "") {
		if i.Status != ecs.InstanceInactive {
			return refuse(shape.CodeClusterContainsContainerInstancesException, "Container Instances are active or draining")
		}
	}
	for _, s := range Services.List(tx, members, "") {
		if ServiceRecords(tx, s).ShownStatus() != ecs.ServiceInactive {
			return refuse(shape.CodeClusterContainsServicesException, "Services are active")
		}
	}
	if StatusByCluster.Count(tx, Is(ClusterKey(k.Home, k.Name), Live)) > 0 {
		return refuse(shape.CodeClusterContainsTasksException, "Tasks are active")
	}
	return nil
}

// ProviderInUse says whether a service or a task of a cluster uses a capacity provider.
func ProviderInUse(tx store.Tx, k *ecs.Cluster, provider string) bool {
	for _, s := range Services.List(tx, At(k.Home).Prefix(k.Name), "") {
		uses := slices.ContainsFunc(s.Target.CapacityStrategy, func(i shape.CapacityProviderStrategyItem) bool { return aws.Val(i.CapacityProvider) == provider })
		if uses && ServiceRecords(tx, s).ShownStatus() != ecs.ServiceInactive {
			return true
		}
	}
	for task := range StatusByCluster.List(tx, Is(ClusterKey(k.Home, k.Name), Live), "") {
		if t, ok := Tasks.Peek(tx, task); ok && t.CapacityProvider == provider {
			return true
		}
	}
	return false
}

// Vacant says whether nothing is kept of a cluster any more, not even what is over.
func Vacant(tx store.Tx, k *ecs.Cluster) bool {
	members := At(k.Home).Prefix(k.Name)
	for range Instances.List(tx, members, "") {
		return false
	}
	for range Services.List(tx, members, "") {
		return false
	}
	for range Tasks.List(tx, members, "") {
		return false
	}
	return true
}
