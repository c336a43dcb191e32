package ecsapi

import (
	"testing"

	"github.com/berth-ecs/berth/ecs"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// near runs tasks of a group under a memberOf constraint and answers where they are.
func (r *region) near(count int32, group, expression string) []string {
	r.Helper()
	out := must(r, shape.OpRunTask, r.api.RunTask, &shape.RunTaskRequest{TaskDefinition: aws.Ptr("web"), Count: &count, Group: &group,
		PlacementConstraints: []shape.PlacementConstraint{{Type: aws.Ptr("memberOf"), Expression: &expression}}})
	var ids []string
	for _, task := range out.Tasks {
		ids = append(ids, ecs.ShortID(*task.ContainerInstanceArn))
	}
	return ids
}

// AWS: task:group == G is affinity, not(task:group == G) is anti-affinity; each task that is placed counts for the next.
func TestAffinity(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	r.definition("web", 10, 10)
	r.instance()
	r.instance()
	first := r.near(1, "db", "task:group !exists")
	if len(first) != 1 {
		t.Fatalf("on an empty instance: %v", first)
	}
	if got := r.near(3, "app", "task:group == db"); len(got) != 3 || got[0] != first[0] || got[2] != first[0] {
		t.Errorf("beside the database %s: %v", first[0], got)
	}
	other := r.near(2, "lonely", "not(task:group == lonely) and task:group != db")
	if len(other) != 1 || other[0] == first[0] {
		t.Errorf("one to an instance, away from the database: %v", other)
	}
	if got := r.near(1, "app", "task:group == nobody"); len(got) != 0 {
		t.Errorf("beside a group that nobody is in: %v", got)
	}
	list := func(filter string) int {
		return len(must(r, shape.OpListContainerInstances, r.api.ListContainerInstances, &shape.ListContainerInstancesRequest{Filter: &filter}).ContainerInstanceArns)
	}
	for filter, want := range map[string]int{
		"task:group == db": 1, "task:group in [db, lonely]": 2, "runningTasksCount >= 4": 1, "agentConnected == true": 2,
		"registeredAt == 2026-01-02T03:04:05Z": 2, "registeredAt > 2026-01-02": 2, "registeredAt < 2026-01-02": 0, "attribute:rack == r1 && runningTasksCount < 2": 1,
	} {
		if got := list(filter); got != want {
			t.Errorf("%s: %d instances, want %d", filter, got, want)
		}
	}
}
