package rollout_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/rollout"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// breaking is a service with a circuit breaker.
func breaking(desired int32, rollback bool) *ecs.Service {
	s := service(desired, 100, 200)
	s.Configuration.DeploymentCircuitBreaker = &shape.DeploymentCircuitBreaker{Enable: aws.Ptr(true), Rollback: &rollback}
	return s
}

// deploying is the service deployment of the target.
func deploying(stop string) []ecs.ServiceDeploymentView {
	v := ecs.ServiceDeploymentView{ServiceDeployment: &ecs.ServiceDeployment{
		Cluster: "c", Service: "web", Incarnation: "x", ID: "d2", Target: newID, Sources: []string{oldID}}}
	if stop != "" {
		v.Stop = &ecs.ServiceDeploymentStop{ID: "d2", Type: stop}
	}
	return []ecs.ServiceDeploymentView{v}
}

func states(s *ecs.ServiceStatus) string {
	var out []string
	for _, d := range s.Deployments {
		out = append(out, strings.TrimPrefix(d.ID, "ecs-svc/")+" "+d.RolloutState)
	}
	return strings.Join(out, ", ")
}

func TestTheBreakerFailsADeployment(t *testing.T) {
	for _, c := range []struct {
		name    string
		svc     *ecs.Service
		tasks   string
		failed  int32
		states  string
		plan    string
		history string
	}{
		{"below the threshold", breaking(1, true), "old1:running new1:failed new2:failed", 2, "2 IN_PROGRESS, 1 COMPLETED", "start 1 of 2", "IN_PROGRESS"},
		{"at the threshold it goes back", breaking(1, true), "old1:running new1:failed new2:failed new3:failed", 0, "1 COMPLETED", "", "ROLLBACK_SUCCESSFUL"},
		{"old tasks that are missing are started again", breaking(2, true), "old1:running new1:failed new2:failed new3:failed", 0,
			"1 IN_PROGRESS", "start 1 of 1", "ROLLBACK_IN_PROGRESS"},
		{"without rollback it fails", breaking(1, false), "old1:running new1:failed new2:failed new3:failed", 3, "2 FAILED, 1 COMPLETED", "", "STOPPED"},
		{"and keeps the floor with what worked", breaking(2, false), "old1:running new1:failed new2:failed new3:failed", 3,
			"2 FAILED, 1 COMPLETED", "start 1 of 1", "STOPPED"},
		{"the threshold grows with the desired count", breaking(8, true), "old1:running new1:failed new2:failed new3:failed", 3,
			"2 IN_PROGRESS, 1 COMPLETED", "start 8 of 2, start 7 of 1", "IN_PROGRESS"},
		{"no breaker, no end", service(1, 100, 200), "old1:running new1:failed new2:failed new3:failed new4:failed", 4,
			"2 IN_PROGRESS, 1 COMPLETED", "start 1 of 2", "IN_PROGRESS"},
		{"tasks that crash before they are healthy count", breaking(1, true), "old1:running new1:crashed new2:crashed new3:crashed", 0, "1 COMPLETED", "", "ROLLBACK_SUCCESSFUL"},
		{"tasks replaced for their health count", breaking(1, true), "old1:running new1:unwell new2:unwell new3:unwell", 0, "1 COMPLETED", "", "ROLLBACK_SUCCESSFUL"},
		{"who was stopped by somebody does not", breaking(1, true), "old1:running new1:failed new2:failed new3:failed,asked", 2,
			"2 IN_PROGRESS, 1 COMPLETED", "start 1 of 2", "IN_PROGRESS"},
		{"a success ends the row", breaking(3, true), "old1:running new1:failed new2:failed new3:failed new4:running", 0,
			"2 IN_PROGRESS, 1 COMPLETED", "start 2 of 2, start 1 of 1", "IN_PROGRESS"},
	} {
		t.Run(c.name, func(t *testing.T) {
			status := statusOf()
			got := rollout.Plan(rollout.Input{Service: c.svc, Status: status, Tasks: tasks(c.tasks), History: deploying(""), Now: epoch.Add(time.Hour)})
			if s := states(got.Status); s != c.states || text(got) != c.plan {
				t.Errorf("deployments %s, plan %q; want %s, %q", s, text(got), c.states, c.plan)
			}
			if n := got.Status.Deployments[0].FailedTasks; n != c.failed {
				t.Errorf("%d failed tasks, want %d", n, c.failed)
			}
			if len(got.History) != 1 || got.History[0].Status != c.history {
				t.Errorf("history %+v, want %s", got.History, c.history)
			}
		})
	}
}

