package control_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/control"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// breaking gives a service a circuit breaker.
func breaking(rollback bool) func(*ecs.Service) {
	return func(s *ecs.Service) {
		s.Configuration.DeploymentCircuitBreaker = &shape.DeploymentCircuitBreaker{Enable: aws.Ptr(true), Rollback: &rollback}
	}
}

// record records the service's target as the API does.
func (r *region) record() {
	r.update(func(tx store.Tx) {
		s, _ := tables.Services.Get(tx, serviceKey())
		_, family, revision, _ := parse(s.Target.TaskDefinition)
		d, _ := tables.TaskDefinitions.Peek(tx, tables.RevisionKey(home, family, revision))
		tables.Deploy(tx, s, d, nil)
	})
}

func parse(arn string) (h ecs.Home, family string, revision int32, err error) {
	a, _ := ecs.ParseARN(arn)
	_, err = fmt.Sscanf(strings.Replace(a.Parts[0], ":", " ", 1), "%s %d", &family, &revision)
	return a.Home, family, revision, err
}

// history is the service's deployments in one line, newest first: "2 SUCCESSFUL" has the target ecs-svc/2.
func (r *region) history() string {
	var out []string
	r.view(func(tx store.Tx) {
		for _, d := range tables.ServiceDeployments.List(tx, tables.At(home).Prefix("c", "web"), "") {
			v := tables.PeekServiceDeployment(tx, d)
			out = append(out, strings.TrimPrefix(v.Target, "ecs-svc/")+" "+v.Shown())
		}
	})
	return strings.Join(out, ", ")
}

func (r *region) wantHistory(want string) {
	r.t.Helper()
	if got := r.history(); got != want {
		r.t.Errorf("history %s, want %s; events\n%s", got, want, strings.Join(r.events(), "\n"))
	}
}

// failing makes tasks of revision 2 end before they run.
func failing(task *ecs.Task) string {
	if task.Revision == 2 {
		return ecs.TaskStopped
	}
	return ecs.TaskRunning
}

func TestTheCircuitBreakerRollsBack(t *testing.T) {
	run(t, control.Options{}, func(r *region) {
		r.create(2, breaking(true))
		r.record()
		r.want("1 a1 RUNNING, 1 a1 RUNNING")
		r.wantHistory("1 IN_PROGRESS") // tasks have to stay up for a while
		r.pass(10 * time.Second)
		r.wantHistory("1 SUCCESSFUL")
		before := r.tasks(tables.Live)
		r.become(failing)
		r.deploy(2)
		r.record()
		r.pass(time.Minute)
		r.want("1 a1 RUNNING, 1 a1 RUNNING")
		r.wantHistory("2 ROLLBACK_SUCCESSFUL, 1 SUCCESSFUL")
		events := r.events()
		failed := slices.Index(events, "(service web) (deployment ecs-svc/2) deployment failed: tasks failed to start.")
		if failed < 0 || len(events) < failed+2 || events[failed+1] != "(service web) rolling back to deployment ecs-svc/1." {
			t.Errorf("events\n%s", strings.Join(events, "\n"))
		}
		r.said("(service web) (deployment ecs-svc/1) deployment completed.", "(service web) has reached a steady state.")
		for i, v := range r.tasks(tables.Live) {
			if v.ID != before[i].ID {
				t.Error("a task that worked was replaced")
			}
		}
		if n := len(r.tasks(tables.Stopped)); n < 3 || n > 5 {
			t.Errorf("%d tasks failed before the breaker tripped", n)
		}
		r.pass(time.Hour)
		if d := r.status().Deployments; len(d) != 1 || d[0].ID != "ecs-svc/1" || d[0].RolloutState != "COMPLETED" {
			t.Errorf("deployments %+v", d)
		}
	}, "a1")
}

