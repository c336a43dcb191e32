package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/berth-ecs/berth/node/hold"
	"github.com/berth-ecs/berth/node/network"
	"github.com/berth-ecs/berth/node/runtime"
	"github.com/berth-ecs/berth/session"
	"github.com/berth-ecs/berth/test/images"
	aws "github.com/berth-ecs/berth/wire/shape"
	"github.com/berth-ecs/berth/wire/sigv4"
)

// TestMain is also `berth hold`, which the node starts by this program's own name.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "hold" {
		c, err := hold.ParseFlags(os.Args[2:])
		if err == nil {
			err = hold.Main(context.Background(), c)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// machine is a real node without an agent.
type machine struct {
	runtime *runtime.Runtime
	network *network.Network
	hold    *hold.Client
	data    string
	run     string
	image   string
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	name := fmt.Sprintf("a%x", time.Now().UnixNano()&0xfffff)
	dir := func(parent string) string {
		d, err := os.MkdirTemp(parent, name) // socket paths are short
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.RemoveAll(d) })
		return d
	}
	run, ctx, log := dir("/run"), t.Context(), slog.New(slog.NewTextHandler(t.Output(), nil))
	m := &machine{data: dir("/var/tmp"), run: run}
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	last := func(f func(context.Context) error) {
		t.Cleanup(func() {
			if err := f(context.WithoutCancel(ctx)); err != nil {
				t.Error(err)
			}
		})
	}
	var err error
	m.hold, err = hold.Start(ctx, hold.Config{Exe: os.Args[0], RunDir: run, DataDir: m.data, Log: log})
	check(err)
	last(m.hold.Shutdown)
	m.runtime, err = runtime.Open(ctx, runtime.Config{
		Name: name, BinDir: "/opt/berth/bin", RunDir: run, DataDir: m.data, Log: log, ShimLog: m.hold.Log, ShimLogDone: m.hold.LogDone,
	})
	check(err)
	last(m.runtime.Shutdown)
	m.network, err = network.Open(ctx, network.Config{Name: name, RunDir: run, Log: log})
	check(err)
	last(m.network.Destroy)
	reg, err := images.Serve()
	check(err)
	t.Cleanup(func() { _ = reg.Close() })
	spec, err := images.Busybox(v1.Config{})
	check(err)
	m.image, err = reg.Push("busybox:test", spec)
	check(err)
	return m
}

