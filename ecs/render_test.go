package ecs

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// bare are the records of things that have nothing in them.
func bare() (TaskView, ServiceView, *Cluster, InstanceView) {
	task, status := pair()
	h := task.Home
	tv := TaskView{Task: task, Status: status, Desired: &TaskDesired{Status: TaskRunning}}
	sv := ServiceView{Service: &Service{Home: h, Cluster: "default", Name: "web", PropagateTags: "NONE",
		Target: Deployment{ID: "ecs-svc/1234567890123456789", CreatedAt: at(0)}}}
	return tv, sv, &Cluster{Home: h, Name: "default", Status: ClusterActive},
		InstanceView{Instance: &Instance{Home: h, Cluster: "default", ID: "i"}, State: &InstanceState{Status: InstanceActive}}
}

func TestAlwaysAnsweredMembers(t *testing.T) {
	tv, sv, cluster, iv := bare()
	task, service := RenderTask(tv), RenderService(sv)
	answers := map[string]any{
		"Task": task, "TaskOverride": task.Overrides, "Container": task.Containers[0],
		"Service": service, "Deployment": service.Deployments[0],
		"Cluster": RenderCluster(cluster, ClusterCounts{}), "ContainerInstance": RenderInstance(iv),
	}
	for _, row := range AlwaysAnswered {
		var members map[string]json.RawMessage
		b, err := json.Marshal(answers[row.Shape])
		if err == nil {
			err = json.Unmarshal(b, &members)
		}
		if err != nil || row.Source == "" {
			t.Fatalf("%s: %v, source %q", row.Shape, err, row.Source)
		}
		for _, m := range row.Members {
			if _, ok := members[m]; !ok {
				t.Errorf("%s is answered without %s; see %s", row.Shape, m, row.Source)
			}
		}
	}
}

func TestRenderTask(t *testing.T) {
	v, _, _, _ := bare()
	v.Status, _ = v.Fold(v.Status, Report{Status: TaskRunning, Containers: []ContainerReport{bound("app")}, PullStartedAt: at(1)}, at(2))
	v.Desired, _ = v.Desired.Stopped(shape.TaskStopCodeUserInitiated, ReasonUserStopped, at(3))
	v.Status, _ = v.Fold(v.Status, Report{Status: TaskStopped, Containers: []ContainerReport{down("app", 143, "")}}, at(4))
	got := RenderTask(v)
	for name, c := range map[string][2]string{
		"taskArn":       {aws.Val(got.TaskArn), "arn:aws:ecs:us-east-1:000000000000:task/default/t"},
		"lastStatus":    {aws.Val(got.LastStatus), "STOPPED"},
		"desiredStatus": {aws.Val(got.DesiredStatus), "STOPPED"},
		"stopCode":      {aws.Val(got.StopCode), "UserInitiated"},
		"stoppedReason": {aws.Val(got.StoppedReason), "Task stopped by user"},
		"connectivity":  {aws.Val(got.Connectivity), "CONNECTED"},
		"container":     {aws.Val(got.Containers[0].LastStatus), "STOPPED"},
		"override":      {aws.Val(got.Overrides.ContainerOverrides[1].Name), "side"},
	} {
		if c[0] != c[1] {
			t.Errorf("%s: %q, want %q", name, c[0], c[1])
		}
	}
	if aws.Val(got.Containers[0].ExitCode) != 143 || len(got.Containers[0].NetworkBindings) != 1 {
		t.Errorf("container: %+v", got.Containers[0])
	}
	if b, err := json.Marshal(got.StoppedAt); err != nil || string(b) != "1767323049.000" {
		t.Errorf("stoppedAt: %s %v", b, err)
	}
}

func TestATaskHasItsLaunchTypeAndItsCapacityProvider(t *testing.T) {
	v, _, _, _ := bare()
	v.LaunchType = shape.LaunchTypeEc2
	if got := RenderTask(v); aws.Val(got.LaunchType) != "EC2" || got.CapacityProviderName != nil {
		t.Errorf("without: %+v", got)
	}
	v.LaunchType, v.CapacityProvider = shape.LaunchTypeFargate, "FARGATE_SPOT"
	if got := RenderTask(v); aws.Val(got.LaunchType) != "FARGATE" || aws.Val(got.CapacityProviderName) != "FARGATE_SPOT" {
		t.Errorf("with: %+v", got)
	}
}

