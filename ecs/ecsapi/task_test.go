package ecsapi

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

func TestTheLifeOfATask(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	instance := r.instance()
	id := r.run(r.definition("web", 100, 64))
	expect := func(last, desired string, free int32) shape.Task {
		t.Helper()
		got := r.task(id)
		if *got.LastStatus != last || *got.DesiredStatus != desired || r.freeCPU(instance) != free {
			t.Errorf("%s, to be %s, %d CPU units free; want %s, %s, %d", *got.LastStatus, *got.DesiredStatus, r.freeCPU(instance), last, desired, free)
		}
		return got
	}
	first := expect("PENDING", "RUNNING", 924)
	if *first.Group != "family:web" || *first.LaunchType != "EC2" || *first.AvailabilityZone != "us-east-1a" {
		t.Errorf("%+v", first)
	}
	r.now = r.now.Add(time.Second)
	r.report(id, "RUNNING")
	running := expect("RUNNING", "RUNNING", 924)
	if !running.StartedAt.Equal(r.now) || *running.Connectivity != "CONNECTED" || *running.Version <= *first.Version {
		t.Errorf("%+v", running)
	}
	r.now = r.now.Add(time.Second)
	out := must(r, shape.OpStopTask, r.api.StopTask, &shape.StopTaskRequest{Task: &id}).Task
	if *out.LastStatus != "RUNNING" || *out.DesiredStatus != "STOPPED" || *out.StoppedReason != "Task stopped by user" || *out.StopCode != "UserInitiated" {
		t.Errorf("%+v", out)
	}
	stopping := expect("STOPPING", "STOPPED", 924) // what it holds is freed at STOPPED
	if !stopping.StoppingAt.Equal(r.now) {
		t.Errorf("stoppingAt %v", stopping.StoppingAt)
	}
	r.report(id, "STOPPED")
	r.report(id, "STOPPED")
	r.report(id, "RUNNING") // late
	end := expect("STOPPED", "STOPPED", 1024)
	if *end.StopCode != "UserInitiated" || *end.StoppedReason != "Task stopped by user" || *end.Containers[0].ExitCode != 0 {
		t.Errorf("%+v", end)
	}
	must(r, shape.OpStopTask, r.api.StopTask, &shape.StopTaskRequest{Task: &id, Reason: aws.Ptr("again")})
	if got := r.task(id); *got.StoppedReason != "Task stopped by user" {
		t.Errorf("a stopped task has another reason: %s", *got.StoppedReason)
	}
}

// A report frees what the task held once, however often it comes.
func TestTheLedgerIsReleasedOnce(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	instance := r.instance()
	first, second := r.run(r.definition("web", 100, 64)), r.run("web")
	for range 3 {
		r.report(first, "STOPPED")
	}
	if free := r.freeCPU(instance); free != 924 {
		t.Errorf("%d CPU units are free while one task of 100 runs", free)
	}
	r.report(second, "STOPPED")
	if free := r.freeCPU(instance); free != 1024 {
		t.Errorf("%d CPU units are free at the end", free)
	}
	if got := r.task(first); *got.DesiredStatus != "STOPPED" || *got.StopCode != "EssentialContainerExited" {
		t.Errorf("%s %s", *got.DesiredStatus, *got.StopCode)
	}
	list := must(r, shape.OpListTasks, r.api.ListTasks, &shape.ListTasksRequest{DesiredStatus: aws.Ptr("STOPPED")})
	if len(list.TaskArns) != 2 {
		t.Errorf("stopped tasks: %v", list.TaskArns)
	}
}

func TestRunTaskFailures(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	r.definition("web", 600, 64)
	run := func(count int32) (*shape.RunTaskResponse, error) {
		return do(r, shape.OpRunTask, r.api.RunTask, &shape.RunTaskRequest{TaskDefinition: aws.Ptr("web"), Count: &count})
	}
	_, err := run(1)
	refused(t, err, shape.CodeInvalidParameterException, "No Container Instances were found in your cluster.")
	instance := r.instance()
	out, err := run(2)
	if err != nil || len(out.Tasks) != 1 || len(out.Failures) != 1 {
		t.Fatalf("%+v %v", out, err)
	}
	if f := out.Failures[0]; *f.Reason != "RESOURCE:CPU" || *f.Arn != us.InstanceARN("default", instance) {
		t.Errorf("%+v", f)
	}
}

