package tables

import (
	"testing"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// A service, what it rolls out and a task from before load balancing, as far as it is read here: load balancers were a service's, and always none.
type (
	serviceV2 struct {
		ecs.Home
		Cluster, Name, Incarnation string
		LoadBalancers              []shape.LoadBalancer
		Target                     deploymentV2
	}
	deploymentV2 struct {
		ID, TaskDefinition string
		Registries         []shape.ServiceRegistry
	}
	revisionV2 struct {
		ecs.Home
		Cluster, Service, Incarnation string
		Deployment                    deploymentV2
		LoadBalancers                 []shape.LoadBalancer
	}
	statusV3 struct {
		ecs.Home
		Cluster, Name, Incarnation string
		Deployments                []deploymentV2
		Completed                  *deploymentV2
	}
	taskV5 struct {
		ecs.Home
		Cluster, ID, Family, Service, Deployment string
		Registries                               []shape.ServiceRegistry
	}
)

var (
	servicesV2 = store.Define(store.Def[serviceV2]{Name: "ecs.service", Version: 2,
		Key: func(s *serviceV2) string { return MemberKey(s.Home, s.Cluster, s.Name) }})
	revisionsV2 = store.Define(store.Def[revisionV2]{Name: "ecs.service.revision", Version: 2,
		Key: func(r *revisionV2) string { return HistoryKey(r.Home, r.Cluster, r.Service, r.Deployment.ID) }})
	statusesV3 = store.Define(store.Def[statusV3]{Name: "ecs.service.status", Version: 3,
		Key: func(s *statusV3) string { return MemberKey(s.Home, s.Cluster, s.Name) }})
	tasksV5 = store.Define(store.Def[taskV5]{Name: "ecs.task", Version: 5,
		Key: func(t *taskV5) string { return MemberKey(t.Home, t.Cluster, t.ID) }})
)

// What was there before is behind no load balancer, and goes on as it did: a deployment that is as it was starts nothing.
func TestRecordsWithoutBalancers(t *testing.T) {
	older := mem.Open(store.Schema{servicesV2, revisionsV2, statusesV3, tasksV5}, mem.Options{})
	newer := older.Join(Schema(), mem.Options{})
	h := ecs.Home{Account: "1", Region: "r"}
	err := older.Update(t.Context(), func(tx store.Tx) error {
		d := deploymentV2{ID: "ecs-svc/1", TaskDefinition: "td"}
		servicesV2.Put(tx, &serviceV2{Home: h, Cluster: "c", Name: "s", Incarnation: "i", Target: d, LoadBalancers: []shape.LoadBalancer{}})
		revisionsV2.Put(tx, &revisionV2{Home: h, Cluster: "c", Service: "s", Incarnation: "i", Deployment: d})
		statusesV3.Put(tx, &statusV3{Home: h, Cluster: "c", Name: "s", Incarnation: "i", Deployments: []deploymentV2{d}, Completed: &d})
		tasksV5.Put(tx, &taskV5{Home: h, Cluster: "c", ID: "t", Family: "f", Service: "s", Deployment: d.ID})
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
		if s.Target.LoadBalancers != nil || r.Deployment.LoadBalancers != nil || status.Completed.LoadBalancers != nil || task.Balancers != nil {
			t.Errorf("load balancers appeared: %+v, %+v, %+v, %+v", s, r, status, task)
		}
		if s.Target.TaskDefinition != "td" || r.Deployment.ID != "ecs-svc/1" || status.Deployments[0].TaskDefinition != "td" || task.Deployment != "ecs-svc/1" {
			t.Errorf("read as %+v, %+v, %+v, %+v", s, r, status, task)
		}
		return nil
	})
}
