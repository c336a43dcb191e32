package agent

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/berth-ecs/berth/session"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
	"github.com/berth-ecs/berth/wire/sigv4"
)

var credentials = sigv4.Credentials{AccessKey: "AKIDEXAMPLE", Secret: "secret"}

type keys struct{}

func (keys) Lookup(k string) (sigv4.Key, bool) {
	return sigv4.Key{Secret: credentials.Secret, Account: "000000000000", Principal: "arn:root"}, k == credentials.AccessKey
}

// server is the other side of the protocol: it verifies every signature, keeps what it is told, and says what a test makes
// it say.
type server struct {
	t        *testing.T
	http     *httptest.Server
	verifier *sigv4.Verifier

	mu            sync.Mutex
	registrations []shape.RegisterContainerInstanceRequest
	submits       []shape.SubmitTaskStateChangeRequest
	refuse        *aws.Error // of the next registration
	broken        int        // submits that still fail
	acs           *websocket.Conn
	dials         []string // queries of the control session
	told          []session.Message
	changed       chan struct{}
}

const instanceARN = "arn:aws:ecs:us-east-1:000000000000:container-instance/default/0123456789abcdef0123456789abcdef"

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{t: t, changed: make(chan struct{}), verifier: &sigv4.Verifier{Keys: keys{}, Now: time.Now, Service: "ecs"}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /", s.call)
	mux.HandleFunc("GET /acs/ws", s.control)
	mux.HandleFunc("GET /tcs/ws", s.telemetry)
	s.http = httptest.NewServer(mux)
	t.Cleanup(s.http.Close)
	return s
}

// news wakes whoever waits. The lock is held.
func (s *server) news() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// until waits for something to become true of the server.
func (s *server) until(what string, cond func() bool) {
	s.t.Helper()
	late := time.After(time.Minute)
	for {
		s.mu.Lock()
		ok, changed := cond(), s.changed
		s.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-late:
			s.t.Fatalf("never: %s", what)
		}
	}
}

func (s *server) call(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		s.t.Error(err)
	}
	if _, err := s.verifier.Verify(r, body); err != nil {
		s.t.Errorf("signature: %v", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var out any
	switch _, op, _ := strings.Cut(r.Header.Get("X-Amz-Target"), "."); op {
	case "RegisterContainerInstance":
		out = s.register(body)
	case "CreateCluster":
		out = shape.CreateClusterResponse{}
	case "DiscoverPollEndpoint":
		out = shape.DiscoverPollEndpointResponse{Endpoint: aws.Ptr(s.http.URL + "/acs"), TelemetryEndpoint: aws.Ptr(s.http.URL + "/tcs/")}
	case "SubmitTaskStateChange":
		out = s.submit(body)
	default:
		s.t.Errorf("unexpected call of %q", op)
	}
	if e, ok := out.(*aws.Error); ok {
		w.WriteHeader(http.StatusBadRequest)
		out = map[string]string{"__type": "com.amazonaws.ecs#" + e.Code, "message": e.Message}
	}
	s.news()
	if err := json.NewEncoder(w).Encode(out); err != nil {
		s.t.Error(err)
	}
}

func (s *server) register(body []byte) any {
	var in shape.RegisterContainerInstanceRequest
	if err := json.Unmarshal(body, &in); err != nil {
		s.t.Error(err)
	}
	if e := s.refuse; e != nil {
		s.refuse = nil
		return e
	}
	s.registrations = append(s.registrations, in)
	return shape.RegisterContainerInstanceResponse{ContainerInstance: &shape.ContainerInstance{
		ContainerInstanceArn: aws.Ptr(instanceARN), Attributes: in.Attributes,
	}}
}

func (s *server) submit(body []byte) any {
	if s.broken > 0 {
		s.broken--
		return &aws.Error{Code: shape.CodeServerException, Message: "broken"}
	}
	var in shape.SubmitTaskStateChangeRequest
	if err := json.Unmarshal(body, &in); err != nil {
		s.t.Error(err)
	}
	s.submits = append(s.submits, in)
	return shape.SubmitTaskStateChangeResponse{Acknowledgment: aws.Ptr("ok")}
}

func (s *server) control(w http.ResponseWriter, r *http.Request) {
	c := s.upgrade(w, r)
	s.mu.Lock()
	s.acs, s.dials = c, append(s.dials, r.URL.RawQuery)
	s.news()
	s.mu.Unlock()
	s.read(r.Context(), c, func(b []byte) []byte { return b })
}

func (s *server) telemetry(w http.ResponseWriter, r *http.Request) {
	c := s.upgrade(w, r)
	s.read(r.Context(), c, func(b []byte) []byte {
		payload, _, err := s.verifier.VerifyFrame(r, b)
		if err != nil {
			s.t.Errorf("telemetry frame: %v", err)
		}
		return payload
	})
}

func (s *server) upgrade(w http.ResponseWriter, r *http.Request) *websocket.Conn {
	if _, err := s.verifier.VerifyUpgrade(r); err != nil {
		s.t.Errorf("handshake: %v", err)
	}
	c, err := websocket.Accept(w, r, nil)
	if err != nil {
		s.t.Error(err)
	}
	return c
}

// read keeps every message until the connection ends.
func (s *server) read(ctx context.Context, c *websocket.Conn, open func([]byte) []byte) {
	for {
		_, b, err := c.Read(ctx)
		if err != nil {
			return
		}
		m, err := session.Decode(open(b))
		if err != nil {
			s.t.Error(err)
			continue
		}
		s.mu.Lock()
		s.told = append(s.told, m)
		s.news()
		s.mu.Unlock()
	}
}

// say sends on the control session.
func (s *server) say(m session.Message) {
	s.t.Helper()
	s.until("a control session", func() bool { return s.acs != nil })
	b, err := session.Encode(m)
	if err == nil {
		s.mu.Lock()
		c := s.acs
		s.mu.Unlock()
		err = c.Write(s.t.Context(), websocket.MessageText, b)
	}
	if err != nil {
		s.t.Error(err)
	}
}

// heard says whether a message arrived that cond likes. The lock is held.
func heard[M session.Message](s *server, cond func(M) bool) bool {
	for _, m := range s.told {
		if m, ok := m.(M); ok && cond(m) {
			return true
		}
	}
	return false
}

func acked(s *server, id string) func() bool {
	return func() bool {
		return heard(s, func(m *session.AckRequest) bool {
			return m.MessageID == id && m.Cluster == "c" && m.ContainerInstance == "i"
		})
	}
}

// submitted says whether a status was reported of a task. The lock is held.
func (s *server) submitted(arn, status string) *shape.SubmitTaskStateChangeRequest {
	for i := range s.submits {
		if r := &s.submits[i]; aws.Val(r.Task) == arn && aws.Val(r.Status) == status {
			return r
		}
	}
	return nil
}

func (s *server) payload(id string, seq int64, t session.Task) {
	s.t.Helper()
	s.say(&session.PayloadMessage{ClusterArn: "c", ContainerInstanceArn: "i", MessageID: id, SeqNum: seq, Tasks: []session.Task{t}})
}

// runs starts an agent and ends it with the test.
func runs(t *testing.T, a *Agent) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	return sync.OnceFunc(func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Run: %v", err)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
}
