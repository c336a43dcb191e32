package rollout_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/rollout"
	"github.com/berth-ecs/berth/ecs/target"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// oldID and newID are deployments; a service's target is newID.
const oldID, newID = "ecs-svc/1", "ecs-svc/2"

func service(desired, minimum, maximum int32) *ecs.Service {
	return &ecs.Service{
		Cluster: "c", Name: "web", Incarnation: "x", DesiredCount: desired,
		Configuration: shape.DeploymentConfiguration{MinimumHealthyPercent: aws.Ptr(minimum), MaximumPercent: aws.Ptr(maximum)},
		Target:        ecs.Deployment{ID: newID, CreatedAt: epoch},
	}
}

func deployment(id, state string) ecs.DeploymentStatus {
	return ecs.DeploymentStatus{Deployment: ecs.Deployment{ID: id, CreatedAt: epoch}, UpdatedAt: epoch, RolloutState: state}
}

// statusOf has the target in progress and the old deployment completed.
func statusOf() *ecs.ServiceStatus {
	return &ecs.ServiceStatus{Cluster: "c", Name: "web", Incarnation: "x", Deployments: []ecs.DeploymentStatus{
		deployment(newID, "IN_PROGRESS"), deployment(oldID, "COMPLETED"),
	}}
}

// tasks reads a line of tasks: "old1:running", "new2:pending,draining". The name's head is the deployment.
func tasks(line string) []rollout.Task {
	var out []rollout.Task
	for i, word := range strings.Fields(line) {
		name, traits, _ := strings.Cut(word, ":")
		t := rollout.Task{ID: name, Deployment: newID, Instance: "i", Wanted: true, LastStatus: ecs.TaskPending, CreatedAt: epoch.Add(time.Duration(i) * time.Second)}
		if strings.HasPrefix(name, "old") {
			t.Deployment = oldID
		}
		for trait := range strings.SplitSeq(traits, ",") {
			set(&t, trait)
		}
		out = append(out, t)
	}
	return out
}

func set(t *rollout.Task, trait string) {
	switch trait {
	case "running":
		t.LastStatus, t.StartedAt = ecs.TaskRunning, epoch
	case "unhealthy":
		t.LastStatus, t.StartedAt, t.Checked, t.Health = ecs.TaskRunning, epoch, true, shape.HealthStatusUnhealthy
	case "starting": // RUNNING, its health check still evaluating
		t.LastStatus, t.StartedAt, t.Checked, t.Health = ecs.TaskRunning, epoch, true, shape.HealthStatusUnknown
	case "initial": // RUNNING, its target not yet healthy
		t.LastStatus, t.StartedAt, t.Behind = ecs.TaskRunning, epoch, &rollout.Behind{}
	case "serving":
		t.LastStatus, t.StartedAt, t.Behind = ecs.TaskRunning, epoch, &rollout.Behind{Serving: true, Since: epoch}
	case "failing": // its target unhealthy
		t.LastStatus, t.StartedAt = ecs.TaskRunning, epoch
		t.Behind = &rollout.Behind{Failing: &target.Status{Target: target.Target{Group: "arn", ID: "10.0.0.1", Port: 80}, State: target.Unhealthy,
			Reason: "Target.Timeout", Description: "Request timed out"}}
	case "protected":
		t.ProtectedUntil = epoch.Add(2 * time.Hour)
	case "draining":
		t.Draining = true
	case "stopping":
		t.Wanted, t.Asked = false, true
	case "failed": // never RUNNING, ended by itself
		t.Wanted, t.LastStatus, t.StoppedAt = false, ecs.TaskStopped, t.CreatedAt.Add(time.Second)
	case "crashed": // soon after it was RUNNING
		t.Wanted, t.LastStatus, t.StartedAt, t.StoppedAt = false, ecs.TaskStopped, t.CreatedAt, t.CreatedAt.Add(time.Second)
	case "unwell": // stopped for its health
		t.Wanted, t.Asked, t.Unwell, t.Checked, t.LastStatus = false, true, true, true, ecs.TaskStopped
		t.StartedAt, t.StoppedAt = t.CreatedAt, t.CreatedAt.Add(time.Minute)
	case "last":
		t.Last = true
	case "asked":
		t.Asked = true
	}
}