func TestTheCircuitBreakerWithoutRollback(t *testing.T) {
	run(t, control.Options{}, func(r *region) {
		r.become(func(*ecs.Task) string { return ecs.TaskStopped })
		r.create(1, breaking(false))
		r.record()
		r.pass(time.Hour)
		r.wantHistory("1 STOPPED")
		n := len(r.tasks(tables.Stopped))
		r.pass(time.Hour)
		if now := len(r.tasks(tables.Stopped)); now != n || n < 3 {
			t.Errorf("%d tasks, then %d: a failed deployment starts tasks", n, now)
		}
		r.become(func(*ecs.Task) string { return ecs.TaskRunning })
		r.deploy(2)
		r.record()
		r.pass(20 * time.Second)
		r.want("2 a1 RUNNING")
		r.wantHistory("2 SUCCESSFUL, 1 STOPPED")
	}, "a1")
}

func TestAServiceDeploymentIsStopped(t *testing.T) {
	for how, want := range map[string]struct{ tasks, history string }{
		"ROLLBACK": {"1 a1 RUNNING", "2 ROLLBACK_SUCCESSFUL, 1 SUCCESSFUL"},
		"ABORT":    {"1 a1 RUNNING, 2 a1 PENDING", "2 STOPPED, 1 SUCCESSFUL"},
	} {
		run(t, control.Options{}, func(r *region) {
			r.create(1)
			r.record()
			r.want("1 a1 RUNNING")
			r.become(func(task *ecs.Task) string {
				if task.Revision == 2 {
					return ""
				}
				return ecs.TaskRunning
			})
			r.deploy(2)
			r.record()
			r.want("1 a1 RUNNING, 2 a1 PENDING")
			r.wantHistory("2 IN_PROGRESS, 1 SUCCESSFUL")
			r.update(func(tx store.Tx) {
				for _, d := range tables.ServiceDeployments.List(tx, tables.At(home).Prefix("c", "web"), "") {
					tables.ServiceDeploymentStops.Put(tx, &ecs.ServiceDeploymentStop{Home: home, Cluster: "c", Service: "web", ID: d.ID, Type: how, At: tx.Now()})
					break
				}
			})
			r.want(want.tasks)
			r.wantHistory(want.history)
		}, "a1")
	}
}

func TestANewerDeploymentEndsTheOneBefore(t *testing.T) {
	run(t, control.Options{}, func(r *region) {
		r.become(func(*ecs.Task) string { return "" })
		r.create(1)
		r.record()
		r.settle()
		r.deploy(2)
		r.record()
		r.settle()
		r.wantHistory("2 IN_PROGRESS, 1 STOPPED")
	}, "a1")
}

func TestHistoryIsForgotten(t *testing.T) {
	run(t, control.Options{}, func(r *region) {
		r.create(1)
		r.record()
		r.want("1 a1 RUNNING")
		for range 105 {
			r.change(func(s *ecs.Service) { s.Target.ID += "1"; s.Target.CreatedAt = time.Now() })
			r.record()
			r.pass(time.Second)
		}
		count := func() (deployments, revisions int) {
			r.view(func(tx store.Tx) {
				for range tables.ServiceDeployments.List(tx, "", "") {
					deployments++
				}
				for range tables.ServiceRevisions.List(tx, "", "") {
					revisions++
				}
			})
			return deployments, revisions
		}
		if d, n := count(); d != 100 || n != 100 {
			t.Errorf("%d deployments, %d revisions of 106 are kept", d, n)
		}
		r.pass(89 * 24 * time.Hour)
		if d, _ := count(); d != 100 {
			t.Errorf("%d deployments after 89 days", d)
		}
		r.pass(2 * 24 * time.Hour)
		if d, n := count(); d != 1 || n != 1 {
			t.Errorf("%d deployments, %d revisions after 91 days: the newest stays", d, n)
		}
		r.change(func(s *ecs.Service) { s.DeletedAt = time.Now(); s.DesiredCount = 0 })
		r.settle()
		if d, n := count(); d != 0 || n != 0 {
			t.Errorf("%d deployments, %d revisions of a deleted service", d, n)
		}
	}, "a1")
}
