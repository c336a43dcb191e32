package stock

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/coder/websocket"
)

func TestAnAgentThatRestarts(t *testing.T) {
	s := newServer(t)
	s.define("web", "web", "side")
	a := s.newAgent()
	a.manifest()
	running, waiting := s.run("web"), s.run("web")
	a.take()
	a.payload() // the agent died before it acknowledged
	a.submit("running", running)
	version := s.task(running).Version

	a.stop()
	a.start()
	m := a.manifest()
	if len(m.Tasks) != 2 || m.Tasks[0].DesiredStatus != "RUNNING" {
		t.Errorf("manifest: %+v", m)
	}
	p := a.take()
	if p.Tasks[0].Arn != waiting {
		t.Errorf("told of %s again; %s waits", p.Tasks[0].Arn, waiting)
	}
	if got := s.task(running); got.Version != version || *got.LastStatus != "RUNNING" {
		t.Errorf("the restart changed %+v", got)
	}
	a.submit("running", waiting)
	a.submit("stopped", waiting)
	s.ended(waiting, types.TaskStopCodeEssentialContainerExited, "Essential container in task exited")
}

func TestTasksOfAnotherTimeAreStopped(t *testing.T) {
	s := newServer(t)
	s.define("web", "web", "side")
	a := s.newAgent()
	a.manifest()
	arn := s.run("web")
	a.take()
	a.submit("running", arn)
	a.stop()
	must(s.ecs.StopTask(s.ctx, &ecs.StopTaskInput{Task: &arn}))(t)
	a.start()
	m := a.manifest()
	if len(m.Tasks) != 0 {
		t.Fatalf("manifest: %+v", m)
	}
	a.send(a.text("frame-verification", "{{message}}", m.MessageID, "{{task}}", arn))
	var ack struct {
		MessageID string
		StopTasks []struct{ TaskArn, DesiredStatus string }
	}
	decode(a, a.next("TaskStopVerificationAck"), &ack)
	if ack.MessageID != m.MessageID || len(ack.StopTasks) != 1 || ack.StopTasks[0].TaskArn != arn || ack.StopTasks[0].DesiredStatus != "STOPPED" {
		t.Errorf("%+v", ack)
	}
	a.submit("stopped", arn)
	s.ended(arn, types.TaskStopCodeUserInitiated, "")
}

// Payloads are acknowledged in any order, and may be acknowledged twice or not at all.
func TestAcknowledgementsInAnyOrder(t *testing.T) {
	s := newServer(t)
	s.define("web", "web", "side")
	a := s.newAgent()
	a.manifest()
	var arns, messages []string
	for range 4 {
		arns = append(arns, s.run("web"))
		messages = append(messages, a.payload().MessageID)
	}
	for _, i := range []int{3, 0, 3, 1} { // never 2
		a.ack(messages[i])
	}
	a.send([]byte(`{"type":"NackRequest","message":{"cluster":"c","containerInstance":"i","messageId":"` + messages[2] + `","reason":"no"}}`))
	a.send([]byte(`{"type":"SomethingNewer","message":{"a":1}}`))
	for _, arn := range arns {
		a.submit("running", arn)
	}
	must(s.ecs.StopTask(s.ctx, &ecs.StopTaskInput{Task: &arns[2]}))(t)
	if p := a.take(); p.Tasks[0].Arn != arns[2] || p.Tasks[0].DesiredStatus != "STOPPED" {
		t.Errorf("%+v", p)
	}
}

