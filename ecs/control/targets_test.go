package control_test

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/control"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/ecs/tables/balancingtest"
	"github.com/berth-ecs/berth/ecs/target"
	"github.com/berth-ecs/berth/store"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// dirtyTasks are the tasks that an agent may hear of because of a change.
func dirtyTasks(tx store.Tx, c store.Change) (keys []string) {
	if _, _, ok := tables.TaskDesireds.Of(c); ok {
		return []string{c.Key}
	}
	tasks, _ := balancingtest.Balancing{}.Concerns(tx, c)
	for _, arn := range tasks {
		if v, ok := tables.TaskOf(tx, arn, tables.PeekTask); ok {
			keys = append(keys, tables.MemberKey(v.Home, v.Cluster, v.ID))
		}
	}
	return keys
}

// checkTargets holds what load balancing knows to the tasks (see checkRegistered), where none dies by itself: no node has been told to stop what may
// have something in flight.
func checkTargets(t *testing.T, tx store.Tx) {
	t.Helper()
	checkRegistered(t, tx)
	for s := range (balancingtest.Balancing{}).Targets(tx, "") {
		v, ok := tables.TaskOf(tx, s.Task, tables.PeekTask)
		if s.Draining() && ok && v.Status.LastStatus == ecs.TaskStopped && tx.Now().Before(s.Until) {
			t.Errorf("%s was stopped while its target drains", v.ID)
		}
	}
}

// checkRegistered: who runs is registered, and nobody else is.
func checkRegistered(t *testing.T, tx store.Tx) {
	t.Helper()
	running, held := map[string]bool{}, map[string]bool{}
	for key, task := range tables.Tasks.List(tx, "", "") {
		if v, ok := tables.PeekTask(tx, key); ok && v.Running() && len(task.Balancers) > 0 {
			running[task.ARN()] = true
		}
	}
	for s := range (balancingtest.Balancing{}).Targets(tx, "") {
		switch {
		case s.Draining():
		case !running[s.Task]:
			t.Errorf("%s is a target and does not run", s.Task)
		default:
			held[s.Task] = true
		}
	}
	for task := range running {
		if !held[task] {
			t.Errorf("%s runs and is no target", task)
		}
	}
}

// While a deployment goes on, as many targets as the service keeps healthy are healthy at every moment, every one runs, and what drains has not
// been stopped.
func TestARolloutBehindALoadBalancer(t *testing.T) {
	run(t, control.Options{}, func(r *region) {
		r.group()
		r.create(4, balanced, func(s *ecs.Service) {
			s.Configuration = shape.DeploymentConfiguration{MinimumHealthyPercent: aws.Ptr(int32(100)), MaximumPercent: aws.Ptr(int32(150))}
		})
		r.pass(3 * time.Second)
		r.want("1 a1 RUNNING, 1 a1 RUNNING, 1 b1 RUNNING, 1 b1 RUNNING")
		moments := r.moments(func(tx store.Tx) {
			checkTargets(t, tx)
			if n := serving(tx); n < 4 {
				t.Errorf("%d targets are healthy", n)
			}
		})
		r.deploy(2)
		r.pass(20 * time.Second)
		r.want("2 a1 RUNNING, 2 a1 RUNNING, 2 b1 RUNNING, 2 b1 RUNNING")
		if n := moments(); n < 8 {
			t.Errorf("only %d moments were looked at", n)
		}
		r.said("(service web) (deployment ecs-svc/2) deployment completed.", "(service web) has reached a steady state.")
		all := strings.Join(r.events(), "\n")
		for want, least := range map[string]int{
			"(service web) registered 1 targets in (target-group " + groupARN + ")":       8,
			"(service web) deregistered 2 targets in (target-group " + groupARN + ")":     2,
			"(service web, taskSet ecs-svc/1) has begun draining connections on 2 tasks.": 2,
		} {
			if n := strings.Count(all, want); n != least {
				t.Errorf("%d times %q in\n%s", n, want, all)
			}
		}
	}, "a1", "b1")
}

