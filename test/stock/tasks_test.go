package stock

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// ended holds a stopped task to its code and reason.
func (s *server) ended(arn string, code types.TaskStopCode, reason string) types.Task {
	s.Helper()
	t := s.task(arn)
	if *t.LastStatus != "STOPPED" || t.StopCode != code || !strings.Contains(aws.ToString(t.StoppedReason), reason) {
		s.Errorf("%s: %s, %s %q; want STOPPED, %s %q", arn, *t.LastStatus, t.StopCode, aws.ToString(t.StoppedReason), code, reason)
	}
	if t.StoppedAt == nil || t.StoppingAt == nil {
		s.Errorf("%s is stopped without a time: %v %v", arn, t.StoppingAt, t.StoppedAt)
	}
	return t
}

func TestABridgeTaskFromStartToStop(t *testing.T) {
	s := newServer(t)
	s.define("web", "web", "side")
	a := s.newAgent()
	a.manifest()
	arn := s.run("web")
	p := a.take()
	if got := p.Tasks[0]; got.Arn != arn || got.DesiredStatus != "RUNNING" || got.NetworkMode != "bridge" || len(got.Containers) != 2 || got.Family != "web" || got.Version != "1" {
		t.Fatalf("%+v", got)
	}
	a.submit("running", arn)
	got := s.task(arn)
	web := container(got, "web")
	if *got.LastStatus != "RUNNING" || got.StartedAt == nil || len(web.NetworkBindings) != 1 || *web.NetworkBindings[0].HostPort != 32768 || *web.NetworkBindings[0].BindIP != "0.0.0.0" ||
		*web.RuntimeId != "bc166701447e70404c7b4665195d5b253525d0156ab713b51af2938f40b6b992" {
		t.Errorf("%+v", got)
	}
	a.publish("health", arn, "AckPublishHealth")
	a.publish("metrics", arn, "AckPublishMetric")
	a.publish("idle", arn, "AckPublishMetric")
	a.publish("status", arn, "AckPublishInstanceStatus")

	// A container that is not essential exits: it rides alone, with the status that the task has.
	a.submit("sidecar-exit", arn)
	if got := s.task(arn); *got.LastStatus != "RUNNING" || *container(got, "side").LastStatus != "STOPPED" || *container(got, "side").ExitCode != 3 {
		t.Errorf("%+v", got)
	}
	must(s.ecs.StopTask(s.ctx, &ecs.StopTaskInput{Task: &arn, Reason: aws.String("bye")}))(t)
	stop := a.take()
	if got := stop.Tasks[0]; got.Arn != arn || got.DesiredStatus != "STOPPED" || stop.SeqNum <= p.SeqNum {
		t.Errorf("%+v after %d", stop, p.SeqNum)
	}
	a.submit("stopped", arn)
	got = s.ended(arn, types.TaskStopCodeUserInitiated, "bye")
	if *container(got, "web").ExitCode != 7 || got.ExecutionStoppedAt == nil {
		t.Errorf("%+v", got)
	}
	// What the agent says twice, as after a lost answer, changes nothing.
	before := got.Version
	a.submit("running", arn)
	a.submit("stopped", arn)
	if got := s.task(arn); got.Version != before {
		t.Errorf("version %d after %d", got.Version, before)
	}
}

func TestHealthComesByTelemetryOnly(t *testing.T) {
	s := newServer(t)
	must(s.ecs.RegisterTaskDefinition(s.ctx, &ecs.RegisterTaskDefinitionInput{Family: aws.String("web"), ContainerDefinitions: []types.ContainerDefinition{{
		Name: aws.String("web"), Image: aws.String("busybox:1"), Memory: aws.Int32(64),
		HealthCheck: &types.HealthCheck{Command: []string{"CMD", "true"}, Interval: aws.Int32(5), StartPeriod: aws.Int32(2)},
	}}}))(t)
	a := s.newAgent()
	arn := s.run("web")
	c := a.take().Tasks[0].Containers[0]
	config, _ := c.docker(a)
	if c.HealthCheckType != "docker" || config.Healthcheck.Interval != 5e9 || config.Healthcheck.StartPeriod != 2e9 {
		t.Errorf("%+v %+v", c, config.Healthcheck)
	}
	a.submit("running", arn)
	for _, status := range []types.HealthStatus{types.HealthStatusUnknown, types.HealthStatusHealthy, types.HealthStatusUnhealthy} {
		a.publish("health", arn, "AckPublishHealth", `"HEALTHY"`, `"`+string(status)+`"`)
		if got := s.task(arn); got.HealthStatus != status || container(got, "web").HealthStatus != status || *got.LastStatus != "RUNNING" {
			t.Errorf("%s: %+v", status, got)
		}
	}
}

