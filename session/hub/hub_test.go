package hub_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/ecs/tables/balancingtest"
	"github.com/berth-ecs/berth/session"
	"github.com/berth-ecs/berth/session/hub"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
	"github.com/berth-ecs/berth/wire/sigv4"
)

var home = ecs.Home{Account: "000000000000", Region: "us-east-1"}

const (
	cluster    = "default"
	instanceID = "1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f"
)

// world is a hub over a store in memory that knows one container instance.
type world struct {
	t     *testing.T
	ctx   context.Context
	store store.Store
	hub   *hub.Hub
	url   string

	before    atomic.Pointer[func() error] // runs before each Update of the hub
	loseWatch atomic.Bool                  // the store's feed drops changes
	principal atomic.Value                 // who signs
}

// Update is the hub's way to the store.
func (s *slow) Update(ctx context.Context, fn func(store.Tx) error) error {
	if f := s.before.Load(); f != nil {
		if err := (*f)(); err != nil {
			return err
		}
	}
	// What reached the store may be done although the caller has left.
	return s.Store.Update(context.WithoutCancel(ctx), fn)
}

// slow is a store whose transactions the world delays and fails.
type slow struct {
	store.Store
	*world
}

func newWorld(t *testing.T, edits ...func(*hub.Config)) *world {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	w := &world{t: t, ctx: ctx}
	w.principal.Store("arn:aws:iam::000000000000:root")
	w.store = mem.Open(slices.Concat(tables.Schema(), balancingtest.Schema()), mem.Options{Faults: mem.Faults{LoseWatch: func(int64) bool { return w.loseWatch.Load() }}})
	w.update(func(tx store.Tx) {
		tables.Clusters.Put(tx, &ecs.Cluster{Home: home, Name: cluster, Status: ecs.ClusterActive})
		tables.Instances.Put(tx, &ecs.Instance{Home: home, Cluster: cluster, ID: instanceID, Node: instanceID})
		tables.InstanceStates.Put(tx, &ecs.InstanceState{Home: home, Cluster: cluster, ID: instanceID, Status: ecs.InstanceActive})
		tables.TaskDefinitions.Put(tx, &ecs.TaskDefinition{Home: home, Family: "web", Revision: 1, Document: shape.TaskDefinition{
			ContainerDefinitions: []shape.ContainerDefinition{{
				Name: aws.Ptr("web"), Image: aws.Ptr("web:1"), Memory: aws.Ptr(int32(64)),
				HealthCheck: &shape.HealthCheck{Command: []string{"CMD", "true"}, Interval: aws.Ptr(int32(5))},
			}},
		}})
	})
	c := hub.Config{
		Store: &slow{Store: w.store, world: w}, Server: "server1", Heartbeat: time.Hour, Log: slog.New(slog.DiscardHandler),
		Verify: func(*http.Request) (sigv4.Identity, error) {
			return sigv4.Identity{Key: sigv4.Key{Account: home.Account, Principal: w.principal.Load().(string)}, Scope: sigv4.Scope{Region: home.Region}}, nil
		},
	}
	for _, edit := range edits {
		edit(&c)
	}
	w.hub = hub.New(c)
	running, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { defer close(done); _ = w.hub.Run(running) }()
	mux := http.NewServeMux()
	mux.HandleFunc("/acs/ws", w.hub.ServeACS)
	mux.HandleFunc("/tcs/ws", w.hub.ServeTCS)
	srv := httptest.NewServer(mux)
	w.url = srv.URL
	t.Cleanup(func() { stop(); <-done; srv.Close(); _ = w.store.Close() })
	return w
}

func (w *world) update(f func(store.Tx)) {
	w.t.Helper()
	if err := w.store.Update(w.ctx, func(tx store.Tx) error { f(tx); return nil }); err != nil {
		w.t.Fatal(err)
	}
}

// launch books a task of the instance.
func (w *world) launch(id string) {
	w.update(func(tx store.Tx) {
		tables.Tasks.Put(tx, &ecs.Task{Home: home, Cluster: cluster, ID: id, Family: "web", Revision: 1, Instance: instanceID, Node: instanceID,
			Containers: []ecs.TaskContainer{{Name: "web", ID: "c1", Essential: true, HealthCheck: true}}})
		tables.TaskDesireds.Put(tx, &ecs.TaskDesired{Home: home, Cluster: cluster, ID: id, Instance: instanceID, Status: shape.DesiredStatusRunning})
		tables.TaskStatuses.Put(tx, &ecs.TaskStatus{Home: home, Cluster: cluster, ID: id, Instance: instanceID,
			LastStatus: ecs.TaskPending, Containers: []ecs.ContainerStatus{{Name: "web", LastStatus: ecs.TaskPending}}})
	})
}

