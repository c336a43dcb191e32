package stock

import (
	"encoding/json"
	"net/http"

	"github.com/coder/websocket"
)

// frame is one of the server's.
type frame struct {
	Type    string          `json:"type"`
	Message json.RawMessage `json:"message"`
}

type manifest struct {
	ClusterArn, ContainerInstanceArn, MessageID string
	Timeline                                    int64
	Tasks                                       []struct{ TaskArn, TaskClusterArn, DesiredStatus string }
}

// next reads the control session up to a frame of the wanted type. What the agent answers by itself it answers here.
func (a *agent) next(want string) json.RawMessage {
	a.Helper()
	for {
		f, err := a.read()
		if err != nil {
			a.Fatalf("waiting for a %s: %v", want, err)
		}
		if f.Type == "HeartbeatMessage" && want != f.Type {
			var m struct{ MessageID string }
			decode(a, f.Message, &m)
			a.send(a.text("frame-heartbeat-ack", "{{message}}", m.MessageID))
			continue
		}
		if f.Type == want {
			return f.Message
		}
	}
}

func (a *agent) read() (frame, error) {
	var f frame
	_, data, err := a.acs.Read(a.ctx)
	if err == nil {
		err = json.Unmarshal(data, &f)
	}
	return f, err
}

func (a *agent) send(data []byte) {
	a.Helper()
	if err := a.acs.Write(a.ctx, websocket.MessageText, data); err != nil {
		a.Fatal(err)
	}
}

func decode(t interface {
	Helper()
	Fatalf(string, ...any)
}, data []byte, v any) {
	t.Helper()
	if err := json.Unmarshal(data, v); err != nil {
		t.Fatalf("%s: %v", data, err)
	}
}

// ack makes a message the agent's own.
func (a *agent) ack(message string) {
	a.Helper()
	a.send(a.text("frame-ack", "{{message}}", message))
}

// manifest takes the next one. One that is not newer than all the agent has seen is dropped in silence, so that fails the
// test.
func (a *agent) manifest() manifest {
	a.Helper()
	var m manifest
	decode(a, a.next("TaskManifestMessage"), &m)
	if m.ClusterArn == "" || m.ContainerInstanceArn != a.arn || m.MessageID == "" {
		a.Fatalf("a manifest that the agent drops: %+v", m)
	}
	if m.Timeline <= a.seen {
		a.Fatalf("a manifest of timeline %d after %d: the agent drops it in silence", m.Timeline, a.seen)
	}
	a.seen = m.Timeline
	a.ack(m.MessageID)
	return m
}

// payload takes the next one and holds it to what the agent can work with. It is not acknowledged.
func (a *agent) payload() payload {
	a.Helper()
	var p payload
	decode(a, a.next("PayloadMessage"), &p)
	p.check(a)
	a.seen = max(a.seen, p.SeqNum, p.Timeline)
	return p
}

// take takes the next payload and acknowledges it.
func (a *agent) take() payload {
	a.Helper()
	p := a.payload()
	a.ack(p.MessageID)
	return p
}

// submit reports what became of a task.
func (a *agent) submit(file, task string, pairs ...string) {
	a.Helper()
	if err := a.report(file, task, pairs...); err != nil {
		a.Fatal(err)
	}
}

func (a *agent) report(file, task string, pairs ...string) error {
	a.Helper()
	var out struct{ Acknowledgment string }
	return a.call("SubmitTaskStateChange", a.text("submit-"+file, append(pairs, "{{task}}", task)...), &out)
}

// publish sends a telemetry frame in the agent's envelope, a signed header block and an empty line, and waits until it is
// acknowledged: nothing else feeds the agent's watchdog.
func (a *agent) publish(file, task, acknowledged string, pairs ...string) {
	a.Helper()
	r, err := http.NewRequestWithContext(a.ctx, http.MethodGet, a.endpoint.TelemetryEndpoint+"ws", nil)
	if err != nil {
		a.Fatal(err)
	}
	body := a.text("frame-"+file, append(pairs, "{{task}}", task)...)
	a.sign(r, body)
	head := "Authorization: " + r.Header.Get("Authorization") + "\r\nHost: " + r.URL.Host + "\r\nX-Amz-Date: " + r.Header.Get("X-Amz-Date") + "\r\n\r\n"
	if err := a.tcs.Write(a.ctx, websocket.MessageText, append([]byte(head), body...)); err != nil {
		a.Fatal(err)
	}
	for {
		var f frame
		_, data, err := a.tcs.Read(a.ctx)
		if err != nil {
			a.Fatalf("waiting for a %s: %v", acknowledged, err)
		}
		decode(a, data, &f)
		switch f.Type {
		case acknowledged:
			return
		case "HeartbeatMessage":
		default:
			a.Fatalf("%s instead of %s", data, acknowledged)
		}
	}
}
