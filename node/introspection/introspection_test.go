package introspection

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/berth-ecs/berth/node/metadata"
)

type source struct{ registered bool }

func (s source) Self() Self {
	out := Self{Cluster: "default", Version: "Amazon ECS Agent - v1.2.3 (*abc)"}
	if s.registered {
		arn := "arn:i"
		out.ContainerInstanceArn = &arn
	}
	return out
}

func (source) Described() []metadata.Task {
	created := time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)
	mode := []metadata.Network{{NetworkMode: "bridge", IPv4Addresses: []string{"172.28.0.2"}, MACAddress: "02:00"}}
	return []metadata.Task{
		{TaskARN: "arn:A", Family: "web", Revision: "3", DesiredStatus: "RUNNING", KnownStatus: "RUNNING", Containers: []metadata.Container{
			{ID: "aaaaaaaaaaaaaaaa-0", DockerName: "ecs-web-3-c", Name: "c", Image: "web", ImageID: "sha256:1", CreatedAt: &created, Networks: mode,
				Ports: []metadata.Port{{ContainerPort: 80, Protocol: "tcp", HostPort: 8080}}, Labels: map[string]string{"not": "shown"}},
		}},
		{TaskARN: "arn:B", KnownStatus: "STOPPED", Containers: []metadata.Container{{ID: "aaaaaaaaaaaabbbb-0"}}},
	}
}

func TestAnswers(t *testing.T) {
	h := Handler(source{true}, slog.New(slog.DiscardHandler))
	const web = `{"Arn":"arn:A","DesiredStatus":"RUNNING","KnownStatus":"RUNNING","Family":"web","Version":"3","Containers":[` +
		`{"DockerId":"aaaaaaaaaaaaaaaa-0","DockerName":"ecs-web-3-c","Name":"c","Image":"web","ImageID":"sha256:1","CreatedAt":"2030-01-01T12:00:00Z",` +
		`"Ports":[{"ContainerPort":80,"Protocol":"tcp","HostPort":8080}],"Networks":[{"NetworkMode":"bridge","IPv4Addresses":["172.28.0.2"]}]}]}`
	const nobody = `{"Arn":"","KnownStatus":"","Family":"","Version":"","Containers":null}`
	for _, c := range []struct {
		path   string
		status int
		want   string
	}{
		{"/", 200, `{"AvailableCommands":["/v1/metadata","/v1/tasks","/license"]}`},
		{"/what", 200, `{"AvailableCommands":["/v1/metadata","/v1/tasks","/license"]}`},
		{"/v1/metadata", 200, `{"Cluster":"default","ContainerInstanceArn":"arn:i","Version":"Amazon ECS Agent - v1.2.3 (*abc)"}`},
		{"/v1/tasks?taskarn=arn:A", 200, web},
		{"/v1/tasks?dockerid=aaaaaaaaaaaaaaaa-0", 200, web},
		{"/v1/tasks?dockerid=aaaaaaaaaaaa", 404, nobody}, // both begin so
		{"/v1/tasks?dockerid=aaaaaaaaaaaaa", 404, nobody},
		{"/v1/tasks?dockerid=", 404, nobody},
		{"/v1/tasks?taskarn=arn:C", 404, nobody},
		{"/v1/tasks?taskarn=arn:A&dockerid=x", 400, nobody},
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, c.path, nil))
		if w.Code != c.status || w.Body.String() != c.want {
			t.Errorf("%s: %d\n%s\nwant %d\n%s", c.path, w.Code, w.Body, c.status, c.want)
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/v1/tasks", nil))
	if !strings.HasPrefix(w.Body.String(), `{"Tasks":[`+web+`,{"Arn":"arn:B"`) {
		t.Errorf("all: %s", w.Body)
	}
	w = httptest.NewRecorder()
	Handler(source{}, slog.New(slog.DiscardHandler)).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/v1/metadata", nil))
	if !strings.Contains(w.Body.String(), `"ContainerInstanceArn":null`) {
		t.Errorf("before it is registered: %s", w.Body)
	}
}

func TestTheLicenseIsTheProjects(t *testing.T) {
	want, err := os.ReadFile("../../LICENSE")
	if err != nil {
		t.Fatal(err)
	}
	if license != string(want) {
		t.Error("node/introspection/LICENSE is not the project's LICENSE")
	}
}

// conn is a connection between two addresses.
type conn struct {
	net.Conn
	from, to string
}

func (c conn) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(c.from))
}
func (c conn) LocalAddr() net.Addr { return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(c.to)) }

func TestWhoIsNear(t *testing.T) {
	n := near{bridge: netip.MustParsePrefix("172.28.0.0/16")}
	for _, c := range []struct {
		from, to string
		want     bool
	}{
		{"127.0.0.1:9", "127.0.0.1:51678", true},
		{"[::1]:9", "[::1]:51678", true},
		{"[::ffff:127.0.0.1]:9", "[::ffff:127.0.0.1]:51678", true},
		{"192.0.2.7:9", "192.0.2.7:51678", true},
		{"172.28.0.5:9", "172.28.0.1:51678", true},
		{"[::ffff:172.28.0.5]:9", "[::ffff:172.28.0.1]:51678", true},
		{"192.0.2.8:9", "192.0.2.7:51678", false},
		{"192.0.2.8:9", "172.28.0.1:51678", false},
		{"[2001:db8::1]:9", "[2001:db8::2]:51678", false},
	} {
		if got := n.isNear(conn{from: c.from, to: c.to}); got != c.want {
			t.Errorf("from %s to %s: %t", c.from, c.to, got)
		}
	}
}

// Somebody else has the port at first.
func TestServe(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := taken.Addr().String()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- Serve(ctx, Config{Listen: at, Source: source{true}, Log: slog.New(slog.DiscardHandler), Patient: time.Millisecond})
	}()
	if err := taken.Close(); err != nil {
		t.Fatal(err)
	}
	var body []byte
	for body == nil && t.Context().Err() == nil {
		q, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+at+"/v1/metadata", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(q)
		if err != nil {
			continue // not yet
		}
		body, err = io.ReadAll(resp.Body)
		if cerr := resp.Body.Close(); err != nil || cerr != nil {
			t.Fatal(err, cerr)
		}
	}
	if !strings.Contains(string(body), `"Cluster":"default"`) {
		t.Errorf("answered %s", body)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