func TestRunTaskToken(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	r.instance()
	r.definition("web", 100, 64)
	in := &shape.RunTaskRequest{TaskDefinition: aws.Ptr("web"), ClientToken: aws.Ptr("token"), Count: aws.Ptr(int32(2))}
	first := must(r, shape.OpRunTask, r.api.RunTask, in)
	again := must(r, shape.OpRunTask, r.api.RunTask, in)
	if d := cmp.Diff(first, again); d != "" {
		t.Error(d)
	}
	in = &shape.RunTaskRequest{TaskDefinition: aws.Ptr("web"), ClientToken: aws.Ptr("token"), Count: aws.Ptr(int32(1))}
	_, err := do(r, shape.OpRunTask, r.api.RunTask, in)
	refused(t, err, shape.CodeConflictException, "clientToken")
	var e *aws.Error
	if !errors.As(err, &e) || len(e.Members["resourceIds"].([]string)) != 2 {
		t.Errorf("members: %+v", e)
	}
}

func TestTagsOfATask(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	r.instance()
	def := simple("web", 10, 64)
	def.Tags = []shape.Tag{{Key: aws.Ptr("team"), Value: aws.Ptr("a")}, {Key: aws.Ptr("cost"), Value: aws.Ptr("1")}}
	must(r, shape.OpRegisterTaskDefinition, r.api.RegisterTaskDefinition, def)
	out := must(r, shape.OpRunTask, r.api.RunTask, &shape.RunTaskRequest{TaskDefinition: aws.Ptr("web"),
		PropagateTags: aws.Ptr("TASK_DEFINITION"), EnableECSManagedTags: aws.Ptr(true), Tags: []shape.Tag{{Key: aws.Ptr("team"), Value: aws.Ptr("b")}}})
	got := map[string]string{}
	for _, tag := range out.Tasks[0].Tags {
		got[*tag.Key] = *tag.Value
	}
	if d := cmp.Diff(map[string]string{"team": "b", "cost": "1", "aws:ecs:clusterName": "default"}, got); d != "" {
		t.Error(d)
	}
	id := ecs.ShortID(*out.Tasks[0].TaskArn)
	stopped := must(r, shape.OpStopTask, r.api.StopTask, &shape.StopTaskRequest{Task: &id})
	if len(stopped.Task.Tags) != 0 || len(r.task(id).Tags) != 0 {
		t.Error("a stopped task keeps its tags")
	}
}

func TestOverridesAreAnswered(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	r.instance()
	r.definition("web", 10, 64)
	o := &shape.TaskOverride{ContainerOverrides: []shape.ContainerOverride{{Name: aws.Ptr("app"), Command: []string{"x"}}}}
	out := must(r, shape.OpRunTask, r.api.RunTask, &shape.RunTaskRequest{TaskDefinition: aws.Ptr("web"), Overrides: o,
		StartedBy: aws.Ptr("me"), Group: aws.Ptr("jobs"), ReferenceId: aws.Ptr("ref")})
	task := out.Tasks[0]
	if d := cmp.Diff([]string{"x"}, task.Overrides.ContainerOverrides[0].Command); d != "" || *task.StartedBy != "me" || *task.Group != "jobs" {
		t.Errorf("%+v", task)
	}
	o.ContainerOverrides[0].Name = aws.Ptr("nobody")
	_, err := do(r, shape.OpRunTask, r.api.RunTask, &shape.RunTaskRequest{TaskDefinition: aws.Ptr("web"), Overrides: o})
	refused(t, err, shape.CodeInvalidParameterException, "Override for container named nobody is not a container in the TaskDefinition.")
}

