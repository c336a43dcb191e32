package tables

import (
	"testing"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// A service, what it rolls out and a task from before service discovery, as far as it is read here: registries were a service's, and always none.
type (
	serviceV1 struct {
		ecs.Home
		Cluster, Name, Incarnation string
		Registries                 []shape.ServiceRegistry
		Target                     deploymentV1
	}
	deploymentV1 struct{ ID, TaskDefinition string }
	revisionV1   struct {
		ecs.Home
		Cluster, Service, Incarnation string
		Deployment                    deploymentV1
		Registries                    []shape.ServiceRegistry
	}
	statusV2 struct {
		ecs.Home
		Cluster, Name, Incarnation string
		Deployments                []deploymentV1
	}
	taskV4 struct {
		ecs.Home
		Cluster, ID, Family, Service, Deployment string
	}
)

var (
	servicesV1 = store.Define(store.Def[serviceV1]{Name: "ecs.service", Version: 1,
		Key: func(s *serviceV1) string { return MemberKey(s.Home, s.Cluster, s.Name) }})
	revisionsV1 = store.Define(store.Def[revisionV1]{Name: "ecs.service.revision", Version: 1,
		Key: func(r *revisionV1) string { return HistoryKey(r.Home, r.Cluster, r.Service, r.Deployment.ID) }})
	statusesV2 = store.Define(store.Def[statusV2]{Name: "ecs.service.status", Version: 2,
		Key: func(s *statusV2) string { return MemberKey(s.Home, s.Cluster, s.Name) }})
	tasksV4 = store.Define(store.Def[taskV4]{Name: "ecs.task", Version: 4,
		Key: func(t *taskV4) string { return MemberKey(t.Home, t.Cluster, t.ID) }})
)

// What was there before is found nowhere, and goes on as it did.
func TestRecordsWithoutRegistries(t *testing.T) {
	older := mem.Open(store.Schema{servicesV1, revisionsV1, statusesV2, tasksV4}, mem.Options{})
	newer := older.Join(Schema(), mem.Options{})
	h := ecs.Home{Account: "1", Region: "r"}
	err := older.Update(t.Context(), func(tx store.Tx) error {
		d := deploymentV1{ID: "ecs-svc/1", TaskDefinition: "td"}
		servicesV1.Put(tx, &serviceV1{Home: h, Cluster: "c", Name: "s", Incarnation: "i", Target: d})
		revisionsV1.Put(tx, &revisionV1{Home: h, Cluster: "c", Service: "s", Incarnation: "i", Deployment: d})
		statusesV2.Put(tx, &statusV2{Home: h, Cluster: "c", Name: "s", Incarnation: "i", Deployments: []deploymentV1{d}})
		tasksV4.Put(tx, &taskV4{Home: h, Cluster: "c", ID: "t", Family: "f", Service: "s", Deployment: d.ID})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	_ = newer.View(t.Context(), store.Fresh, func(tx store.Tx) error {
		s, ok1 := Services.Peek(tx, MemberKey(h, "c", "s"))
		r, ok2 := ServiceRevisions.Peek(tx, HistoryKey(h, "c", "s", "ecs-svc/1"))
		status, ok3 := ServiceStatuses.Peek(tx, MemberKey(h, "c", "s"))
		task, ok4 := Tasks.Peek(tx, MemberKey(h, "c", "t"))
		if !ok1 || !ok2 || !ok3 || !ok4 {
			t.Fatal("they are not read")
		}
		if s.Target.Registries != nil || r.Deployment.Registries != nil || status.Deployments[0].Registries != nil || task.Registries != nil {
			t.Errorf("registries appeared: %+v, %+v, %+v, %+v", s, r, status, task)
		}
		if s.Target.TaskDefinition != "td" || r.Deployment.ID != "ecs-svc/1" || status.Deployments[0].TaskDefinition != "td" || task.Deployment != "ecs-svc/1" {
			t.Errorf("read as %+v, %+v, %+v, %+v", s, r, status, task)
		}
		return nil
	})
}
