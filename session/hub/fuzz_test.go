package hub_test

import (
	"bytes"
	"testing"

	"github.com/coder/websocket"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/session"
	"github.com/berth-ecs/berth/store"
)

// strike sends data as frames, one a line, in a session of its own, and waits until the server has read them, which the
// answer to a ping says, or has ended the session.
func (w *world) strike(a *agent, data []byte) {
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		for err := error(nil); err == nil; {
			_, _, err = a.conn.Read(w.ctx)
		}
	}()
	defer func() { _ = a.conn.CloseNow(); <-gone }()
	for line := range bytes.SplitSeq(data, []byte("\n")) {
		if a.conn.Write(w.ctx, websocket.MessageText, line) != nil {
			return
		}
	}
	_ = a.conn.Ping(w.ctx)
}

// survives holds the hub to what no frame may change: it serves, and the task of another instance is as it was.
func (w *world) survives(want ecs.TaskStatus) {
	w.t.Helper()
	b := w.connect()
	next[*session.TaskManifestMessage](b)
	_ = w.store.View(w.ctx, store.Fresh, func(tx store.Tx) error {
		s, ok := tables.TaskStatuses.Peek(tx, tables.MemberKey(home, cluster, "cccc"))
		if !ok || s.LastStatus != want.LastStatus || s.Health != want.Health || s.Version != want.Version {
			w.t.Errorf("a task of another instance became %+v", s)
		}
		return nil
	})
}

// foreign books a task of an instance that is not connected.
func (w *world) foreign() ecs.TaskStatus {
	var out ecs.TaskStatus
	w.launch("cccc")
	w.update(func(tx store.Tx) {
		key := tables.MemberKey(home, cluster, "cccc")
		k, _ := tables.Tasks.Get(tx, key)
		d, _ := tables.TaskDesireds.Get(tx, key)
		s, _ := tables.TaskStatuses.Get(tx, key)
		task, desired, status := *k, *d, *s
		task.Instance, desired.Instance, status.Instance = "other", "other", "other"
		tables.Tasks.Put(tx, &task)
		tables.TaskDesireds.Put(tx, &desired)
		tables.TaskStatuses.Put(tx, &status)
		out = status
	})
	return out
}

func FuzzControlFrames(f *testing.F) {
	f.Add([]byte(`{"type":"AckRequest","message":{"cluster":"c","containerInstance":"i","messageId":"server1/1/3"}}`))
	f.Add([]byte(`{"type":"HeartbeatAckRequest","message":{"messageId":"server1/1/1"}}` + "\n" + `{"type":"NackRequest","message":{"messageId":"server1/1/3"}}`))
	f.Add([]byte(`{"type":"TaskStopVerificationMessage","message":{"messageId":"server1/1/2","stopCandidates":[{"taskArn":"arn:aws:ecs:us-east-1:000000000000:task/default/cccc","desiredStatus":"STOPPED"}]}}`))
	f.Add([]byte(`{"type":"PayloadMessage","message":{"tasks":[{"arn":"x"}]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		w := newWorld(t)
		was := w.foreign()
		w.launch("aaaa")
		w.strike(w.connect(), data)
		w.survives(was)
	})
}

func FuzzTelemetryFrames(f *testing.F) {
	head := "Authorization: AWS4-HMAC-SHA256 Credential=A/1/r/ecs/aws4_request, SignedHeaders=host, Signature=0\r\nHost: h\r\n\r\n"
	f.Add([]byte(head + `{"type":"PublishMetricsRequest","message":{"metadata":{"idle":true,"fin":true},"timestamp":1.5}}`))
	f.Add([]byte(head + `{"type":"PublishHealthRequest","message":{"tasks":[{"taskArn":"arn:aws:ecs:us-east-1:000000000000:task/default/cccc","containers":[{"containerName":"web","healthStatus":"UNHEALTHY","statusSince":1e300}]}]}}`))
	f.Add([]byte(head + `{"type":"PublishInstanceStatusRequest","message":{"statuses":[{"type":"ContainerRuntime","status":"IMPAIRED"}]}}`))
	f.Add([]byte("\r\n\r\n\r\n\r\n{}"))
	f.Add([]byte(head))
	f.Fuzz(func(t *testing.T, data []byte) {
		w := newWorld(t)
		was := w.foreign()
		w.strike(w.telemetry(), data)
		w.survives(was)
	})
}