func TestWhatIsSaidOfARollback(t *testing.T) {
	in := rollout.Input{Service: breaking(2, true), Status: statusOf(), Tasks: tasks("old1:running new1:failed new2:failed new3:failed"),
		History: deploying(""), Now: epoch.Add(time.Hour)}
	got := rollout.Plan(in)
	want := []string{
		"(service web) (deployment ecs-svc/2) deployment failed: tasks failed to start.",
		"(service web) rolling back to deployment ecs-svc/1.",
	}
	if d := cmp.Diff(want, got.Say); d != "" {
		t.Error(d)
	}
	reason := "ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/1."
	if d := got.Status.Deployments[0]; d.Reason != reason || !d.UpdatedAt.Equal(in.Now) {
		t.Errorf("primary %+v", d)
	}
	h := got.History[0]
	if h.Status != "ROLLBACK_IN_PROGRESS" || h.Reason != reason || h.Rollback == nil || h.Rollback.Deployment != oldID || h.Failures != 3 || !h.Tripped {
		t.Errorf("history %+v", h)
	}
	again := in
	again.Status, again.History = got.Status, deploying("")
	again.History[0].Status = h
	if p := rollout.Plan(again); len(p.Say) != 0 || len(p.History) != 0 {
		t.Errorf("says %q, history %+v again", p.Say, p.History)
	}
	again.Tasks = tasks("old1:running old2:running new1:failed new2:failed new3:failed")
	done := rollout.Plan(again)
	if states(done.Status) != "1 COMPLETED" || len(done.History) != 1 || done.History[0].Status != "ROLLBACK_SUCCESSFUL" {
		t.Errorf("%s; %+v", states(done.Status), done.History)
	}
	if end := done.History[0]; end.Failures != 3 || end.Counts[oldID] != (ecs.DeploymentCounts{Desired: 2, Running: 2}) || end.FinishedAt.IsZero() || !end.StoppedAt.IsZero() {
		t.Errorf("ended as %+v", end)
	}
}

// A deployment that failed and has nothing to go back to starts no tasks until it is replaced.
func TestThereMayBeNoWayBack(t *testing.T) {
	in := rollout.Input{Service: breaking(1, true), Tasks: tasks("new1:failed new2:failed new3:failed"), History: deploying(""), Now: epoch.Add(time.Hour)}
	got := rollout.Plan(in)
	if states(got.Status) != "2 FAILED" || text(got) != "" || got.Status.Rollback != nil || got.History[0].Status != "STOPPED" || got.History[0].StoppedAt.IsZero() {
		t.Fatalf("%s, %q, %+v", states(got.Status), text(got), got.History[0])
	}
	if r := got.Status.Deployments[0].Reason; r != "ECS deployment circuit breaker: tasks failed to start." {
		t.Error(r)
	}
	in.Status, in.History, in.Now = got.Status, nil, in.Now.Add(time.Hour)
	if again := rollout.Plan(in); !again.Empty() {
		t.Errorf("goes on: %+v", again)
	}
	next := *in.Service
	next.Target.ID = "ecs-svc/3"
	in.Service = &next
	if again := rollout.Plan(in); text(again) != "start 1 of 3" {
		t.Errorf("%q", text(again))
	}
}