// A deployment whose targets never become healthy does not end the tasks that serve.
func TestADeploymentWaitsForItsTargets(t *testing.T) {
	run(t, control.Options{}, func(r *region) {
		r.group()
		r.create(2, balanced)
		r.pass(3 * time.Second)
		r.see(func(task *ecs.Task) string {
			if task.Revision == 2 {
				return target.Initial
			}
			return target.Healthy
		})
		r.deploy(2)
		r.pass(10 * time.Minute)
		r.want("1 a1 RUNNING, 1 b1 RUNNING, 2 a1 RUNNING, 2 b1 RUNNING")
		r.see(func(*ecs.Task) string { return target.Healthy })
		r.pass(5 * time.Second)
		r.want("2 a1 RUNNING, 2 b1 RUNNING")
	}, "a1", "b1")
}

// An unhealthy target costs its task its life once the grace period is over, and not before.
func TestAnUnhealthyTargetIsReplaced(t *testing.T) {
	run(t, control.Options{}, func(r *region) {
		r.group()
		r.see(func(*ecs.Task) string { return target.Unhealthy })
		r.create(1, balanced)
		r.pass(55 * time.Second)
		first := r.tasks(tables.Live)
		if len(first) != 1 || !first[0].Running() {
			t.Fatalf("in the grace period: %s", r.line())
		}
		r.see(func(task *ecs.Task) string {
			if task.ID == first[0].ID {
				return target.Unhealthy
			}
			return target.Healthy
		})
		r.pass(20 * time.Second)
		r.want("1 a1 RUNNING")
		var ended ecs.TaskView
		for _, v := range r.tasks(tables.Stopped) {
			if v.ID == first[0].ID {
				ended = v
			}
		}
		if ended.Task == nil {
			t.Fatalf("not replaced: %s", r.line())
		}
		if code, reason := ended.Shown(); code != "ServiceSchedulerInitiated" || reason != "Task failed ELB health checks in (target-group "+groupARN+")" {
			t.Errorf("%s: %s", code, reason)
		}
		want := "(service web) (task T) (port 80) is unhealthy in (target-group " + groupARN + ") due to (reason Health checks failed with these codes: [502])"
		if got := r.events(); !slices.Contains(got, want) {
			t.Errorf("nobody says %q:\n%s", want, strings.Join(got, "\n"))
		}
	}, "a1")
}

// A service that asks for it keeps the tasks of unhealthy targets, and says so once.
func TestReadinessOnly(t *testing.T) {
	run(t, control.Options{}, func(r *region) {
		r.group()
		r.see(func(*ecs.Task) string { return target.Unhealthy })
		r.create(1, balanced, func(s *ecs.Service) {
			s.Tags = []shape.Tag{{Key: aws.Ptr("berth:target-health"), Value: aws.Ptr("readiness")}}
		})
		r.pass(10 * time.Minute)
		r.want("1 a1 RUNNING")
		if n := len(r.tasks(tables.Stopped)); n > 0 {
			t.Errorf("%d tasks were stopped", n)
		}
		if n := strings.Count(strings.Join(r.events(), "\n"), "is unhealthy in"); n != 1 {
			t.Errorf("said %d times:\n%s", n, strings.Join(r.events(), "\n"))
		}
	}, "a1")
}

// The circuit breaker counts tasks that end because of their targets.
func TestTheBreakerCountsTargets(t *testing.T) {
	run(t, control.Options{}, func(r *region) {
		r.group()
		r.create(1, balanced, func(s *ecs.Service) {
			s.Configuration.DeploymentCircuitBreaker = &shape.DeploymentCircuitBreaker{Enable: aws.Ptr(true), Rollback: aws.Ptr(true)}
			s.GracePeriod = aws.Ptr(int32(5))
		})
		r.pass(5 * time.Second)
		r.see(func(task *ecs.Task) string {
			if task.Revision == 2 {
				return target.Unhealthy
			}
			return target.Healthy
		})
		r.deploy(2)
		r.pass(5 * time.Minute)
		r.want("1 a1 RUNNING")
		if r.status().Rollback == nil {
			t.Errorf("it did not go back:\n%s", strings.Join(r.events(), "\n"))
		}
	}, "a1")
}

// A task whose target has something in flight is DEACTIVATING, and runs, until the group's deregistration delay is over and no longer.
func TestAStopWaitsForWhatIsInFlight(t *testing.T) {
	run(t, control.Options{}, func(r *region) {
		r.group()
		r.create(1, balanced)
		r.pass(3 * time.Second)
		r.clings.Store(true)
		v := r.tasks(tables.Live)[0]
		r.update(func(tx store.Tx) {
			tables.StopTask(tx, r.wings(), tables.MemberKey(home, "c", v.ID), shape.TaskStopCodeUserInitiated, "x")
		})
		r.pass(290 * time.Second)
		r.want("1 a1 DEACTIVATING, 1 a1 RUNNING")
		r.pass(10 * time.Second)
		r.want("1 a1 RUNNING")
	}, "a1")
}

