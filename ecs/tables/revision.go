package tables

import (
	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/store"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// RevisionInUse says whether a task that is not STOPPED, or a service that is not
// INACTIVE, uses a task definition, may still start tasks from it or go back to it.
func RevisionInUse(tx store.Tx, d *ecs.TaskDefinition) bool {
	for key := range TasksByRevision.List(tx, RevisionKey(d.Home, d.Family, d.Revision), "") {
		if s, ok := TaskStatuses.Peek(tx, key); ok && s.LastStatus != ecs.TaskStopped {
			return true
		}
	}
	for key, s := range ServicesByRevision.List(tx, d.ARN(), "") {
		status, ok := ServiceStatuses.Peek(tx, key)
		if !ok || status.Incarnation != s.Incarnation || status.InactiveAt.IsZero() {
			return true
		}
	}
	for range StatusesByRevision.List(tx, d.ARN(), "") {
		return true
	}
	return false
}

// ReapRevision deletes a task definition (by RevisionKey) whose deletion was asked
// for and that nothing uses any more, and says whether it did.
// Guards and deletes the definition (1 key).
func ReapRevision(tx store.Tx, key string) bool {
	d, ok := TaskDefinitions.Get(tx, key)
	if !ok || aws.Val(d.Document.Status) != shape.TaskDefinitionStatusDeleteInProgress || RevisionInUse(tx, d) {
		return false
	}
	TaskDefinitions.Delete(tx, key)
	return true
}
