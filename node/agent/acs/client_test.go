package acs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-ecs/berth/session"
)

// tasks is an engine that writes down what it is asked.
type tasks struct {
	log    []string
	saved  map[string]chan struct{} // nil entry: on disk at once
	bad    map[string]bool
	listed []session.TaskIdentifier // what Manifest answers
}

func (e *tasks) Accept(in session.Task) (<-chan struct{}, error) {
	e.log = append(e.log, in.DesiredStatus+" "+in.Arn)
	if e.bad[in.Arn] {
		return nil, errors.New("unrecognised")
	}
	if c := e.saved[in.Arn]; c != nil {
		return c, nil
	}
	c := make(chan struct{})
	close(c)
	return c, nil
}

func (e *tasks) Manifest([]session.TaskIdentifier) []session.TaskIdentifier { return e.listed }
func (e *tasks) Stop(arns []string)                                         { e.log = append(e.log, fmt.Sprint("stop ", arns)) }

type numbers struct{ n int64 }

func (n *numbers) Seq() (int64, error)    { return n.n, nil }
func (n *numbers) Advance(to int64) error { n.n = max(n.n, to); return nil }

// line keeps what the agent says.
type line struct {
	mu   sync.Mutex
	said []string
}

func (l *line) Read(context.Context) ([]byte, error) { return nil, errors.New("unused") }
func (l *line) Close(int, string)                    {}
func (l *line) Write(_ context.Context, b []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.said = append(l.said, string(b))
	return nil
}

func client(e *tasks, n *numbers) *Client {
	return New(Config{
		Endpoint: func(context.Context) (string, error) { return "http://s/acs/", nil }, Tasks: e, Numbers: n,
		Cluster: "default", Instance: "arn:i", Version: "1.2.3", Hash: "abc", Log: slog.New(slog.DiscardHandler),
	})
}

const (
	ack  = `{"type":"AckRequest","message":{"cluster":"c","containerInstance":"i","messageId":"m"}}`
	stop = `{"type":"TaskStopVerificationMessage","message":{"messageId":"m","stopCandidates":[{"taskArn":"t9","desiredStatus":"STOPPED"}]}}`
)

// Frames as they were observed, and what the agent does.
func TestFrames(t *testing.T) {
	payload := func(tasks string) string {
		return `{"type":"PayloadMessage","message":{"clusterArn":"c","containerInstanceArn":"i","messageId":"m","seqNum":7,"tasks":[` + tasks + `]}}`
	}
	run := func(arn, desired string) string {
		return `{"arn":"` + arn + `","desiredStatus":"` + desired + `","containers":[]}`
	}
	manifest := func(timeline int) string {
		return fmt.Sprintf(`{"type":"TaskManifestMessage","message":{"clusterArn":"c","containerInstanceArn":"i","messageId":"m","timeline":%d,"tasks":[]}}`, timeline)
	}
	verified := `{"type":"TaskStopVerificationAck","message":{"messageId":"m","stopTasks":[{"taskArn":"t9"}]}}`
	extra := []session.TaskIdentifier{{TaskArn: "t9", DesiredStatus: "STOPPED"}}
	for _, c := range []struct {
		name   string
		e      tasks
		frames []string
		said   []string
		done   []string
		seq    int64
	}{
		{name: "heartbeat", frames: []string{`{"type":"HeartbeatMessage","message":{"healthy":true,"messageId":"h"}}`},
			said: []string{`{"type":"HeartbeatAckRequest","message":{"messageId":"h"}}`}, seq: 5},
		{name: "payload", frames: []string{payload(run("t1", "RUNNING"))}, said: []string{ack}, done: []string{"RUNNING t1"}, seq: 7},
		{name: "stops first", frames: []string{payload(run("t1", "RUNNING") + "," + run("t2", "STOPPED"))},
			said: []string{ack}, done: []string{"STOPPED t2", "RUNNING t1"}, seq: 7},
		{name: "not all of it", e: tasks{bad: map[string]bool{"t1": true}}, frames: []string{payload(run("t1", "BOGUS") + "," + run("t2", "RUNNING"))},
			done: []string{"BOGUS t1", "RUNNING t2"}, seq: 5},
		{name: "not on disk", e: tasks{saved: map[string]chan struct{}{"t1": make(chan struct{})}}, frames: []string{payload(run("t1", "RUNNING"))},
			done: []string{"RUNNING t1"}, seq: 5},
		{name: "payload without ids", frames: []string{`{"type":"PayloadMessage","message":{"messageId":"m","tasks":[` + run("t1", "RUNNING") + `]}}`}, seq: 5},
		{name: "manifest", frames: []string{manifest(6)}, said: []string{ack}, seq: 6},
		{name: "old manifest", frames: []string{manifest(5)}, seq: 5},
		{name: "manifest without a running task", e: tasks{listed: extra}, frames: []string{manifest(6), verified},
			said: []string{ack, stop}, done: []string{"stop [t9]"}, seq: 6},
		{name: "verification is good once", e: tasks{listed: extra}, frames: []string{manifest(6), verified, verified},
			said: []string{ack, stop}, done: []string{"stop [t9]"}, seq: 6},
		{name: "verification of nothing", frames: []string{verified}, seq: 5},
		{name: "unknown, malformed and foreign", seq: 5, frames: []string{
			`{"type":"PerformUpdateMessage","message":{}}`, `{`, `{"type":"PayloadMessage","message":[]}`, `{"type":"AckRequest","message":{}}`,
			`{"type":"CloseMessage","message":{"message":"x"}}`, `{"type":"ErrorMessage","message":{"message":"x"}}`,
			`{"type":"IAMRoleCredentialsMessage","message":{}}`,
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				n, conn := &numbers{5}, &line{}
				for arn := range c.e.saved {
					c.e.saved[arn] = make(chan struct{}) // of this bubble
				}
				cl := client(&c.e, n)
				for _, f := range c.frames {
					cl.receive(ctx, conn, []byte(f))
				}
				synctest.Wait()
				if diff := cmp.Diff(c.said, conn.said); diff != "" {
					t.Errorf("said (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(c.done, c.e.log); diff != "" {
					t.Errorf("done (-want +got):\n%s", diff)
				}
				if n.n != c.seq {
					t.Errorf("seq %d, want %d", n.n, c.seq)
				}
				cancel()
			})
		})
	}
}

func TestURL(t *testing.T) {
	c := client(&tasks{}, &numbers{})
	for _, first := range []string{"true", "false"} {
		address, err := c.url(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		want := url.Values{
			"agentHash": {"abc"}, "agentVersion": {"1.2.3"}, "clusterArn": {"default"}, "containerInstanceArn": {"arn:i"},
			"dockerVersion": {"containerd"}, "protocolVersion": {"2"}, "seqNum": {"1"}, "sendCredentials": {first},
		}
		if diff := cmp.Diff(want, u.Query()); diff != "" || u.Path != "/acs/ws" {
			t.Errorf("%s:\n%s", u, diff)
		}
		c.connected.Store(true)
	}
}