// text is a plan in one line: starts, then stops.
func text(s rollout.Steps) string {
	var out []string
	for _, st := range s.Starts {
		out = append(out, fmt.Sprintf("start %d of %s", st.Count, strings.TrimPrefix(st.Deployment.ID, "ecs-svc/")))
	}
	for _, st := range s.Stops {
		out = append(out, "stop "+st.Task)
	}
	return strings.Join(out, ", ")
}

func TestSteps(t *testing.T) {
	for _, c := range []struct {
		name                      string
		desired, minimum, maximum int32
		tasks                     string
		want                      string
	}{
		{"a new service starts all", 3, 100, 200, "", "start 3 of 2"},
		{"a lost task is replaced", 3, 100, 200, "new1:running new2:running", "start 1 of 2"},
		{"pending tasks count", 2, 100, 200, "new1:running new2", ""},
		{"stopping tasks do not", 2, 100, 200, "new1:running new2:running,stopping", "start 1 of 2"},
		{"converged", 2, 100, 200, "new1:running new2:running", ""},

		{"scale-in leaves protected tasks alone", 1, 100, 200, "new1:running,protected new2:running new3:running,protected", "stop new2"},
		{"scale-in waits for protected tasks", 1, 100, 200, "new1:running,protected new2:running,protected", ""},
		{"rolling: starts beside protected tasks", 2, 100, 200, "old1:running,protected old2:running", "start 2 of 2"},
		{"rolling: protected tasks stay", 2, 100, 200, "old1:running,protected old2:running new1:running new2:running", "stop old2"},
		{"rolling: waits for protected tasks", 1, 100, 200, "old1:running,protected new1:running", ""},
		{"rolling: protected tasks take the place of new ones", 2, 50, 100, "old1:running,protected old2:running,protected", ""},
		{"draining: protected tasks stay", 1, 100, 200, "new1:running,draining,protected new2:running", ""},
		{"an unhealthy task is replaced although it is protected", 1, 0, 100, "new1:unhealthy,protected", "stop new1"},
		{"rolling: starts first", 2, 100, 200, "old1:running old2:running", "start 2 of 2"},
		{"rolling: waits for the new ones", 2, 100, 200, "old1:running old2:running new1 new2", ""},
		{"rolling: RUNNING is not yet healthy with a health check", 1, 100, 200, "old1:running new1:starting", ""},
		{"rolling: each healthy one replaces one", 2, 100, 200, "old1:running old2:running new1:running new2", "stop old1"},
		{"rolling: the last ones go", 2, 100, 200, "old1:running new1:running new2:running", "stop old1"},
		{"rolling: within maximumPercent, rounded down", 4, 100, 130, "old1:running old2:running old3:running old4:running", "start 1 of 2"},
		{"rolling: stops first within minimumHealthyPercent", 4, 50, 100, "old1:running old2:running old3:running old4:running", "stop old1, stop old2"},
		{"rolling: minimumHealthyPercent rounds up", 3, 50, 100, "old1:running old2:running old3:running", "stop old1"},
		{"rolling: zero may stop all", 2, 0, 100, "old1:running old2:running", "stop old1, stop old2"},
		{"rolling: what never ran goes at once", 2, 100, 200, "old1 old2:running", "start 2 of 2, stop old1"},

		{"unhealthy: replaced first", 2, 100, 200, "new1:running new2:unhealthy", "start 1 of 2"},
		{"unhealthy: stopped when replaced", 2, 100, 200, "new1:running new2:unhealthy new3:running", "stop new2"},
		{"unhealthy: waits for its replacement", 2, 100, 200, "new1:running new2:unhealthy new3", ""},
		{"unhealthy: without room one by one", 4, 50, 100, "new1:running new2:running new3:unhealthy new4:unhealthy", "stop new3"},
		{"unhealthy: one by one, next waits", 4, 50, 100, "new1:running new2:running new3:unhealthy new4", ""},
		{"unhealthy: one by one also below the minimum", 2, 100, 100, "new1:unhealthy new2:unhealthy", "stop new1"},

		{"behind: waits for targets", 1, 100, 200, "old1:serving new1:initial", ""},
		{"behind: healthy ones replace", 2, 100, 200, "old1:serving old2:serving new1:serving new2:initial", "stop old1"},
		{"behind: both checks count", 1, 100, 200, "old1:serving new1:serving,starting", ""},
		{"behind: unhealthy ones are replaced first", 2, 100, 200, "new1:serving new2:failing", "start 1 of 2"},
		{"behind: unhealthy ones go one by one", 2, 0, 100, "new1:failing new2:failing", "stop new1"},
		{"behind: scale in takes what does not serve", 2, 100, 200, "new1:serving new2:initial new3:serving", "stop new2"},

		{"scale in", 1, 100, 200, "new1:running new2:running", "stop new2"},
		{"scale in: what is pending first", 2, 100, 200, "new1:running new2 new3:running", "stop new2"},
		{"scale in to nothing", 0, 100, 200, "new1:running", "stop new1"},
		{"scale in while rolling takes the old ones", 1, 100, 200, "old1:running old2:running new1:running", "stop old1, stop old2"},

		{"draining: PENDING at once", 2, 100, 200, "new1:running new2:pending,draining", "start 1 of 2, stop new2"},
		{"draining: RUNNING is replaced first", 2, 100, 200, "new1:running new2:running,draining", "start 1 of 2"},
		{"draining: RUNNING goes by the percentages", 2, 50, 100, "new1:running,draining new2:running,draining", "stop new1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			svc := service(c.desired, c.minimum, c.maximum)
			got := rollout.Plan(rollout.Input{Service: svc, Status: statusOf(), Tasks: tasks(c.tasks), Now: epoch.Add(time.Minute), Seed: 1})
			if s := text(got); s != c.want && !sameCount(s, c.want) {
				t.Errorf("got  %q\nwant %q", s, c.want)
			}
		})
	}
}

