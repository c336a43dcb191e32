package control_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/control"
	"github.com/berth-ecs/berth/ecs/launch"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// rules of ECS that are easily guessed wrong, each in a region with instances in two zones.
var rules = map[string]func(*region){
	// AWS: "If there are tasks for container instances in the DRAINING state that are not part of a service, they're not
	// affected."
	"draining leaves standalone tasks": func(r *region) {
		r.update(func(tx store.Tx) {
			d, _ := tables.TaskDefinitions.Peek(tx, tables.RevisionKey(home, "web", 1))
			if _, _, err := tables.Launch(tx, tables.Wings{}, launch.Spec{Home: home, Cluster: "c", Definition: d, Count: 1}); err != nil {
				r.t.Fatal(err)
			}
		})
		r.settle()
		for _, i := range []string{"a1", "b1"} {
			r.setInstance(i, func(s *ecs.InstanceState) { s.Status = ecs.InstanceDraining })
		}
		r.settle()
		r.view(func(tx store.Tx) {
			if n := tables.DesiredByCluster.Count(tx, tables.Is(tables.ClusterKey(home, "c"), ecs.TaskRunning)); n != 1 {
				r.t.Errorf("%d standalone tasks go on", n)
			}
		})
	},
	// AWS: "Existing tasks and services that reference an INACTIVE task definition continue to run without disruption", and scale.
	"an INACTIVE definition scales and replaces": func(r *region) {
		r.create(1)
		r.settle()
		r.update(func(tx store.Tx) {
			d, _ := tables.TaskDefinitions.Get(tx, tables.RevisionKey(home, "web", 1))
			next := *d
			next.Document.Status = aws.Ptr(shape.TaskDefinitionStatusDeleteInProgress)
			tables.TaskDefinitions.Put(tx, &next)
		})
		r.kill(r.tasks(tables.Live)[0])
		r.change(func(s *ecs.Service) { s.DesiredCount = 2 })
		r.want("1 a1 RUNNING, 1 b1 RUNNING")
	},
	// AWS: an INACTIVE service's name is free while its tasks are STOPPING; they are nothing to the new one.
	"a name is free while tasks stop": func(r *region) {
		r.create(2)
		r.settle()
		r.become(func(*ecs.Task) string { return "" })
		for _, i := range []string{"a1", "b1"} { // nobody ends the tasks
			r.setInstance(i, func(s *ecs.InstanceState) { s.Connected = false })
		}
		r.change(func(s *ecs.Service) { s.DeletedAt, s.DesiredCount = time.Now(), 0 })
		r.settle()
		if st := r.status(); st.InactiveAt.IsZero() {
			r.t.Fatal("the service drains although its tasks should stop")
		}
		r.join("a2")
		r.become(func(*ecs.Task) string { return ecs.TaskRunning })
		r.create(1, func(s *ecs.Service) { s.Target.ID = "ecs-svc/9" })
		r.want("1 a1 STOPPING, 1 a2 RUNNING, 1 b1 STOPPING")
		r.view(func(tx store.Tx) {
			s, _ := tables.Services.Peek(tx, serviceKey())
			v := ecs.RenderService(tables.ViewService(tx, r.network, s))
			if *v.RunningCount != 1 || len(v.Deployments) != 1 || *v.Deployments[0].Id != "ecs-svc/9" || *v.Deployments[0].RolloutState != "COMPLETED" {
				r.t.Errorf("running %d, %+v", *v.RunningCount, v.Deployments)
			}
			for _, e := range v.Events {
				if e.CreatedAt.Before(s.CreatedAt) {
					r.t.Errorf("an event of the service of before: %s", *e.Message)
				}
			}
		})
	},
	// AWS: the sentence of a cause is not repeated until the cause ends or 6 hours pass; "has reached a steady state" is.
	"sentences": func(r *region) {
		r.create(1)
		r.settle()
		const steady = "(service web) has reached a steady state."
		r.said(steady)
		r.pass(13 * time.Hour)
		n := 0
		for _, e := range r.events() {
			if e == steady {
				n++
			}
		}
		if n != 3 {
			r.t.Errorf("%d times steady in 13 hours", n)
		}
	},
	// AWS: an instance whose agent is disconnected keeps its tasks; the service does not replace them.
	"a lost agent is not a lost task": func(r *region) {
		r.create(2)
		r.settle()
		r.setInstance("a1", func(s *ecs.InstanceState) { s.Connected = false })
		r.pass(time.Hour)
		r.want("1 a1 RUNNING, 1 b1 RUNNING")
	},
}

func TestRules(t *testing.T) {
	for name, rule := range rules {
		t.Run(name, func(t *testing.T) {
			run(t, control.Options{}, rule, "a1", "b1")
		})
	}
}

// A cluster with many services is not held up by one that cannot be placed.
func TestAServiceThatCannotBePlacedHoldsNobodyUp(t *testing.T) {
	run(t, control.Options{Workers: 1}, func(r *region) {
		r.update(func(tx store.Tx) { define(tx, 3, 5000) })
		r.create(3, func(s *ecs.Service) { s.Target.TaskDefinition = home.TaskDefinitionARN("web", 3) })
		for i := range 5 {
			r.create(1, func(s *ecs.Service) {
				s.Name = fmt.Sprintf("other-%d", i)
				s.Target.ID = fmt.Sprintf("ecs-svc/%d", 100+i)
			})
		}
		r.settle()
		r.view(func(tx store.Tx) {
			if n := tables.DesiredByCluster.Count(tx, tables.Is(tables.ClusterKey(home, "c"), ecs.TaskRunning)); n != 5 {
				r.t.Errorf("%d tasks of 5 services", n)
			}
		})
	}, "a1")
}