// Whatever clients of load balancing do to the targets of tasks is mended.
func TestTargetsAreMended(t *testing.T) {
	run(t, control.Options{}, func(r *region) {
		r.create(3, balanced) // before its target group is there
		r.pass(time.Second)
		want := "(service web) failed to register targets in (target-group " + groupARN + ") with (error The specified target group does not exist. (targetGroupArn: " + groupARN + "))"
		if got := r.events(); !slices.Contains(got, want) {
			t.Errorf("nobody says %q:\n%s", want, strings.Join(got, "\n"))
		}
		r.group()
		rnd := rand.New(rand.NewPCG(1, 2))
		for range 10 {
			r.pass(5 * time.Second)
			r.view(func(tx store.Tx) { checkTargets(t, tx) })
			r.update(func(tx store.Tx) {
				for key, s := range balancingtest.Targets.List(tx, "", "") {
					next := *s
					switch rnd.IntN(3) {
					case 0:
						balancingtest.Targets.Delete(tx, key)
					case 1:
						next.State, next.Until = target.Draining, tx.Now().Add(time.Hour)
						balancingtest.Targets.Put(tx, &next)
					}
				}
				ghost := target.Target{Home: home, Group: groupARN, ID: "10.9.9.9", Port: 80, Task: home.TaskARN("c", "00000000000000000000000000000000")}
				if err := (balancingtest.Balancing{}).Register(tx, ghost); err != nil {
					t.Error(err)
				}
			})
		}
		r.pass(5 * time.Second)
		r.view(func(tx store.Tx) { checkTargets(t, tx) })
	}, "a1", "b1")
}

// Dying by itself, with its machine, or by deletion of its service, a task is a target no more from that very transaction on.
func TestWhoeverEndsATask(t *testing.T) {
	run(t, control.Options{}, func(r *region) {
		r.group()
		r.create(4, balanced)
		r.pass(3 * time.Second)
		moments := r.moments(func(tx store.Tx) { checkRegistered(t, tx) })
		r.kill(r.tasks(tables.Live)[0])
		r.setInstance("b1", func(s *ecs.InstanceState) { s.Status = ecs.InstanceInactive })
		r.pass(10 * time.Second)
		r.change(func(s *ecs.Service) { s.DeletedAt = time.Now() })
		r.pass(10 * time.Second)
		r.want("")
		if n := moments(); n < 8 {
			t.Errorf("only %d moments were looked at", n)
		}
	}, "a1", "b1")
}

// Everything fits into transactions, also where tasks are targets of as many groups as there may be, and are found, too.
func TestManyTargetsFit(t *testing.T) {
	run(t, control.Options{}, func(r *region) {
		r.registry()
		r.update(func(tx store.Tx) {
			for i := range 5 {
				balancingtest.Make(tx, home, "g"+strconv.Itoa(i), target.ByIP)
			}
		})
		r.create(20, balanced, found, func(s *ecs.Service) {
			s.Target.LoadBalancers = nil
			for i := range 5 {
				s.Target.LoadBalancers = append(s.Target.LoadBalancers, shape.LoadBalancer{
					TargetGroupArn: aws.Ptr(balancingtest.ARN(home, "g"+strconv.Itoa(i))), ContainerName: aws.Ptr("app"), ContainerPort: aws.Ptr(int32(80))})
			}
		})
		r.pass(10 * time.Second)
		if n := len(r.tasks(tables.Live)); n != 20 {
			t.Fatalf("%d tasks", n)
		}
		r.view(func(tx store.Tx) { checkRegistered(t, tx) })
		r.setInstance("a1", func(s *ecs.InstanceState) { s.Status = ecs.InstanceInactive })
		r.pass(10 * time.Second)
		r.view(func(tx store.Tx) {
			if n := serving(tx); n != 100 {
				t.Errorf("%d targets are healthy", n)
			}
		})
		r.change(func(s *ecs.Service) { s.DesiredCount = 0 })
		r.pass(20 * time.Second)
		r.want("")
	}, "a1", "b1", "b2")
}