// sameCount lets the strategy choose among like tasks: it is enough that as many are stopped of each kind.
func sameCount(got, want string) bool {
	strip := strings.NewReplacer("1", "", "2", "", "3", "", "4", "")
	return strings.Contains(want, "stop old") && strings.HasPrefix(want, "stop") && strip.Replace(got) == strip.Replace(want) ||
		want == "stop new2" && got == "stop new1" || want == "stop new1" && got == "stop new2" || want == "stop new3" && got == "stop new4"
}

func TestReasons(t *testing.T) {
	got := rollout.Plan(rollout.Input{
		Service: service(1, 100, 200), Status: statusOf(), Tasks: tasks("new1:unhealthy new2:running old1:running"), Now: epoch.Add(time.Minute),
	})
	want := []rollout.Stop{
		{Task: "new1", Running: true, Code: "ServiceSchedulerInitiated", Reason: "Task failed container health checks"},
		{Task: "old1", Running: true, Code: "ServiceSchedulerInitiated", Reason: "Scaling activity initiated by (deployment ecs-svc/1)"},
	}
	if diff := cmp.Diff(want, got.Stops); diff != "" {
		t.Error(diff)
	}
	say := []string{
		"(service web) (task new1) failed container health checks.",
		"(service web) has stopped 2 running tasks: (task new1) (task old1).",
	}
	if diff := cmp.Diff(say, got.Say); diff != "" {
		t.Error(diff)
	}
}