// A way back that fails is not gone back from, and a newer target ends it.
func TestAWayBackMayFail(t *testing.T) {
	status := statusOf()
	status.Rollback = &ecs.ServiceRollback{From: newID, To: ecs.Deployment{ID: oldID, CreatedAt: epoch}, Reason: "r"}
	status.Deployments = []ecs.DeploymentStatus{deployment(oldID, "IN_PROGRESS")}
	history := deploying("")
	history[0].Status = &ecs.ServiceDeploymentStatus{ID: "d2", Status: "ROLLBACK_IN_PROGRESS", Rollback: &ecs.DeploymentRollback{Deployment: oldID}}
	in := rollout.Input{Service: breaking(1, true), Status: status, Tasks: tasks("old1:failed old2:failed old3:failed"), History: history, Now: epoch.Add(time.Hour)}
	got := rollout.Plan(in)
	if states(got.Status) != "1 FAILED" || got.History[0].Status != "ROLLBACK_FAILED" || text(got) != "" {
		t.Errorf("%s, %q, %+v", states(got.Status), text(got), got.History)
	}
	next := *in.Service
	next.Target.ID = "ecs-svc/3"
	in.Service = &next
	if got = rollout.Plan(in); got.Status.Rollback != nil || got.History[0].Status != "ROLLBACK_FAILED" || text(got) != "start 1 of 3" {
		t.Errorf("%+v, %q, %+v", got.Status.Rollback, text(got), got.History)
	}
}

func TestStopping(t *testing.T) {
	for stop, want := range map[string]struct{ plan, history string }{
		"ROLLBACK": {"stop new1", "ROLLBACK_IN_PROGRESS"},
		"ABORT":    {"", "STOPPED"},
	} {
		in := rollout.Input{Service: service(1, 100, 200), Status: statusOf(), Tasks: tasks("old1:running new1"), History: deploying(stop), Now: epoch.Add(time.Hour)}
		got := rollout.Plan(in)
		if text(got) != want.plan || !strings.Contains(got.Say[0], "(deployment ecs-svc/2) deployment stopped by user.") {
			t.Errorf("%s: %s, %q, says %q", stop, states(got.Status), text(got), got.Say)
		}
		if h := got.History[0].Status; h != want.history {
			t.Errorf("%s: history %s", stop, h)
		}
	}
}

func TestAReplacedOrDeletedServiceEndsItsDeployments(t *testing.T) {
	older := &ecs.ServiceDeployment{Cluster: "c", Service: "web", Incarnation: "x", ID: "d1", Target: oldID}
	in := rollout.Input{Service: service(1, 100, 200), Status: statusOf(), Now: epoch,
		History: slices.Concat(deploying(""), []ecs.ServiceDeploymentView{{ServiceDeployment: older}})}
	got := rollout.Plan(in)
	if len(got.History) != 2 || got.History[0].Status != "IN_PROGRESS" || got.History[1].Status != "STOPPED" || !strings.Contains(got.History[1].Reason, "newer") {
		t.Errorf("%+v", got.History)
	}
	in.Service.DeletedAt = epoch
	if got = rollout.Plan(in); got.History[0].Status != "STOPPED" || !strings.Contains(got.History[0].Reason, "deleted") {
		t.Errorf("%+v", got.History[0])
	}
}

// With a circuit breaker tasks have to stay up for a while before the deployment is done.
func TestADeploymentWithABreakerIsProven(t *testing.T) {
	in := rollout.Input{Service: breaking(1, true), Status: statusOf(), Tasks: tasks("old1:running new1:running"), Now: epoch.Add(4 * time.Second)}
	in.Tasks[0].StartedAt = epoch.Add(-time.Hour)
	if got := rollout.Plan(in); text(got) != "" || got.After != 6*time.Second {
		t.Errorf("%q, after %v", text(got), got.After)
	}
	in.Now = epoch.Add(10 * time.Second)
	if got := rollout.Plan(in); text(got) != "stop old1" {
		t.Errorf("%q", text(got))
	}
}
