package control_test

import (
	"testing"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/control"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// The loops serve every account and region, and nobody's tasks go where another's instances are.
func TestEveryAccountAndRegionIsServed(t *testing.T) {
	homes := []ecs.Home{{Account: "111111111111", Region: home.Region}, {Account: home.Account, Region: "eu-west-1"}}
	run(t, control.Options{}, func(r *region) {
		r.update(func(tx store.Tx) {
			for _, h := range homes {
				furnish(tx, h)
			}
		})
		r.create(2)
		r.want("1 a1 RUNNING, 1 a1 RUNNING")
		r.view(func(tx store.Tx) {
			for _, h := range homes {
				n := 0
				for v := range tables.TasksOfService(tx, tables.MemberKey(h, "c", "web"), tables.Live) {
					if n++; v.Home != h || v.Instance != "i-"+h.Account+h.Region || !v.Running() {
						t.Errorf("a task of %v: %+v", h, v.Task)
					}
				}
				if n != 3 {
					t.Errorf("%v has %d tasks", h, n)
				}
			}
		})
	}, "a1")
}

// furnish gives a home the same cluster, definition and service, and an instance of its own.
func furnish(tx store.Tx, h ecs.Home) {
	id := "i-" + h.Account + h.Region
	tables.Clusters.Put(tx, &ecs.Cluster{Home: h, Name: "c", Status: ecs.ClusterActive})
	tables.TaskDefinitions.Put(tx, &ecs.TaskDefinition{Home: h, Family: "web", Revision: 1, Document: shape.TaskDefinition{
		Status: aws.Ptr("ACTIVE"), NetworkMode: aws.Ptr("bridge"),
		ContainerDefinitions: []shape.ContainerDefinition{{Name: aws.Ptr("app"), Cpu: aws.Ptr(int32(100)), Memory: aws.Ptr(int32(10)), Essential: aws.Ptr(true)}},
	}})
	tables.Instances.Put(tx, &ecs.Instance{Home: h, Cluster: "c", ID: id, Node: id, LaunchType: "EC2"})
	tables.InstanceStates.Put(tx, &ecs.InstanceState{Home: h, Cluster: "c", ID: id, Status: ecs.InstanceActive, Connected: true})
	tables.Ledgers.Put(tx, &ecs.Ledger{Region: h.Region, Node: id, Total: ecs.Amounts{CPU: 1000, MemoryMiB: 1000}})
	tables.Services.Put(tx, &ecs.Service{Home: h, Cluster: "c", Name: "web", Incarnation: tx.NewID(), CreatedAt: tx.Now(), DesiredCount: 3,
		Scheduling: shape.SchedulingStrategyReplica,
		Target:     ecs.Deployment{ID: "ecs-svc/1", CreatedAt: tx.Now(), TaskDefinition: h.TaskDefinitionARN("web", 1)}})
}
