package tables

import (
	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/store"
)

// Lives says whether an ARN is that of a task that has not STOPPED. It compares the task's status (1 key).
func Lives(tx store.Tx, arn string) bool {
	a, ok := ecs.ParseARN(arn)
	if !ok || a.Kind != "task" || len(a.Parts) != 2 || a.Parts[0] == "" || a.Parts[1] == "" {
		return false
	}
	s, ok := TaskStatuses.Get(tx, MemberKey(a.Home, a.Parts[0], a.Parts[1]))
	return ok && s.LastStatus != ecs.TaskStopped
}