func TestStartTask(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	a, b := r.instance(), r.instance()
	r.definition("web", 1000, 64)
	start := func(on ...string) *shape.StartTaskResponse {
		return must(r, shape.OpStartTask, r.api.StartTask, &shape.StartTaskRequest{TaskDefinition: aws.Ptr("web"), ContainerInstances: on})
	}
	out := start(a, "gone")
	if len(out.Tasks) != 1 || *out.Tasks[0].ContainerInstanceArn != us.InstanceARN("default", a) || *out.Failures[0].Reason != "MISSING" {
		t.Fatalf("%+v", out)
	}
	if out = start(a); len(out.Tasks) != 0 || *out.Failures[0].Reason != "RESOURCE:CPU" {
		t.Errorf("%+v", out)
	}
	must(r, shape.OpDeregisterContainerInstance, r.api.DeregisterContainerInstance, &shape.DeregisterContainerInstanceRequest{ContainerInstance: &b})
	if out = start(b); len(out.Tasks) != 0 || *out.Failures[0].Reason != "INACTIVE" {
		t.Errorf("%+v", out.Failures)
	}
}

func TestListTasks(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	instance := r.instance()
	r.definition("web", 10, 64)
	r.definition("job", 10, 64)
	web := r.run("web")
	job := ecs.ShortID(*must(r, shape.OpRunTask, r.api.RunTask, &shape.RunTaskRequest{TaskDefinition: aws.Ptr("job"), StartedBy: aws.Ptr("me")}).Tasks[0].TaskArn)
	done := r.run("web")
	must(r, shape.OpStopTask, r.api.StopTask, &shape.StopTaskRequest{Task: &done})
	for _, c := range []struct {
		name string
		in   shape.ListTasksRequest
		want []string
	}{
		{"RUNNING unless told", shape.ListTasksRequest{}, []string{web, job}},
		{"STOPPED", shape.ListTasksRequest{DesiredStatus: aws.Ptr("STOPPED")}, []string{done}},
		{"PENDING is never desired", shape.ListTasksRequest{DesiredStatus: aws.Ptr("PENDING")}, nil},
		{"family", shape.ListTasksRequest{Family: aws.Ptr("web")}, []string{web}},
		{"startedBy", shape.ListTasksRequest{StartedBy: aws.Ptr("me")}, []string{job}},
		{"instance", shape.ListTasksRequest{ContainerInstance: &instance}, []string{web, job}},
		{"launch type", shape.ListTasksRequest{LaunchType: aws.Ptr("EXTERNAL")}, nil},
		{"several", shape.ListTasksRequest{Family: aws.Ptr("job"), StartedBy: aws.Ptr("me"), ContainerInstance: &instance, LaunchType: aws.Ptr("EC2")}, []string{job}},
	} {
		want := map[string]bool{}
		for _, id := range c.want {
			want[us.TaskARN("default", id)] = true
		}
		got := map[string]bool{}
		for _, arn := range must(r, shape.OpListTasks, r.api.ListTasks, &c.in).TaskArns {
			got[arn] = true
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s:\n%s", c.name, d)
		}
	}
}

func TestConnectivityFollowsTheAgent(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	instance := r.instance()
	id := r.run(r.definition("web", 10, 64))
	r.report(id, "RUNNING")
	key := tables.MemberKey(us, "default", instance)
	r.update(func(tx store.Tx) { tables.MarkConnected(tx, key, "s2", true) })
	r.update(func(tx store.Tx) { tables.MarkConnected(tx, key, "s1", false) }) // the end of the old session
	if got := r.task(id); *got.Connectivity != "CONNECTED" {
		t.Error("the end of an old session marked a new one as gone")
	}
	r.update(func(tx store.Tx) { tables.MarkConnected(tx, key, "s2", false) })
	if got := r.task(id); *got.Connectivity != "DISCONNECTED" {
		t.Errorf("connectivity %s", *got.Connectivity)
	}
}

