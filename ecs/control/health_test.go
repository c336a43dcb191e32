package control_test

import (
	"strings"
	"testing"
	"time"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/control"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// check gives revision 1 a health check.
func (r *region) check(cpu int32) {
	r.update(func(tx store.Tx) {
		define(tx, 1, cpu)
		d, _ := tables.TaskDefinitions.Get(tx, tables.RevisionKey(home, "web", 1))
		next := *d
		c := next.Document.ContainerDefinitions[0]
		c.HealthCheck = &shape.HealthCheck{Command: []string{"CMD", "true"}}
		next.Document.ContainerDefinitions = []shape.ContainerDefinition{c}
		tables.TaskDefinitions.Put(tx, &next)
	})
}

// health reports the health of every live task that a function picks.
func (r *region) health(status string, of func(ecs.TaskView) bool) {
	for _, v := range r.tasks(tables.Live) {
		if of(v) {
			r.update(func(tx store.Tx) {
				tables.ReportHealth(tx, tables.Wings{}, tables.MemberKey(home, "c", v.ID), []ecs.HealthReport{{Container: "app", Status: status, Since: tx.Now()}})
			})
		}
	}
}

func all(ecs.TaskView) bool { return true }

func TestUnhealthyTasksAreReplaced(t *testing.T) {
	run(t, control.Options{}, func(r *region) {
		r.check(100)
		r.create(2)
		r.settle()
		if s := r.status(); s.Deployments[0].RolloutState != "IN_PROGRESS" {
			t.Error("a deployment completed before its tasks were HEALTHY")
		}
		r.health("HEALTHY", all)
		r.settle()
		r.said("(service web) (deployment ecs-svc/1) deployment completed.", "(service web) has reached a steady state.")

		sick := r.tasks(tables.Live)[0].ID
		r.health("UNHEALTHY", func(v ecs.TaskView) bool { return v.ID == sick })
		r.settle()
		if n := len(r.tasks(tables.Live)); n != 3 {
			t.Errorf("%d tasks: the replacement starts first", n)
		}
		r.health("HEALTHY", func(v ecs.TaskView) bool { return v.ID != sick })
		r.settle()
		r.said(
			"(service web) (task T) failed container health checks.",
			"(service web) has stopped 1 running tasks: (task T).",
			"(service web) has reached a steady state.",
		)
		code, reason := r.tasks(tables.Stopped)[0].Shown()
		if code != "ServiceSchedulerInitiated" || reason != ecs.ReasonHealthChecks || r.tasks(tables.Stopped)[0].ID != sick {
			t.Errorf("%s: %s", code, reason)
		}
	}, "a1")
}

// The largest steps, in which every stop has its own sentence and drops an old one, fit into transactions.
func TestManyUnhealthyTasksAreReplaced(t *testing.T) {
	run(t, control.Options{}, func(r *region) {
		r.check(1)
		r.create(70)
		r.settle()
		r.health("HEALTHY", all)
		r.settle()
		r.health("UNHEALTHY", all)
		r.settle()
		if n := len(r.tasks(tables.Live)); n != 140 {
			t.Errorf("%d tasks", n)
		}
		r.health("HEALTHY", func(v ecs.TaskView) bool { return v.Status.Health != "UNHEALTHY" })
		r.settle()
		if n := len(r.tasks(tables.Live)); n != 70 {
			t.Errorf("%d tasks", n)
		}
		events := r.events()
		if len(events) > 100 || !strings.Contains(strings.Join(events, ""), "failed container health checks") {
			t.Errorf("%d events", len(events))
		}
		r.said("(service web) has reached a steady state.")
	}, "a1", "b1")
}

// Event driven means that nothing is written, and nothing read, while nothing happens.
func TestNothingIsWrittenWhileNothingHappens(t *testing.T) {
	run(t, control.Options{}, func(r *region) {
		r.update(func(tx store.Tx) { define(tx, 1, 600) })
		r.create(2) // one of them has no place
		r.settle()
		revision := func() (n int64) {
			r.view(func(tx store.Tx) { n = tx.Revision() })
			return n
		}
		before := revision()
		r.pass(5 * time.Hour)
		if after := revision(); after != before {
			t.Errorf("%d revisions were written", after-before)
		}
	}, "a1")
}
