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

func daemon(s *ecs.Service) { s.Scheduling = shape.SchedulingStrategyDaemon }

func inZone(zone string) func(*ecs.Service) {
	return func(s *ecs.Service) {
		s.Constraints = []shape.PlacementConstraint{{Type: aws.Ptr("memberOf"), Expression: aws.Ptr("attribute:ecs.availability-zone == us-east-1" + zone)}}
	}
}

func TestADaemonFollowsItsInstances(t *testing.T) {
	run(t, control.Options{}, func(r *region) {
		r.create(0, daemon)
		r.record()
		r.want("1 a1 RUNNING, 1 b1 RUNNING")
		r.wantHistory("1 SUCCESSFUL")
		r.said("(service web) (deployment ecs-svc/1) deployment completed.", "(service web) has reached a steady state.")

		r.join("c1")
		r.want("1 a1 RUNNING, 1 b1 RUNNING, 1 c1 RUNNING")

		r.setInstance("b1", func(s *ecs.InstanceState) { s.Status = ecs.InstanceDraining })
		r.want("1 a1 RUNNING, 1 c1 RUNNING")
		r.setInstance("b1", func(s *ecs.InstanceState) { s.Status = ecs.InstanceActive })
		r.want("1 a1 RUNNING, 1 b1 RUNNING, 1 c1 RUNNING")

		r.kill(r.tasks(tables.Live)[0])
		r.pass(time.Minute)
		r.want("1 a1 RUNNING, 1 b1 RUNNING, 1 c1 RUNNING")

		r.setInstance("c1", func(s *ecs.InstanceState) { s.Status, s.Connected = ecs.InstanceInactive, false })
		r.want("1 a1 RUNNING, 1 b1 RUNNING")

		r.change(func(s *ecs.Service) { s.DeletedAt = time.Now() })
		r.want("")
		if r.status().InactiveAt.IsZero() {
			t.Error("the deleted service is not INACTIVE")
		}
	}, "a1", "b1")
}

func TestADaemonHonoursItsConstraints(t *testing.T) {
	run(t, control.Options{}, func(r *region) {
		r.create(0, daemon, inZone("a"))
		r.want("1 a1 RUNNING, 1 a2 RUNNING")
		r.change(inZone("b"))
		r.want("1 b1 RUNNING")
	}, "a1", "a2", "b1")
}

func TestADaemonRollsInPlace(t *testing.T) {
	run(t, control.Options{}, func(r *region) {
		half := func(s *ecs.Service) {
			s.Configuration = shape.DeploymentConfiguration{MinimumHealthyPercent: aws.Ptr(int32(50)), MaximumPercent: aws.Ptr(int32(100))}
		}
		r.create(0, daemon, half)
		r.want("1 a1 RUNNING, 1 a2 RUNNING")
		r.become(func(task *ecs.Task) string {
			if task.Revision == 2 {
				return ""
			}
			return ecs.TaskRunning
		})
		r.deploy(2)
		r.settle()
		if line := r.line(); line != "1 a1 RUNNING, 2 a2 PENDING" && line != "1 a2 RUNNING, 2 a1 PENDING" {
			t.Errorf("tasks %s", line)
		}
		r.runOnePending()
		r.settle()
		r.runOnePending()
		r.want("2 a1 RUNNING, 2 a2 RUNNING")
	}, "a1", "a2")
}

// What else runs on a DRAINING instance leaves it first.
func TestADaemonIsTheLastToLeave(t *testing.T) {
	run(t, control.Options{}, func(r *region) {
		r.create(0, daemon)
		r.want("1 a1 RUNNING, 1 a2 RUNNING")
		r.update(func(tx store.Tx) { other(tx, "a1") })
		r.setInstance("a1", func(s *ecs.InstanceState) { s.Status = ecs.InstanceDraining })
		r.want("1 a1 RUNNING, 1 a2 RUNNING")
		r.update(func(tx store.Tx) {
			tables.ReportTask(tx, tables.Wings{}, tables.MemberKey(home, "c", "other"), report(ecs.TaskStopped))
		})
		r.want("1 a2 RUNNING")
	}, "a1", "a2")
}

// other makes a standalone task that runs on an instance.
func other(tx store.Tx, instance string) {
	tables.Tasks.Put(tx, &ecs.Task{Home: home, Cluster: "c", ID: "other", Family: "web", Revision: 1, Instance: instance, Node: "n-" + instance,
		Containers: []ecs.TaskContainer{{Name: "app", Essential: true}}})
	tables.TaskDesireds.Put(tx, &ecs.TaskDesired{Home: home, Cluster: "c", ID: "other", Instance: instance, Group: "others", Status: ecs.TaskRunning})
	tables.TaskStatuses.Put(tx, &ecs.TaskStatus{Home: home, Cluster: "c", ID: "other", Instance: instance, LastStatus: ecs.TaskRunning,
		Containers: []ecs.ContainerStatus{{Name: "app", LastStatus: ecs.TaskRunning}}})
}

func where(expression string) func(*ecs.Service) {
	return func(s *ecs.Service) {
		s.Constraints = []shape.PlacementConstraint{{Type: aws.Ptr("memberOf"), Expression: aws.Ptr(expression)}}
	}
}

// A DAEMON service that goes with another group, or keeps away from it, does so as that comes and goes.
func TestADaemonFollowsAGroup(t *testing.T) {
	for expression, want := range map[string][2]string{
		"task:group == others":                              {"", "1 a1 RUNNING"},
		"not(task:group == others)":                         {"1 a1 RUNNING, 1 a2 RUNNING", "1 a2 RUNNING"},
		"task:group !exists":                                {"1 a1 RUNNING, 1 a2 RUNNING", "1 a2 RUNNING"},
		"not(task:group in [service:web, service:another])": {"1 a1 RUNNING, 1 a2 RUNNING", "1 a1 RUNNING, 1 a2 RUNNING"},
	} {
		run(t, control.Options{}, func(r *region) {
			r.create(0, daemon, where(expression))
			r.want(want[0])
			r.update(func(tx store.Tx) { other(tx, "a1") })
			r.want(want[1])
			r.update(func(tx store.Tx) { tables.StopTask(tx, tables.Wings{}, tables.MemberKey(home, "c", "other"), "", "") })
			r.want(want[0])
		}, "a1", "a2")
	}
}

// A service without a place gets one when the group comes that it goes with.
func TestAServiceWaitsForAGroup(t *testing.T) {
	run(t, control.Options{}, func(r *region) {
		r.create(1, where("task:group == others"))
		r.want("")
		r.update(func(tx store.Tx) { other(tx, "a2") })
		r.want("1 a2 RUNNING")
	}, "a1", "a2")
}

func TestADaemonThatHasNoRoomSaysSo(t *testing.T) {
	run(t, control.Options{}, func(r *region) {
		r.update(func(tx store.Tx) { define(tx, 1, 2000) })
		r.create(0, daemon)
		r.settle()
		r.said("(service web) was unable to place a task because no container instance met all of its requirements. " +
			"The closest matching (container-instance a1) has insufficient CPU units available.")
		r.update(func(tx store.Tx) {
			l, _ := tables.Ledgers.Get(tx, tables.LedgerKey(home.Region, "n-a1"))
			next := *l
			next.Total.CPU = 4000
			tables.Ledgers.Put(tx, &next)
		})
		r.want("1 a1 RUNNING")
	}, "a1")
}
