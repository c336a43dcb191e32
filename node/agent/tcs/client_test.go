package tcs

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-ecs/berth/node/agent/socket"
	"github.com/berth-ecs/berth/session"
)

// source is what an agent measures, by hand.
type source struct {
	mu      sync.Mutex
	metrics []session.TaskMetric
	health  []session.TaskHealth
	news    chan struct{}
}

func (s *source) Metrics(context.Context) []session.TaskMetric { return s.metrics }
func (s *source) Subscribe() <-chan struct{}                   { return s.news }
func (s *source) Status(context.Context) session.InstanceStatus {
	return session.InstanceStatus{Type: "ContainerRuntime", Status: "OK"}
}

func (s *source) Health() []session.TaskHealth {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.health
}

func (s *source) becomes(status string) {
	s.mu.Lock()
	s.health = []session.TaskHealth{{TaskArn: "t", Containers: []session.ContainerHealth{{ContainerName: "c", HealthStatus: status}}}}
	s.mu.Unlock()
	s.news <- struct{}{}
}

type frames struct{}

func (frames) Frame(u *url.URL, payload []byte) ([]byte, error) {
	return append([]byte("Host: "+u.Host+u.Path+"\r\n\r\n"), payload...), nil
}

// line keeps what is published, one sentence a message.
type line struct {
	start time.Time
	mu    sync.Mutex
	said  []string
}

func (l *line) Read(ctx context.Context) ([]byte, error) { <-ctx.Done(); return nil, ctx.Err() }
func (l *line) Close(int, string)                        {}
func (l *line) Write(_ context.Context, b []byte) error {
	head, body := session.SplitSigned(b)
	if string(head) != "Host: s/tcs/ws" {
		return fmt.Errorf("signed for %q", head)
	}
	m, err := session.Decode(body)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	text := fmt.Sprint(time.Since(l.start).Round(time.Second), " ")
	switch m := m.(type) {
	case *session.PublishMetricsRequest:
		text += fmt.Sprintf("metrics of %d idle=%t fin=%t", len(m.TaskMetrics), m.Metadata.Idle, m.Metadata.Fin)
	case *session.PublishHealthRequest:
		text += fmt.Sprintf("health of %d %s fin=%t", len(m.Tasks), m.Tasks[0].Containers[0].HealthStatus, m.Metadata.Fin)
	case *session.PublishInstanceStatusRequest:
		text += "status " + m.Statuses[0].Status
	}
	l.said = append(l.said, text)
	return nil
}

// dialer answers the same line each time.
type dialer struct{ *line }

func (d dialer) Dial(_ context.Context, u string) (socket.Conn, error) {
	if !strings.HasPrefix(u, "http://s/tcs/ws?") {
		return nil, fmt.Errorf("dialled %s", u)
	}
	return d.line, nil
}

func publishing(t *testing.T, s *source, f func(l *line)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s.news = make(chan struct{}, 1)
		l := &line{start: time.Now()}
		n := 0
		c := New(Config{
			Endpoint: func(context.Context) (string, error) { return "http://s/tcs", nil }, Dialer: dialer{l}, Framer: frames{}, Source: s,
			NewID: func() string { n++; return strconv.Itoa(n) }, Cluster: "c", Instance: "i", Version: "1", Log: slog.New(slog.DiscardHandler),
		})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- c.Run(ctx) }()
		synctest.Wait()
		f(l)
		cancel()
		<-done
	})
}

func (l *line) want(t *testing.T, said ...string) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if diff := cmp.Diff(said, l.said); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestIdle(t *testing.T) {
	publishing(t, &source{}, func(l *line) {
		time.Sleep(21 * time.Second)
		synctest.Wait()
		l.want(t, "0s metrics of 0 idle=true fin=true", "0s status OK", "20s metrics of 0 idle=true fin=true", "20s status OK")
	})
}

func TestHealthIsPublishedWhenItChanges(t *testing.T) {
	s := &source{}
	publishing(t, s, func(l *line) {
		l.said = nil
		for _, step := range []string{"UNKNOWN", "HEALTHY", "HEALTHY"} {
			time.Sleep(time.Second)
			s.becomes(step)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		l.want(t, "1s health of 1 UNKNOWN fin=true", "2s health of 1 HEALTHY fin=true")
	})
}

func TestTenTasksAMessage(t *testing.T) {
	publishing(t, &source{metrics: make([]session.TaskMetric, 23)}, func(l *line) {
		l.want(t, "0s metrics of 10 idle=false fin=false", "0s metrics of 10 idle=false fin=false", "0s metrics of 3 idle=false fin=true", "0s status OK")
	})
}

func TestParts(t *testing.T) {
	for n, want := range map[int]string{0: "", 1: "1t", 10: "10t", 11: "10f1t", 20: "10f10t"} {
		var b strings.Builder
		for part, last := range parts(make([]int, n)) {
			fmt.Fprintf(&b, "%d%t", len(part), last)
		}
		got := strings.NewReplacer("true", "t", "false", "f").Replace(b.String())
		if got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}
