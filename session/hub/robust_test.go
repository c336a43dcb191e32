package hub_test

import (
	"errors"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/session"
	"github.com/berth-ecs/berth/store"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

var instanceKey = tables.MemberKey(home, cluster, instanceID)

func (w *world) telemetry() *agent {
	w.t.Helper()
	conn, _, err := w.dial("/tcs/ws", url.Values{"containerInstance": {home.InstanceARN(cluster, instanceID)}})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = conn.CloseNow() })
	return &agent{w, conn}
}

// closed waits until the server has ended the socket.
func (a *agent) closed() {
	for {
		if _, _, err := a.conn.Read(a.w.ctx); err != nil {
			if a.w.ctx.Err() != nil {
				a.w.t.Fatal("the socket stays open")
			}
			return
		}
	}
}

func TestTheMachinesConditionArrivesByTelemetry(t *testing.T) {
	w := newWorld(t)
	a := w.telemetry()
	for _, c := range []struct{ first, second, want string }{
		{"INITIALIZING", "OK", "INITIALIZING"},
		{"OK", "IMPAIRED", "IMPAIRED"},
		{"NEWER-THAN-THIS", "NEWER-THAN-THIS", "IMPAIRED"}, // what is not known changes nothing
		{"OK", "OK", "OK"},
	} {
		a.send(&session.PublishInstanceStatusRequest{Statuses: []session.InstanceStatus{
			{Type: "ContainerRuntime", Status: c.first}, {Type: "Other", Status: c.second}}})
		next[*session.AckPublishInstanceStatus](a)
		w.until("the instance to be "+c.want, func(tx store.Tx) bool {
			s, _ := tables.InstanceStates.Peek(tx, instanceKey)
			return s.Health == c.want
		})
	}
}

func (w *world) deregister() {
	w.update(func(tx store.Tx) {
		s, _ := tables.InstanceStates.Get(tx, instanceKey)
		next := *s
		next.Status, next.Connected, next.Session = ecs.InstanceInactive, false, ""
		tables.InstanceStates.Put(tx, &next)
	})
}

func TestDeregistrationEndsBothSessions(t *testing.T) {
	for _, lost := range []bool{false, true} {
		w := newWorld(t)
		a, b := w.connect(), w.telemetry()
		next[*session.TaskManifestMessage](a)
		b.send(&session.PublishMetricsRequest{})
		next[*session.AckPublishMetric](b)
		w.loseWatch.Store(lost) // the hub learns it from a Resync
		w.deregister()
		a.closed()
		b.closed()
	}
}

// The handshake looks before the session begins; what happens in between counts.
func TestDeregistrationBetweenHandshakeAndSession(t *testing.T) {
	w := newWorld(t)
	gone := func() error { w.before.Store(nil); w.deregister(); return nil }
	w.before.Store(&gone)
	a := w.connect()
	_, data, err := a.conn.Read(w.ctx)
	if err == nil {
		t.Errorf("a deregistered instance was told %s", data)
	}
}

// An agent that finds the store slow connects again. Its first session's transaction, late,
// must not take the instance from the second.
func TestALateSessionTakesNothing(t *testing.T) {
	w := newWorld(t)
	arrived, release := make(chan struct{}), make(chan struct{})
	var calls atomic.Int64
	hold := func() error {
		if calls.Add(1) == 1 {
			close(arrived)
			<-release
		}
		return nil
	}
	w.before.Store(&hold)
	a := w.connect()
	<-arrived
	b := w.connect()
	next[*session.TaskManifestMessage](b)
	close(release)
	a.closed()
	w.launch("aaaa") // a change after a's end: b is still told
	next[*session.PayloadMessage](b)
	w.until("still connected", w.connected)
}

func TestTheEndOfASessionIsNotedWhenTheStoreIsBack(t *testing.T) {
	w := newWorld(t)
	a := w.connect()
	next[*session.TaskManifestMessage](a)
	w.until("connected", w.connected)
	var fails atomic.Int64
	down := func() error {
		if fails.Add(1) <= 2 {
			return errors.New("the store is down")
		}
		return nil
	}
	w.before.Store(&down)
	_ = a.conn.CloseNow()
	w.until("disconnected", func(tx store.Tx) bool { return !w.connected(tx) })
}

func TestOneTelemetrySessionAnInstance(t *testing.T) {
	w := newWorld(t)
	a := w.telemetry()
	a.send(&session.PublishMetricsRequest{})
	next[*session.AckPublishMetric](a)
	b := w.telemetry()
	b.send(&session.PublishMetricsRequest{})
	next[*session.AckPublishMetric](b)
	a.closed()
	b.send(&session.PublishMetricsRequest{})
	next[*session.AckPublishMetric](b)
}

// What an agent names is judged before it becomes a key.
func TestHostileNamesAreNoKeys(t *testing.T) {
	w := newWorld(t)
	w.launch("aaaa")
	a, b := w.connect(), w.telemetry()
	m := next[*session.TaskManifestMessage](a)
	hostile := []string{"", "arn:aws:ecs:us/x:000000000000:task/default/aaaa", "arn:aws:ecs:::task/default/aaaa",
		"arn:aws:ecs:us-east-1:000000000000:task//aaaa", "arn:aws:ecs:us-east-1:000000000000:task/default/", "arn:aws:ecs:us-east-1:1:task/default/aaaa"}
	verify := &session.TaskStopVerificationMessage{MessageID: m.MessageID}
	health := &session.PublishHealthRequest{}
	for _, arn := range hostile {
		verify.StopCandidates = append(verify.StopCandidates, session.TaskIdentifier{TaskArn: arn})
		health.Tasks = append(health.Tasks, session.TaskHealth{TaskArn: arn, Containers: []session.ContainerHealth{{ContainerName: "web", HealthStatus: shape.HealthStatusHealthy}}})
	}
	a.send(verify)
	if ack := next[*session.TaskStopVerificationAck](a); len(ack.StopTasks) != len(hostile) {
		t.Errorf("verification: %+v", ack)
	}
	b.send(health)
	next[*session.AckPublishHealth](b)
	_, refusal, err := w.dial("/acs/ws", url.Values{"containerInstanceArn": {"arn:aws:ecs:us/x:000000000000:container-instance/a/b"}})
	if err == nil || !strings.Contains(refusal, "InvalidInstanceException") {
		t.Errorf("a hostile handshake: %s %v", refusal, err)
	}
}

// A task of which nothing can be sent would be PENDING for ever.
func TestATaskThatCannotBeToldEnds(t *testing.T) {
	w := newWorld(t)
	a := w.connect()
	next[*session.TaskManifestMessage](a)
	w.update(func(tx store.Tx) { tables.TaskDefinitions.Delete(tx, tables.RevisionKey(home, "web", 1)) })
	w.launch("aaaa")
	w.until("the task to end", func(tx store.Tx) bool {
		v, ok := tables.PeekTask(tx, tables.MemberKey(home, cluster, "aaaa"))
		if !ok || v.Status.LastStatus != ecs.TaskStopped {
			return false
		}
		code, reason := v.Shown()
		return code == shape.TaskStopCodeTaskFailedToStart && strings.Contains(reason, "web:1 is gone")
	})
}