// After half an hour the agent closes its connection and opens another at once.
func TestConnectionsAreRotated(t *testing.T) {
	s := newServer(t)
	s.define("web", "web", "side")
	a := s.newAgent()
	for range 3 {
		a.manifest()
		arn := s.run("web")
		a.payload() // not acknowledged yet
		if err := a.acs.Close(websocket.StatusNormalClosure, "ConnectionExpired: Reconnect to continue"); err != nil {
			t.Fatal(err)
		}
		if err := a.connectACS(); err != nil {
			t.Fatal(err)
		}
		s.connected(a.arn, true)
		a.manifest()
		if p := a.take(); p.Tasks[0].Arn != arn {
			t.Errorf("%+v", p)
		}
		a.submit("running", arn)
		a.submit("stopped", arn)
		if err := a.acs.Close(websocket.StatusNormalClosure, ""); err != nil {
			t.Fatal(err)
		}
		if err := a.connectACS(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAServerThatRestarts(t *testing.T) {
	s := newServer(t)
	s.define("web", "web", "side")
	a := s.newAgent()
	a.manifest()
	arn := s.run("web")
	a.take()
	a.submit("running", arn)
	for range 3 {
		s.restart()
		if _, _, err := a.acs.Read(a.ctx); err == nil {
			for err == nil {
				_, _, err = a.acs.Read(a.ctx)
			}
		}
		if err := a.connect(); err != nil {
			t.Fatal(err)
		}
		if m := a.manifest(); len(m.Tasks) != 1 || m.Tasks[0].TaskArn != arn { // newer than before, or the test fails
			t.Errorf("%+v", m)
		}
	}
	s.connected(a.arn, true)
	a.submit("stopped", arn) // ended meanwhile
	s.ended(arn, types.TaskStopCodeEssentialContainerExited, "")
}

func TestDrain(t *testing.T) {
	s := newServer(t)
	s.define("web", "web", "side")
	a := s.newAgent()
	a.manifest()
	arn := s.run("web")
	a.take()
	a.submit("running", arn)
	set := func(status types.ContainerInstanceStatus) {
		t.Helper()
		// The agent itself says so, too, when a spot instance is to end.
		must(s.ecs.UpdateContainerInstancesState(s.ctx, &ecs.UpdateContainerInstancesStateInput{ContainerInstances: []string{a.arn}, Status: status}))(t)
	}
	set(types.ContainerInstanceStatusDraining)
	if out, err := s.ecs.RunTask(s.ctx, &ecs.RunTaskInput{TaskDefinition: aws.String("web"), LaunchType: types.LaunchTypeExternal}); err == nil {
		t.Errorf("placed on a draining instance: %+v", out.Tasks)
	}
	a.stop()
	a.start()
	if m := a.manifest(); len(m.Tasks) != 1 {
		t.Errorf("a standalone task goes on: %+v", m)
	}
	if got := s.instance(a.arn); *got.Status != "DRAINING" {
		t.Errorf("%+v", got)
	}
	set(types.ContainerInstanceStatusActive)
	s.run("web")
}

func TestADeregisteredInstance(t *testing.T) {
	s := newServer(t)
	s.define("web", "web", "side")
	a := s.newAgent()
	a.manifest()
	arn := s.run("web")
	a.take()
	a.submit("running", arn)
	must(s.ecs.DeregisterContainerInstance(s.ctx, &ecs.DeregisterContainerInstanceInput{ContainerInstance: &a.arn, Force: aws.Bool(true)}))(t)
	for _, conn := range []*websocket.Conn{a.acs, a.tcs} {
		for err := error(nil); err == nil; {
			_, _, err = conn.Read(a.ctx)
		}
	}
	// In these words the agent waits for an hour; in any other it tries on.
	err := a.connectACS()
	if r, ok := errors.AsType[*refused](err); !ok || r.exception != "InactiveInstanceException" {
		t.Errorf("%v", err)
	}
	s.until("its tasks are given up", func() bool { return *s.task(arn).LastStatus == "STOPPED" })
	a.submit("stopped", arn) // what the agent still sends is taken
}

func TestHandshakesRefused(t *testing.T) {
	s := newServer(t)
	a := s.newAgent()
	for exception, spoil := range map[string]func(*agent){
		"InvalidInstanceException": func(b *agent) { b.arn = strings.Replace(a.arn, "default/", "default/0", 1) },
		"AccessDeniedException":    func(b *agent) { b.arn = strings.Replace(a.arn, account, "111111111111", 1) },
	} {
		b := s.agent()
		b.arn, b.endpoint = a.arn, a.endpoint
		spoil(b)
		err := b.connectACS()
		if r, ok := errors.AsType[*refused](err); !ok || r.exception != exception {
			t.Errorf("want %s: %v", exception, err)
		}
	}
}
