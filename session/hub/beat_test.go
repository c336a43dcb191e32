package hub_test

import (
	"testing"
	"time"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/session"
	"github.com/berth-ecs/berth/session/hub"
)

func often(c *hub.Config) { c.Heartbeat, c.Resend = 5*time.Millisecond, 20*time.Millisecond }

// The stock agent's watchdog ends a session that is silent for a minute.
func TestHeartbeatsComeInTime(t *testing.T) {
	if h := hub.New(hub.Config{}); h.Heartbeat != 30*time.Second || h.Resend != 30*time.Second {
		t.Errorf("a heartbeat every %v, again after %v", h.Heartbeat, h.Resend)
	}
	w := newWorld(t, often)
	a := w.connect()
	seen := map[string]bool{}
	for range 20 { // more than may stay without an acknowledgement
		m := next[*session.HeartbeatMessage](a)
		if !m.Healthy || seen[m.MessageID] {
			t.Fatalf("heartbeat %+v", m)
		}
		seen[m.MessageID] = true
		a.send(&session.HeartbeatAckRequest{MessageID: m.MessageID})
	}
}

// Protocol version 2: the server ends a session whose heartbeats stay without an acknowledgement.
func TestASilentAgentIsDisconnected(t *testing.T) {
	w := newWorld(t, often)
	w.connect().closed()
}

// A payload is told again until it is acknowledged or what it asks for has happened, with the number that it has.
func TestUnacknowledgedIsToldAgainInTheSession(t *testing.T) {
	w := newWorld(t, often)
	w.launch("aaaa")
	w.launch("bbbb")
	a := w.connect()
	told := map[string][]*session.PayloadMessage{}
	acked, both := false, false
	for range 400 {
		switch m := nextOf(a).(type) {
		case *session.HeartbeatMessage:
			a.send(&session.HeartbeatAckRequest{MessageID: m.MessageID})
		case *session.PayloadMessage:
			id := ecs.ShortID(m.Tasks[0].Arn)
			told[id] = append(told[id], m)
			if id == "bbbb" && !acked {
				a.send(&session.AckRequest{MessageID: m.MessageID})
				acked = true
			}
		}
		if both = len(told["aaaa"]) >= 4; both {
			break
		}
	}
	if !both || len(told["bbbb"]) != 1 {
		t.Fatalf("told of aaaa %d times, of bbbb %d times", len(told["aaaa"]), len(told["bbbb"]))
	}
	first, again := told["aaaa"][0], told["aaaa"][3]
	if first.SeqNum != again.SeqNum || first.MessageID == again.MessageID {
		t.Errorf("%d %s, then %d %s", first.SeqNum, first.MessageID, again.SeqNum, again.MessageID)
	}
	w.setStatus("aaaa", ecs.TaskRunning) // the agent runs it, without ever having acknowledged
	a.send(&session.AckRequest{MessageID: again.MessageID})
}

// nextOf is the next message of any type.
func nextOf(a *agent) session.Message {
	a.w.t.Helper()
	return next[session.Message](a)
}