func (w *world) setStatus(id, last string) {
	w.update(func(tx store.Tx) {
		old, _ := tables.TaskStatuses.Get(tx, tables.MemberKey(home, cluster, id))
		s := *old
		s.LastStatus = last
		s.Containers = []ecs.ContainerStatus{{Name: "web", LastStatus: last}}
		tables.TaskStatuses.Put(tx, &s)
	})
}

func (w *world) desireStopped(id string) {
	w.update(func(tx store.Tx) {
		old, _ := tables.TaskDesireds.Get(tx, tables.MemberKey(home, cluster, id))
		d := *old
		d.Status = shape.DesiredStatusStopped
		tables.TaskDesireds.Put(tx, &d)
	})
}

// agent is the other end of a control session.
type agent struct {
	w    *world
	conn *websocket.Conn
}

// dial answers the socket, or the body of the refusal.
func (w *world) dial(path string, q url.Values) (conn *websocket.Conn, refusal string, err error) {
	conn, resp, err := websocket.Dial(w.ctx, strings.Replace(w.url, "http", "ws", 1)+path+"?"+q.Encode(), nil)
	if err != nil && resp != nil {
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		return nil, string(body), err
	}
	return conn, "", err
}

func (w *world) connect() *agent {
	w.t.Helper()
	conn, _, err := w.dial("/acs/ws", url.Values{
		"containerInstanceArn": {home.InstanceARN(cluster, instanceID)}, "clusterArn": {cluster},
		"agentVersion": {"1.2.3"}, "dockerVersion": {"DockerVersion: 9"},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = conn.CloseNow() })
	return &agent{w, conn}
}

func (a *agent) send(m session.Message) {
	a.w.t.Helper()
	data, err := session.Encode(m)
	if err != nil {
		a.w.t.Fatal(err)
	}
	if err := a.conn.Write(a.w.ctx, websocket.MessageText, data); err != nil {
		a.w.t.Fatal(err)
	}
}

// next reads until a message of type M.
func next[M session.Message](a *agent) M {
	a.w.t.Helper()
	for {
		_, data, err := a.conn.Read(a.w.ctx)
		if err != nil {
			a.w.t.Fatal(err)
		}
		m, err := session.Decode(data)
		if err != nil {
			a.w.t.Fatal(err)
		}
		if m, ok := m.(M); ok {
			return m
		}
	}
}

// until waits for the store to satisfy a condition.
func (w *world) until(what string, cond func(store.Tx) bool) {
	w.t.Helper()
	sub := w.store.Watch(w.ctx, tables.InstanceStates.Name(), tables.TaskStatuses.Name())
	defer sub.Close()
	for {
		b, err := sub.Next(w.ctx)
		if err != nil {
			w.t.Fatalf("waiting for %s: %v", what, err)
		}
		if cond(b.Snapshot) {
			return
		}
	}
}

func (w *world) connected(tx store.Tx) bool {
	s, ok := tables.InstanceStates.Peek(tx, tables.MemberKey(home, cluster, instanceID))
	return ok && s.Connected
}

func TestAgentIsToldWhatToRunAndStop(t *testing.T) {
	w := newWorld(t)
	w.launch("aaaa")
	a := w.connect()
	if m := next[*session.TaskManifestMessage](a); len(m.Tasks) != 1 || m.Tasks[0].TaskArn != home.TaskARN(cluster, "aaaa") || m.Timeline == 0 {
		t.Fatalf("manifest: %+v", m)
	}
	start := next[*session.PayloadMessage](a)
	if len(start.Tasks) != 1 || start.Tasks[0].DesiredStatus != "RUNNING" || start.Tasks[0].Containers[0].Image != "web:1" || start.ClusterArn != home.ClusterARN(cluster) {
		t.Fatalf("payload: %+v", start)
	}
	a.send(&session.AckRequest{MessageID: start.MessageID})
	w.until("the instance to be connected", w.connected)

	w.setStatus("aaaa", ecs.TaskRunning)
	w.launch("bbbb")
	if m := next[*session.PayloadMessage](a); m.Tasks[0].Arn != home.TaskARN(cluster, "bbbb") || m.SeqNum <= start.SeqNum {
		t.Fatalf("second payload: %+v", m)
	}
	w.desireStopped("aaaa")
	if m := next[*session.PayloadMessage](a); m.Tasks[0].Arn != home.TaskARN(cluster, "aaaa") || m.Tasks[0].DesiredStatus != "STOPPED" {
		t.Fatalf("stop payload: %+v", m)
	}
}