func TestADeploymentCompletesOnce(t *testing.T) {
	svc, status := service(1, 100, 200), statusOf()
	in := rollout.Input{Service: svc, Status: status, Tasks: tasks("new1:running"), Now: epoch.Add(time.Minute)}
	got := rollout.Plan(in)
	want := []string{"(service web) (deployment ecs-svc/2) deployment completed.", "(service web) has reached a steady state."}
	if diff := cmp.Diff(want, got.Say); diff != "" {
		t.Error(diff)
	}
	d := got.Status.Deployments
	if len(d) != 1 || d[0].RolloutState != "COMPLETED" || d[0].Reason != "ECS deployment ecs-svc/2 completed." {
		t.Errorf("deployments %+v", d)
	}
	if len(status.Deployments) != 2 {
		t.Error("the given status was changed")
	}
	in.Status = got.Status
	if again := rollout.Plan(in); !again.Empty() || again.After != 6*time.Hour {
		t.Errorf("a converged service has a plan: %+v", again)
	}

	in.Tasks = nil
	broken := rollout.Plan(in)
	in.Tasks, in.Status = tasks("new1:running"), broken.Status
	if diff := cmp.Diff(want[1:], rollout.Plan(in).Say); diff != "" {
		t.Error("after a replacement:", diff)
	}
}

func TestANewTargetIsInProgress(t *testing.T) {
	svc := service(1, 100, 200)
	got := rollout.Plan(rollout.Input{Service: svc, Tasks: tasks("old1:running"), Now: epoch})
	d := got.Status.Deployments
	if len(d) != 1 || d[0].ID != newID || d[0].RolloutState != "IN_PROGRESS" || d[0].Reason != "ECS deployment ecs-svc/2 in progress." {
		t.Errorf("deployments %+v", d)
	}
}

func TestDeploymentsLeaveWhenTheirTasksShouldNotRun(t *testing.T) {
	in := rollout.Input{Service: service(1, 100, 200), Status: statusOf(), Tasks: tasks("new1:running old1:running"), Now: epoch.Add(time.Minute)}
	got := rollout.Plan(in)
	if len(got.Stops) != 1 || len(got.Status.Deployments) != 2 {
		t.Fatalf("%s; deployments %+v", text(got), got.Status.Deployments)
	}
	in.Status, in.Tasks = got.Status, tasks("new1:running old1:running,stopping")
	if got = rollout.Plan(in); len(got.Status.Deployments) != 1 {
		t.Errorf("a drained deployment stays: %+v", got.Status.Deployments)
	}
}

func TestDeletion(t *testing.T) {
	svc := service(2, 100, 200)
	svc.DeletedAt = epoch
	in := rollout.Input{Service: svc, Status: statusOf(), Tasks: tasks("new1:running new2"), Now: epoch}
	got := rollout.Plan(in)
	if text(got) != "stop new1, stop new2" || !got.Status.InactiveAt.IsZero() {
		t.Errorf("%s, inactive at %v", text(got), got.Status.InactiveAt)
	}
	in.Status, in.Tasks = got.Status, tasks("new1:running,stopping new2:stopping")
	got = rollout.Plan(in)
	if !got.Status.InactiveAt.Equal(epoch) || len(got.Status.Deployments) != 0 {
		t.Errorf("status %+v", got.Status)
	}
	in.Status, in.Now = got.Status, epoch.Add(time.Hour)
	if again := rollout.Plan(in); !again.Empty() {
		t.Errorf("an INACTIVE service has a plan: %+v", again)
	}
}

func TestHealthyAfter(t *testing.T) {
	in := rollout.Input{
		Service: service(1, 100, 200), Status: statusOf(), Tasks: tasks("old1:running new1:running"),
		HealthyAfter: 40 * time.Second, Now: epoch.Add(30 * time.Second),
	}
	in.Tasks[0].StartedAt = epoch.Add(-time.Hour)
	if got := rollout.Plan(in); text(got) != "" || got.After != 10*time.Second {
		t.Errorf("%q, after %v", text(got), got.After)
	}
	in.Now = epoch.Add(40 * time.Second)
	if got := rollout.Plan(in); text(got) != "stop old1" {
		t.Errorf("%q", text(got))
	}
}

func TestGracePeriod(t *testing.T) {
	svc := service(1, 100, 200)
	svc.GracePeriod = aws.Ptr(int32(60))
	in := rollout.Input{Service: svc, Status: statusOf(), Tasks: tasks("new1:unhealthy"), Now: epoch.Add(20 * time.Second)}
	if got := rollout.Plan(in); text(got) != "" || got.After != 40*time.Second || got.Status.Deployments[0].RolloutState != "IN_PROGRESS" {
		t.Errorf("%q, after %v, %+v", text(got), got.After, got.Status.Deployments[0])
	}
	in.Now = epoch.Add(time.Minute)
	if got := rollout.Plan(in); text(got) != "start 1 of 2" {
		t.Errorf("%q", text(got))
	}
}