func TestTheAgentsFailures(t *testing.T) {
	s := newServer(t)
	s.define("pull", "h")
	s.define("exec", "main", "side")
	s.define("deps", "h", "init")
	a := s.newAgent()
	run := func(family string) string {
		t.Helper()
		arn := s.run(family)
		a.take()
		return arn
	}

	arn := run("pull") // no registry answers; the agent has tried for half a minute
	a.submit("cannot-pull", arn)
	got := s.ended(arn, types.TaskStopCodeTaskFailedToStart, "CannotPullImageManifestError: Error response from daemon: Get")
	if got.PullStartedAt == nil || got.PullStoppedAt == nil || got.StartedAt != nil {
		t.Errorf("times: %+v", got)
	}

	arn = run("exec") // the essential one cannot be started; one report has the other RUNNING and then STOPPED
	a.submit("cannot-start", arn)
	got = s.ended(arn, types.TaskStopCodeTaskFailedToStart, "CannotStartContainerError")
	if side := container(got, "side"); *side.LastStatus != "STOPPED" || side.ExitCode == nil || *side.ExitCode != 7 || container(got, "main").ExitCode != nil || got.StartedAt != nil {
		t.Errorf("%+v", got)
	}

	arn = run("deps") // the same container twice in one report, in order, while the task goes on
	a.submit("twice", arn)
	if got := s.task(arn); *got.LastStatus != "RUNNING" || *container(got, "init").LastStatus != "STOPPED" || *container(got, "init").ExitCode != 0 || *container(got, "h").LastStatus != "RUNNING" {
		t.Errorf("%+v", got)
	}

	// The agent could not load the task: it reports that and leaves the payload unacknowledged.
	arn = s.run("pull")
	a.payload()
	a.raw(arn, `"reason":"UnrecogniedTaskError: Error loading task - Unrecognized TaskStatus","status":"STOPPED"`)
	s.ended(arn, types.TaskStopCodeTaskFailedToStart, "UnrecogniedTaskError: Error loading task")

	arn = run("deps")
	a.raw(arn, `"reason":"Task dependencies cannot be resolved, taskArn: `+arn+`","status":"STOPPED"`)
	s.ended(arn, types.TaskStopCodeTaskFailedToStart, "Task dependencies cannot be resolved, taskArn: "+arn)

	// It is early with the digest, in the only report that says PENDING.
	arn = run("pull")
	a.raw(arn, `"status":"PENDING","containers":[{"containerName":"h","status":"PENDING","imageDigest":"sha256:00"}]`)
	if got := s.task(arn); *got.LastStatus != "PENDING" || aws.ToString(container(got, "h").ImageDigest) != "sha256:00" {
		t.Errorf("%+v", got)
	}

	// Too big for the machine by the agent's own count: it says nothing, until it is stopped, and then has no runtimeId.
	must(s.ecs.StopTask(s.ctx, &ecs.StopTaskInput{Task: &arn}))(t)
	a.take()
	a.raw(arn, `"reason":"","status":"STOPPED","containers":[{"containerName":"h","status":"STOPPED"}]`)
	s.ended(arn, types.TaskStopCodeUserInitiated, "Task stopped by user")
}

// raw reports a task in words of the test's own.
func (a *agent) raw(task, members string) {
	a.Helper()
	if err := a.call("SubmitTaskStateChange", []byte(`{"cluster":"`+a.cluster+`","task":"`+task+`",`+members+`}`), &struct{}{}); err != nil {
		a.Fatal(err)
	}
}

// Any error but InvalidParameterException makes the agent try for a day, and it tries ten tasks at a time.
func TestReportsThatLeadNowhereAreDropped(t *testing.T) {
	s := newServer(t)
	s.define("web", "web", "side")
	a := s.newAgent()
	strange := "arn:aws:ecs:us-east-1:000000000000:task/default/" + strings.Repeat("0", 32)
	drops := func(what string, err error) {
		t.Helper()
		var e *apiError
		if !errors.As(err, &e) || !strings.HasSuffix(e.Type, "InvalidParameterException") {
			t.Errorf("%s: %v", what, err)
		}
	}
	drops("unknown task", a.report("running", strange))
	drops("another cluster's", a.report("running", strings.Replace(strange, "default", "other", 1)))
	drops("no ARN", a.report("running", "x"))
	for _, operation := range []string{"SubmitContainerStateChange", "SubmitAttachmentStateChanges"} {
		drops(operation, a.call(operation, []byte(`{"cluster":"default","task":"`+strange+`","containerName":"web","status":"RUNNING","attachments":[{"attachmentArn":"","status":"ATTACHED"}]}`), &struct{}{}))
	}
	a.cluster = "gone"
	drops("unknown cluster", a.report("running", strange))
	for _, operation := range []string{"SubmitContainerStateChange", "SubmitAttachmentStateChanges"} {
		drops(operation+" to an unknown cluster", a.call(operation, []byte(`{"cluster":"gone","task":"`+strange+`","attachments":[{"attachmentArn":"a","status":"ATTACHED"}]}`), &struct{}{}))
	}
}

// SubmitContainerStateChange is of agents before reports were batched.
func TestAnOldAgentsContainerReport(t *testing.T) {
	s := newServer(t)
	s.define("web", "web", "side")
	a := s.newAgent()
	arn := s.run("web")
	a.take()
	a.submit("running", arn)
	body := `{"cluster":"default","task":"` + arn + `","containerName":"side","status":"STOPPED","exitCode":4}`
	if err := a.call("SubmitContainerStateChange", []byte(body), &struct{}{}); err != nil {
		t.Fatal(err)
	}
	if got := container(s.task(arn), "side"); *got.LastStatus != "STOPPED" || *got.ExitCode != 4 {
		t.Errorf("%+v", got)
	}
}
