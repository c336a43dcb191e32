package stock

import (
	"bytes"
	"testing"

	"github.com/coder/websocket"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// ends reads until the server has closed the socket, and answers with which code.
func (s *server) ends(conn *websocket.Conn) websocket.StatusCode {
	s.Helper()
	for {
		if _, _, err := conn.Read(s.ctx); err != nil {
			if s.ctx.Err() != nil {
				s.Fatal("the server keeps the socket")
			}
			return websocket.CloseStatus(err)
		}
	}
}

// What an agent does wrong ends its own session. It comes back, and others do not notice.
func TestAHostileAgent(t *testing.T) {
	s := newServer(t)
	s.define("web", "web", "side")
	other := s.agent()
	other.token = "00000000-0000-4000-8000-00000000000b"
	other.start()
	other.manifest()
	for what, bad := range map[string][]byte{
		"a frame of 4 MiB":      append(append([]byte(`{"type":"AckRequest","message":{"messageId":"`), bytes.Repeat([]byte("x"), 4<<20)...), `"}}`...),
		"no JSON":               []byte("{"),
		"a message of no shape": []byte(`{"type":"AckRequest","message":[1]}`),
		"nothing":               nil,
	} {
		for _, telemetry := range []bool{false, true} {
			a := s.newAgent()
			conn := a.acs
			if telemetry {
				conn = a.tcs
			}
			_ = conn.Write(s.ctx, websocket.MessageText, bad)
			if code := s.ends(conn); code == websocket.StatusInternalError {
				t.Errorf("%s: closed with %v", what, code)
			}
			_, _ = a.acs.CloseNow(), a.tcs.CloseNow()
			s.connected(a.arn, false)
		}
	}
	// It floods, in the names of others, and acknowledges what nobody sent.
	a := s.newAgent()
	for range 3000 {
		a.send([]byte(`{"type":"AckRequest","message":{"cluster":"x","containerInstance":"` + other.arn + `","messageId":"` + a.arn + `"}}`))
	}
	arn := *must(s.ecs.StartTask(s.ctx, startOn("web", other.arn)))(t).Tasks[0].TaskArn
	if p := other.take(); p.Tasks[0].Arn != arn {
		t.Errorf("%+v", p)
	}
	a.publish("health", arn, "AckPublishHealth", `"HEALTHY"`, `"UNHEALTHY"`) // of a task that is not its own
	if got := s.task(arn); got.HealthStatus != types.HealthStatusUnknown {
		t.Errorf("another's agent says that it is %s", got.HealthStatus)
	}
	other.submit("running", arn)
}