func (m *machine) agent(t *testing.T, s *server) *Agent {
	t.Helper()
	a, err := New(t.Context(), Config{
		Endpoint: s.http.URL, Region: "us-east-1", Cluster: "default", DataDir: m.data,
		Credentials: func() sigv4.Credentials { return credentials },
		Runtime:     m.runtime, Network: m.network, Logs: m.hold,
		Zone: "us-east-1a", Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

const realARN = "arn:aws:ecs:us-east-1:000000000000:task/default/00112233445566778899aabbccddeeff"

// httpd answers its hostname, is checked for health, and ends with 7 on SIGTERM.
func (m *machine) httpd() session.Task {
	config, err := json.Marshal(map[string]any{"Healthcheck": map[string]any{
		"Test": []string{"CMD-SHELL", "test -f /tmp/index.html"}, "Interval": 200 * time.Millisecond,
	}})
	if err != nil {
		panic(err)
	}
	return session.Task{
		Arn: realARN, TaskClusterArn: "arn:c", DesiredStatus: "RUNNING", Family: "web", Version: "1",
		CPU: 0.5, Memory: 128, NetworkMode: "bridge",
		Volumes: []session.Volume{{Name: "shared"}},
		Containers: []session.Container{
			{
				Name: "init", Image: m.image, Overrides: "{}", Command: []string{"sh", "-c", "hostname > /v/index.html; echo made"},
				MountPoints: []session.MountPoint{{SourceVolume: "shared", ContainerPath: "/v"}},
			},
			{
				Name: "web", Image: m.image, Essential: true, Overrides: "{}", Memory: 64, HealthCheckType: "docker",
				Command: []string{"sh", "-c", "cat /proc/self/net/dev >/dev/null; trap 'exit 7' TERM; env; " +
					"mkdir -p /tmp && cp /v/index.html /tmp; httpd -h /tmp -p 80; while :; do sleep 0.1; done"},
				PortMappings: []session.PortMapping{{ContainerPort: 80}},
				MountPoints:  []session.MountPoint{{SourceVolume: "shared", ContainerPath: "/v", ReadOnly: true}},
				DependsOn:    []session.DependsOn{{ContainerName: "init", Condition: "SUCCESS"}},
				DockerConfig: session.DockerConfig{Config: string(config), HostConfig: `{"NetworkMode":"bridge"}`},
			},
		},
	}
}

func TestReal(t *testing.T) {
	m, s := newMachine(t), newServer(t)
	a := m.agent(t, s)
	stop := runs(t, a)
	defer func() { stop() }()
	s.payload("m1", 5, m.httpd())
	s.until("acknowledged", acked(s, "m1"))
	s.until("running", func() bool { return s.submitted(realARN, "RUNNING") != nil })
	s.until("healthy", func() bool {
		return heard(s, func(h *session.PublishHealthRequest) bool {
			return len(h.Tasks) == 1 && h.Tasks[0].Containers[0].HealthStatus == "HEALTHY"
		})
	})
	s.mu.Lock()
	running := s.submitted(realARN, "RUNNING")
	s.mu.Unlock()
	var port int32
	for _, c := range running.Containers {
		for _, b := range c.NetworkBindings {
			port = aws.Val(b.HostPort)
		}
	}
	page := get(t, fmt.Sprintf("http://127.0.0.1:%d/index.html", port))
	if len(strings.TrimSpace(page)) != 12 {
		t.Errorf("the page says %q, not a hostname", page)
	}
	task, c, ok := a.Lookup("00112233445566778899aabbccddeeff-1")
	if !ok || c.KnownStatus != "RUNNING" || task.AvailabilityZone != "us-east-1a" || len(c.Networks[0].IPv4Addresses) != 1 {
		t.Errorf("metadata %+v of %+v", c, task)
	}
	if _, err := a.Stats(t.Context(), c.ID); err != nil {
		t.Error(err)
	}

	// Another process takes over; the container does not notice.
	stop()
	before := pid(t, m, c.ID)
	a = m.agent(t, s)
	stop = runs(t, a)
	s.until("registered again", func() bool {
		return len(s.registrations) == 2 && aws.Val(s.registrations[1].ContainerInstanceArn) == instanceARN
	})
	if after := pid(t, m, c.ID); after != before {
		t.Errorf("pid %d became %d", before, after)
	}
	s.until("connected again", func() bool { return len(s.dials) == 2 })
	s.payload("m2", 6, session.Task{Arn: realARN, DesiredStatus: "STOPPED", Containers: []session.Container{}})
	s.until("stopped", func() bool { return s.submitted(realARN, "STOPPED") != nil })
	s.mu.Lock()
	stopped := s.submitted(realARN, "STOPPED")
	s.mu.Unlock()
	for _, c := range stopped.Containers {
		if aws.Val(c.ContainerName) == "web" && aws.Val(c.ExitCode) != 7 {
			t.Errorf("web: exit code %v, reason %q", c.ExitCode, aws.Val(c.Reason))
		}
	}
	if err := a.StopAll(t.Context()); err != nil {
		t.Error(err)
	}
	left, err := m.runtime.List(t.Context())
	if endpoints, nerr := m.network.Endpoints(t.Context()); err != nil || nerr != nil || len(left)+len(endpoints) > 0 {
		t.Errorf("left: %v %v %v %v", left, endpoints, err, nerr)
	}
	if tasks, _ := os.ReadDir(filepath.Join(m.data, "tasks")); len(tasks) > 0 {
		t.Errorf("left on disk: %v", tasks)
	}
}

func pid(t *testing.T, m *machine, id string) int {
	t.Helper()
	states, err := m.runtime.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range states {
		if s.ID == id {
			return s.Pid
		}
	}
	t.Fatalf("container %s is not there", id)
	return 0
}

func get(t *testing.T, url string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