func TestLimits(t *testing.T) {
	for _, c := range []struct{ desired, minimum, maximum, floor, ceiling int32 }{
		{4, 100, 200, 4, 8}, {3, 50, 150, 2, 4}, {1, 1, 199, 1, 1}, {0, 100, 200, 0, 0}, {10, 0, 125, 0, 12},
	} {
		floor, ceiling := rollout.Limits(service(c.desired, c.minimum, c.maximum))
		if floor != int(c.floor) || ceiling != int(c.ceiling) {
			t.Errorf("%+v: got %d, %d", c, floor, ceiling)
		}
	}
	svc := service(3, 0, 0)
	svc.Configuration = shape.DeploymentConfiguration{}
	if floor, ceiling := rollout.Limits(svc); floor != 3 || ceiling != 6 {
		t.Errorf("defaults are %d, %d", floor, ceiling)
	}
}

func TestPercentagesThatForbidEverythingAreTold(t *testing.T) {
	in := rollout.Input{Service: service(1, 100, 150), Status: statusOf(), Tasks: tasks("old1:running"), Now: epoch}
	got := rollout.Plan(in)
	if len(got.Say) != 1 || !strings.Contains(got.Say[0], "because of the service deployment configuration") {
		t.Fatalf("says %q", got.Say)
	}
	in.Status = got.Status
	if got = rollout.Plan(in); !got.Empty() {
		t.Errorf("says again %q", got.Say)
	}
	in.Now = epoch.Add(6 * time.Hour)
	if got = rollout.Plan(in); len(got.Say) != 1 {
		t.Error("does not say it again after six hours")
	}
}

// Whatever the strategy would choose, an unhealthy task does not outlive its unhealthy replacements.
func TestOldestUnhealthyTaskGoesFirst(t *testing.T) {
	for line, want := range map[string]string{"new1:unhealthy new2:unhealthy": "stop new1", "new2:unhealthy new1:unhealthy": "stop new2"} {
		for seed := range uint64(20) {
			in := rollout.Input{Service: service(1, 100, 200), Status: statusOf(), Tasks: tasks(line), Now: epoch, Seed: seed}
			if got := text(rollout.Plan(in)); !strings.HasPrefix(got, want) {
				t.Errorf("%s, seed %d: %q", line, seed, got)
			}
		}
	}
}

// A task whose target is unhealthy goes for that reason once its grace period is over; the service says what load balancers see, also where it
// asked that such tasks stay.
func TestUnhealthyTargets(t *testing.T) {
	const said = "(service web) (task new1) (port 80) is unhealthy in (target-group arn) due to (reason Request timed out)"
	for _, c := range []struct {
		name, tag string
		grace     int32
		stops     int
		says      bool
	}{
		{"in time", "", 120, 0, false},
		{"too long", "", 30, 1, true},
		{"readiness only", "readiness", 30, 0, true},
		{"another word", "liveness", 30, 1, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			svc := service(1, 0, 100)
			svc.GracePeriod = &c.grace
			svc.Tags = []shape.Tag{{Key: aws.Ptr("berth:target-health"), Value: &c.tag}}
			in := rollout.Input{Service: svc, Status: statusOf(), Tasks: tasks("new1:failing"), Now: epoch.Add(time.Minute)}
			got := rollout.Plan(in)
			if len(got.Stops) != c.stops || c.stops > 0 && got.Stops[0].Reason != "Task failed ELB health checks in (target-group arn)" {
				t.Errorf("stops %+v", got.Stops)
			}
			if slices.Contains(got.Say, said) != c.says {
				t.Errorf("says %q", got.Say)
			}
			in.Status, in.Now = got.Status, in.Now.Add(time.Second)
			if again := rollout.Plan(in); slices.Contains(again.Say, said) {
				t.Error("says it again")
			}
		})
	}
}