func TestRemainingResources(t *testing.T) {
	_, _, _, v := bare()
	number := func(name string, n int32) shape.Resource {
		return shape.Resource{Name: aws.Ptr(name), Type: aws.Ptr(TypeInteger), IntegerValue: aws.Ptr(n)}
	}
	v.Resources = []shape.Resource{number("CPU", 2048), number("MEMORY", 3768),
		{Name: aws.Ptr("PORTS"), Type: aws.Ptr(TypeStringSet), StringSetValue: []string{"22", "51678"}}, {Name: aws.Ptr("PORTS_UDP"), Type: aws.Ptr(TypeStringSet)}}
	v.Ledger = v.FirstLedger()
	v.Ledger.Used = Amounts{CPU: 100, MemoryMiB: 300, TCP: []int{22, 80}, UDP: []int{53}}
	rs := RenderInstance(v).RemainingResources
	if *rs[0].IntegerValue != 1948 || *rs[1].IntegerValue != 3468 {
		t.Errorf("cpu %d, memory %d", *rs[0].IntegerValue, *rs[1].IntegerValue)
	}
	if d := cmp.Diff([][]string{{"22", "51678", "80"}, {"53"}}, [][]string{rs[2].StringSetValue, rs[3].StringSetValue}); d != "" {
		t.Error(d)
	}
	if rs[0].DoubleValue == nil || rs[0].LongValue == nil || rs[2].IntegerValue == nil {
		t.Error("a zero that AWS answers is missing")
	}
	if *RenderInstance(v).RegisteredResources[0].IntegerValue != 2048 {
		t.Error("the registered resources moved")
	}
}

func TestDeploymentsOfAService(t *testing.T) {
	_, v, _, _ := bare()
	const old, target = "ecs-svc/1000000000000000001", "ecs-svc/1234567890123456789"
	known := func(id, state string) DeploymentStatus {
		return DeploymentStatus{Deployment: Deployment{ID: id, CreatedAt: at(0)}, UpdatedAt: at(1), RolloutState: state, Reason: "ECS deployment " + id + " completed."}
	}
	v.Counts = map[string]DeploymentCounts{old: {Desired: 2, Running: 2}, target: {Desired: 1, Pending: 1}}
	v.DesiredCount = 3
	for _, c := range []struct {
		name   string
		status *ServiceStatus
		want   []string // status, id, rolloutState
	}{
		{"the loop has seen nothing", nil, []string{"PRIMARY", target, "IN_PROGRESS"}},
		{"the loop has not seen the target", &ServiceStatus{Deployments: []DeploymentStatus{known(old, "COMPLETED")}},
			[]string{"PRIMARY", target, "IN_PROGRESS", "ACTIVE", old, "COMPLETED"}},
		{"the loop rolls out", &ServiceStatus{Deployments: []DeploymentStatus{known(target, "IN_PROGRESS"), known(old, "COMPLETED")}},
			[]string{"PRIMARY", target, "IN_PROGRESS", "ACTIVE", old, "COMPLETED"}},
		{"the rollout is over", &ServiceStatus{Deployments: []DeploymentStatus{known(target, "COMPLETED")}}, []string{"PRIMARY", target, "COMPLETED"}},
		{"the status is of an earlier service", &ServiceStatus{Incarnation: "earlier", Deployments: []DeploymentStatus{known(old, "COMPLETED")}},
			[]string{"PRIMARY", target, "IN_PROGRESS"}},
	} {
		v.Status = c.status
		var got []string
		s := RenderService(v)
		for _, d := range s.Deployments {
			got = append(got, *d.Status, *d.Id, *d.RolloutState)
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s:\n%s", c.name, d)
		}
		if *s.RunningCount != 2 || *s.PendingCount != 1 || *s.Deployments[0].DesiredCount != 3 {
			t.Errorf("%s: running %d, pending %d, desired %d", c.name, *s.RunningCount, *s.PendingCount, *s.Deployments[0].DesiredCount)
		}
	}
}

func TestScalingMovesThePrimarysUpdatedAt(t *testing.T) {
	_, v, _, _ := bare()
	v.DesiredAt = at(7)
	if d := RenderService(v).Deployments[0]; !d.UpdatedAt.Equal(at(7)) || *d.RolloutStateReason != "ECS deployment ecs-svc/1234567890123456789 in progress." {
		t.Errorf("%v %s", d.UpdatedAt, *d.RolloutStateReason)
	}
}

func TestStatusOfAService(t *testing.T) {
	_, v, _, _ := bare()
	if got := v.ShownStatus(); got != ServiceActive {
		t.Error(got)
	}
	v.DeletedAt = at(1)
	if got := v.ShownStatus(); got != ServiceDraining {
		t.Error(got)
	}
	v.Status = &ServiceStatus{InactiveAt: at(2)}
	if got := RenderService(v); *got.Status != ServiceInactive || len(got.Deployments) != 0 {
		t.Errorf("%s with %d deployments", *got.Status, len(got.Deployments))
	}
}

func TestDeploymentID(t *testing.T) {
	seen := map[string]bool{}
	for _, hex := range []string{"0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdee", ""} {
		id := DeploymentID(hex)
		if len(id) != len(DeploymentPrefix)+19 || seen[id] {
			t.Errorf("%q makes %q", hex, id)
		}
		seen[id] = true
	}
}