func TestUnacknowledgedIsToldAgainAfterReconnect(t *testing.T) {
	w := newWorld(t)
	w.launch("aaaa")
	a := w.connect()
	first := next[*session.PayloadMessage](a)
	_ = a.conn.CloseNow()
	b := w.connect()
	if again := next[*session.PayloadMessage](b); again.SeqNum != first.SeqNum || again.Tasks[0].Arn != first.Tasks[0].Arn {
		t.Fatalf("told %+v, then %+v", first, again)
	}
}

func TestStopVerification(t *testing.T) {
	w := newWorld(t)
	w.launch("aaaa")
	a := w.connect()
	m := next[*session.TaskManifestMessage](a)
	stranger := session.TaskIdentifier{TaskArn: home.TaskARN(cluster, "ffff"), DesiredStatus: "STOPPED"}
	ours := session.TaskIdentifier{TaskArn: home.TaskARN(cluster, "aaaa"), DesiredStatus: "STOPPED"}
	a.send(&session.TaskStopVerificationMessage{MessageID: m.MessageID, StopCandidates: []session.TaskIdentifier{ours, stranger}})
	ack := next[*session.TaskStopVerificationAck](a)
	if ack.MessageID != m.MessageID || len(ack.StopTasks) != 1 || ack.StopTasks[0].TaskArn != stranger.TaskArn {
		t.Fatalf("verification: %+v", ack)
	}
}

func TestPresenceFollowsTheSocket(t *testing.T) {
	w := newWorld(t)
	a := w.connect()
	w.until("connected", w.connected)
	b := w.connect() // replaces a; the end of a must not mark the instance as gone
	next[*session.TaskManifestMessage](b)
	if _, _, err := a.conn.Read(w.ctx); err == nil {
		for err == nil {
			_, _, err = a.conn.Read(w.ctx)
		}
	}
	w.until("still connected", w.connected)
	_ = b.conn.CloseNow()
	w.until("disconnected", func(tx store.Tx) bool { return !w.connected(tx) })
}

func TestDeregisteredInstanceIsRefusedInTheAgentsWords(t *testing.T) {
	w := newWorld(t)
	a := w.connect()
	next[*session.TaskManifestMessage](a)
	w.update(func(tx store.Tx) {
		tables.InstanceStates.Put(tx, &ecs.InstanceState{Home: home, Cluster: cluster, ID: instanceID, Status: ecs.InstanceInactive})
	})
	for {
		if _, _, err := a.conn.Read(w.ctx); err != nil {
			break // the server closed the socket
		}
	}
	_, body, err := w.dial("/acs/ws", url.Values{"containerInstanceArn": {home.InstanceARN(cluster, instanceID)}})
	if err == nil {
		t.Fatal("a deregistered instance was let in")
	}
	var said map[string]string
	if json.Unmarshal([]byte(body), &said) != nil || said["InactiveInstanceException"] == "" {
		t.Errorf("refused with %s", body)
	}
}

func TestHealthArrivesByTelemetry(t *testing.T) {
	w := newWorld(t)
	w.launch("aaaa")
	w.setStatus("aaaa", ecs.TaskRunning)
	conn, _, err := w.dial("/tcs/ws", url.Values{"containerInstance": {home.InstanceARN(cluster, instanceID)}})
	if err != nil {
		t.Fatal(err)
	}
	a := &agent{w, conn}
	data, _ := session.Encode(&session.PublishHealthRequest{Tasks: []session.TaskHealth{{
		TaskArn:    home.TaskARN(cluster, "aaaa"),
		Containers: []session.ContainerHealth{{ContainerName: "web", HealthStatus: "HEALTHY", StatusSince: 1.5}},
	}}})
	signed := append([]byte("Authorization: AWS4-HMAC-SHA256 x\r\nHost: h\r\n\r\n"), data...)
	if err := conn.Write(w.ctx, websocket.MessageText, signed); err != nil {
		t.Fatal(err)
	}
	next[*session.AckPublishHealth](a)
	w.until("the task to be healthy", func(tx store.Tx) bool {
		s, _ := tables.TaskStatuses.Peek(tx, tables.MemberKey(home, cluster, "aaaa"))
		return s.Health == "HEALTHY"
	})
	a.send(&session.PublishMetricsRequest{Metadata: &session.MetricsMetadata{Idle: true}})
	next[*session.AckPublishMetric](a)
}
