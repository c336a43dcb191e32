package control_test

import (
	"testing"
	"time"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/control"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

func TestAServiceBecomesSteady(t *testing.T) {
	run(t, control.Options{}, func(r *region) {
		r.create(2)
		r.want("1 a1 RUNNING, 1 b1 RUNNING")
		r.said(
			"(service web) has started 2 tasks: (task T) (task T).",
			"(service web) (deployment ecs-svc/1) deployment completed.",
			"(service web) has reached a steady state.",
		)
		d := r.status().Deployments
		if len(d) != 1 || d[0].RolloutState != "COMPLETED" {
			t.Errorf("deployments %+v", d)
		}
		for _, v := range r.tasks(tables.Live) {
			if v.Group != "service:web" || v.StartedBy != "ecs-svc/1" || v.Deployment != "ecs-svc/1" {
				t.Errorf("task %+v", v.Task)
			}
		}
	}, "a1", "b1")
}

func TestAKilledTaskIsReplaced(t *testing.T) {
	run(t, control.Options{}, func(r *region) {
		r.create(1)
		r.want("1 a1 RUNNING")
		r.pass(time.Minute)
		victim := r.tasks(tables.Live)[0]
		r.kill(victim)
		r.want("1 a1 RUNNING")
		if now := r.tasks(tables.Live)[0]; now.ID == victim.ID {
			t.Error("the killed task runs again")
		}
		r.said("(service web) has started 1 tasks: (task T).", "(service web) has reached a steady state.")
	}, "a1")
}

func TestANewTaskDefinitionRolls(t *testing.T) {
	run(t, control.Options{}, func(r *region) {
		r.create(3)
		r.want("1 a1 RUNNING, 1 a1 RUNNING, 1 a1 RUNNING")
		r.become(func(task *ecs.Task) string {
			if task.Revision == 2 {
				return ""
			}
			return ecs.TaskRunning
		})
		r.deploy(2)
		r.want("1 a1 RUNNING, 1 a1 RUNNING, 1 a1 RUNNING, 2 a1 PENDING, 2 a1 PENDING, 2 a1 PENDING")
		for range 3 {
			r.runOnePending()
			r.settle()
		}
		r.want("2 a1 RUNNING, 2 a1 RUNNING, 2 a1 RUNNING")
		r.said("(service web) (deployment ecs-svc/2) deployment completed.", "(service web) has reached a steady state.")
		for _, v := range r.tasks(tables.Stopped) {
			code, reason := v.Shown()
			if code != "ServiceSchedulerInitiated" || reason != "Scaling activity initiated by (deployment ecs-svc/1)" {
				t.Errorf("stopped by %s: %s", code, reason)
			}
		}
	}, "a1")
}

// runOnePending makes one pending task RUNNING.
func (r *region) runOnePending() {
	for _, v := range r.tasks(tables.Live) {
		if v.Pending() {
			r.update(func(tx store.Tx) {
				tables.ReportTask(tx, tables.Wings{}, tables.MemberKey(home, "c", v.ID), report(ecs.TaskRunning))
			})
			return
		}
	}
}

func TestScalingOutAndIn(t *testing.T) {
	run(t, control.Options{}, func(r *region) {
		r.create(1)
		r.settle()
		r.change(func(s *ecs.Service) { s.DesiredCount = 4 })
		r.want("1 a1 RUNNING, 1 a2 RUNNING, 1 b1 RUNNING, 1 b1 RUNNING")
		r.change(func(s *ecs.Service) { s.DesiredCount = 2 })
		r.settle()
		zones := map[string]int{}
		for _, v := range r.tasks(tables.Live) {
			zones[v.Zone]++
		}
		if zones["us-east-1a"] != 1 || zones["us-east-1b"] != 1 {
			t.Errorf("zones %v", zones)
		}
		r.said("(service web) has stopped 2 running tasks: (task T) (task T).", "(service web) has reached a steady state.")
		r.change(func(s *ecs.Service) { s.DesiredCount = 0 })
		r.want("")
		r.said("(service web) has reached a steady state.")
	}, "a1", "a2", "b1")
}

func TestManyTasksTakeSeveralTransactions(t *testing.T) {
	run(t, control.Options{}, func(r *region) {
		r.create(90, func(s *ecs.Service) {
			s.Tags, s.PropagateTags = []shape.Tag{{Key: aws.Ptr("k"), Value: aws.Ptr("v")}}, "SERVICE"
			s.ManagedTags = true
		})
		r.update(func(tx store.Tx) { define(tx, 1, 1); define(tx, 2, 1) })
		r.settle()
		if n := len(r.tasks(tables.Live)); n != 90 {
			t.Errorf("%d tasks", n)
		}
		if tags := r.tasks(tables.Live)[0].Tags; len(tags) != 3 {
			t.Errorf("tags %+v", tags)
		}
		r.deploy(2)
		r.settle()
		r.settle()
		for _, v := range r.tasks(tables.Live) {
			if v.Revision != 2 || !v.Running() {
				t.Errorf("task of revision %d is %s", v.Revision, v.ShownStatus())
			}
		}
		r.change(func(s *ecs.Service) { s.DeletedAt = time.Now() })
		r.want("")
		if r.status().InactiveAt.IsZero() {
			t.Error("the service is not INACTIVE")
		}
	}, "a1", "b1", "b2")
}

func TestATaskWithoutAPlaceWaitsForCapacity(t *testing.T) {
	run(t, control.Options{}, func(r *region) {
		r.update(func(tx store.Tx) { define(tx, 1, 600) })
		r.create(3)
		r.want("1 a1 RUNNING")
		r.said(
			"(service web) has started 1 tasks: (task T).",
			"(service web) was unable to place a task because no container instance met all of its requirements. The closest matching (container-instance a1) has insufficient CPU units available.",
		)
		n := len(r.events())
		r.pass(5 * time.Hour)
		if got := r.events(); len(got) != n {
			t.Errorf("said again: %v", got[n:])
		}
		r.join("b1")
		r.want("1 a1 RUNNING, 1 b1 RUNNING")
		r.join("c1")
		r.want("1 a1 RUNNING, 1 b1 RUNNING, 1 c1 RUNNING")
		if len(r.status().Said) != 0 {
			t.Errorf("still says %v", r.status().Said)
		}
	}, "a1")
}

func TestWithoutInstances(t *testing.T) {
	run(t, control.Options{}, func(r *region) {
		r.create(1)
		r.want("")
		r.said("(service web) was unable to place a task because no container instance met all of its requirements. Reason: No Container Instances were found in your cluster.")
		r.join("a1")
		r.want("1 a1 RUNNING")
	})
}

func TestWhatIsGivenBackIsTaken(t *testing.T) {
	run(t, control.Options{}, func(r *region) {
		r.update(func(tx store.Tx) {
			l, _ := tables.Ledgers.Get(tx, tables.LedgerKey(home.Region, "n-a1"))
			full := *l
			full.Used.CPU = 1000
			tables.Ledgers.Put(tx, &full)
		})
		r.create(1)
		r.want("")
		r.pass(time.Minute)
		r.update(func(tx store.Tx) {
			l, _ := tables.Ledgers.Get(tx, tables.LedgerKey(home.Region, "n-a1"))
			free := *l
			free.Used.CPU = 0
			tables.Ledgers.Put(tx, &free)
		})
		r.want("1 a1 RUNNING")
	}, "a1")
}

func TestDrainingMovesServiceTasks(t *testing.T) {
	run(t, control.Options{}, func(r *region) {
		r.create(2)
		r.want("1 a1 RUNNING, 1 b1 RUNNING")
		r.setInstance("a1", func(s *ecs.InstanceState) { s.Status = ecs.InstanceDraining })
		r.want("1 b1 RUNNING, 1 b1 RUNNING")
		r.setInstance("a1", func(s *ecs.InstanceState) { s.Status = ecs.InstanceActive })
		r.change(func(s *ecs.Service) { s.DesiredCount = 3 })
		r.want("1 a1 RUNNING, 1 b1 RUNNING, 1 b1 RUNNING")
	}, "a1", "b1")
}

func TestAnInactiveInstanceGivesUpItsTasks(t *testing.T) {
	run(t, control.Options{}, func(r *region) {
		r.create(2)
		r.want("1 a1 RUNNING, 1 b1 RUNNING")
		r.setInstance("a1", func(s *ecs.InstanceState) {
			s.Status, s.Connected, s.InactiveAt = ecs.InstanceInactive, false, time.Now()
		})
		r.want("1 b1 RUNNING, 1 b1 RUNNING")
		if code, reason := r.tasks(tables.Stopped)[0].Shown(); code != "TerminationNotice" || reason != ecs.ReasonDeregistration {
			t.Errorf("%s: %s", code, reason)
		}
	}, "a1", "b1")
}

func TestDeletion(t *testing.T) {
	run(t, control.Options{}, func(r *region) {
		r.create(2)
		r.settle()
		r.change(func(s *ecs.Service) { s.DeletedAt, s.DesiredCount = time.Now(), 0 })
		r.want("")
		if r.status().InactiveAt.IsZero() {
			t.Error("the service is not INACTIVE")
		}
		r.said("(service web) has stopped 2 running tasks: (task T) (task T).")

		r.create(1) // the name is free again
		r.want("1 a1 RUNNING")
		if s := r.status(); !s.InactiveAt.IsZero() || len(s.Deployments) != 1 {
			t.Errorf("status %+v", s)
		}
	}, "a1")
}

func TestTasksThatNeverStartAreThrottled(t *testing.T) {
	run(t, control.Options{}, func(r *region) {
		r.become(func(task *ecs.Task) string {
			if task.Revision == 1 {
				return ecs.TaskStopped
			}
			return ecs.TaskRunning
		})
		r.create(2)
		r.pass(time.Hour)
		d := r.status().Deployments[0]
		if n := len(r.tasks(tables.Stopped)); n < 20 || n > 40 || d.FailedTasks < 20 || d.Failures < 10 {
			t.Errorf("%d tasks were tried in an hour; %d failed tasks in %d rounds", n, d.FailedTasks, d.Failures)
		}
		r.said("(service web) has started 2 tasks: (task T) (task T).")
		told := 0
		for _, e := range r.events() {
			if e == "(service web) is unable to consistently start tasks successfully." {
				told++
			}
		}
		if told != 1 {
			t.Errorf("told %d times", told)
		}
		r.deploy(2) // starts afresh, at once
		r.want("2 a1 RUNNING, 2 a1 RUNNING")
	}, "a1")
}

func TestTasksThatCrashArePaced(t *testing.T) {
	run(t, control.Options{}, func(r *region) {
		r.create(1)
		r.settle()
		for range 2000 {
			for _, v := range r.tasks(tables.Live) {
				if v.Running() {
					r.kill(v)
				}
			}
			r.pass(100 * time.Millisecond)
		}
		n := len(r.tasks(tables.Stopped))
		if n < 10 || n > 60 {
			t.Errorf("%d tasks in 200 s", n)
		}
	}, "a1")
}

func TestAServiceKeepsAliveWhileItsNextRevisionFails(t *testing.T) {
	run(t, control.Options{}, func(r *region) {
		r.create(2)
		r.want("1 a1 RUNNING, 1 a1 RUNNING")
		r.become(func(task *ecs.Task) string {
			if task.Revision == 2 {
				return ecs.TaskStopped
			}
			return ecs.TaskRunning
		})
		r.deploy(2)
		r.pass(10 * time.Minute)
		r.kill(r.tasks(tables.Live)[0])
		r.want("1 a1 RUNNING, 1 a1 RUNNING")
		if d := r.status().Deployments; len(d) != 2 || d[0].RolloutState != "IN_PROGRESS" || d[0].FailedTasks == 0 {
			t.Errorf("deployments %+v", d)
		}
	}, "a1")
}

// A revision that fails takes the places that the percentages give it, and no more for as long as it fails.
func TestAFailingRevisionDoesNotChurn(t *testing.T) {
	run(t, control.Options{StoppedPerService: 1000}, func(r *region) {
		r.create(4, func(s *ecs.Service) {
			s.Configuration = shape.DeploymentConfiguration{MinimumHealthyPercent: aws.Ptr(int32(50)), MaximumPercent: aws.Ptr(int32(100))}
		})
		r.want("1 a1 RUNNING, 1 a1 RUNNING, 1 a1 RUNNING, 1 a1 RUNNING")
		r.become(func(task *ecs.Task) string {
			if task.Revision == 2 {
				return ecs.TaskStopped
			}
			return ecs.TaskRunning
		})
		r.deploy(2)
		r.pass(time.Hour)
		r.kill(r.tasks(tables.Live)[0]) // now below the minimum
		r.want("1 a1 RUNNING, 1 a1 RUNNING")
		r.pass(time.Hour)
		byRevision := map[int32]int{}
		for _, v := range r.tasks(tables.Stopped) {
			byRevision[v.Revision]++
		}
		if byRevision[1] != 3 || byRevision[2] > 60 {
			t.Errorf("stopped tasks by revision: %v", byRevision)
		}
	}, "a1")
}

func TestEventsAreTrimmed(t *testing.T) {
	run(t, control.Options{}, func(r *region) {
		r.create(1)
		for n := range int32(60) {
			r.change(func(s *ecs.Service) { s.DesiredCount = 1 + n%2 })
			r.settle()
		}
		if n := len(r.events()); n != 100 {
			t.Errorf("%d events are kept", n)
		}
	}, "a1")
}