func TestHealthOfATaskComesByTelemetry(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	r.instance()
	def := simple("web", 10, 64)
	def.ContainerDefinitions[0].HealthCheck = &shape.HealthCheck{Command: []string{"CMD", "true"}}
	must(r, shape.OpRegisterTaskDefinition, r.api.RegisterTaskDefinition, def)
	in := machine()
	in.Attributes = append(in.Attributes, shape.Attribute{Name: aws.Ptr("ecs.capability.container-health-check")},
		shape.Attribute{Name: aws.Ptr("com.amazonaws.ecs.capability.docker-remote-api.1.24")})
	able := ecs.ShortID(*must(r, shape.OpRegisterContainerInstance, r.api.RegisterContainerInstance, in).ContainerInstance.ContainerInstanceArn)
	r.update(func(tx store.Tx) { tables.MarkConnected(tx, tables.MemberKey(us, "default", able), "s", true) })
	id := r.run("web")
	r.report(id, "RUNNING")
	if got := r.task(id); *got.HealthStatus != "UNKNOWN" || *got.ContainerInstanceArn != us.InstanceARN("default", able) {
		t.Errorf("before telemetry: %s on %s", *got.HealthStatus, *got.ContainerInstanceArn)
	}
	r.update(func(tx store.Tx) {
		tables.ReportHealth(tx, tables.Wings{}, tables.MemberKey(us, "default", id), []ecs.HealthReport{{Container: "app", Status: "UNHEALTHY", Since: r.now}})
	})
	if got := r.task(id); *got.HealthStatus != "UNHEALTHY" || *got.Containers[0].HealthStatus != "UNHEALTHY" || *got.LastStatus != "RUNNING" {
		t.Errorf("%s, container %s, %s", *got.HealthStatus, *got.Containers[0].HealthStatus, *got.LastStatus)
	}
}

func TestSubmitContainerStateChange(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	r.instance()
	id := r.run(r.definition("web", 10, 64))
	must(r, shape.OpSubmitContainerStateChange, r.api.SubmitContainerStateChange, &shape.SubmitContainerStateChangeRequest{
		Task: &id, ContainerName: aws.Ptr("app"), Status: aws.Ptr("RUNNING"), RuntimeId: aws.Ptr("rt")})
	if got := r.task(id); *got.Containers[0].LastStatus != "RUNNING" || *got.LastStatus != "PENDING" {
		t.Errorf("container %s, task %s", *got.Containers[0].LastStatus, *got.LastStatus)
	}
}

// The end of an essential container is the task's: it should stop, though its node
// has yet to stop the others.
func TestTheEndOfAnEssentialContainerStopsTheTask(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	instance := r.instance()
	def := simple("web", 10, 64)
	def.ContainerDefinitions = append(def.ContainerDefinitions, shape.ContainerDefinition{
		Name: aws.Ptr("side"), Image: aws.Ptr("side:1"), Memory: aws.Ptr(int32(64)), Essential: aws.Ptr(false)})
	must(r, shape.OpRegisterTaskDefinition, r.api.RegisterTaskDefinition, def)
	id := r.run("web")
	r.report(id, ecs.TaskRunning)
	change := func(container string) {
		must(r, shape.OpSubmitTaskStateChange, r.api.SubmitTaskStateChange, &shape.SubmitTaskStateChangeRequest{Task: &id, Status: aws.Ptr("RUNNING"),
			Containers: []shape.ContainerStateChange{{ContainerName: &container, Status: aws.Ptr("STOPPED"), ExitCode: aws.Ptr(int32(3))}}})
	}
	change("side")
	if got := r.task(id); *got.DesiredStatus != "RUNNING" || *got.LastStatus != "RUNNING" {
		t.Errorf("a helper's end: %s, to be %s", *got.LastStatus, *got.DesiredStatus)
	}
	change("app")
	got := r.task(id)
	if *got.DesiredStatus != "STOPPED" || *got.LastStatus != "STOPPING" || got.StopCode != nil || got.StoppingAt == nil {
		t.Errorf("an essential container's end: %s, to be %s, code %v", *got.LastStatus, *got.DesiredStatus, got.StopCode)
	}
	if free := r.freeCPU(instance); free != 1014 {
		t.Errorf("%d CPU units are free before the task has stopped", free)
	}
	must(r, shape.OpSubmitTaskStateChange, r.api.SubmitTaskStateChange, &shape.SubmitTaskStateChangeRequest{Task: &id, Status: aws.Ptr("STOPPED")})
	if got := r.task(id); *got.StopCode != "EssentialContainerExited" || *got.StoppedReason != "Essential container in task exited" || *got.Containers[0].ExitCode != 3 {
		t.Errorf("%s %q", *got.StopCode, *got.StoppedReason)
	}
}
