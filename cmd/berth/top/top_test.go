package top

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-ecs/berth/session/hub"
	"github.com/berth-ecs/berth/session/telemetry"
	"github.com/berth-ecs/berth/wire/sigv4"
)

var noon = time.Date(2030, 1, 1, 12, 0, 0, 0, time.Local) //nolint:gosmopolitan // the page shows local time

func page() hub.Top {
	started := noon.Add(-90 * time.Minute)
	task := func(id, service string, c ...hub.TopContainer) hub.TopTask {
		return hub.TopTask{TaskARN: "arn:aws:ecs:r:a:task/default/" + id, Cluster: "default", Family: "web", Revision: 3, Service: service,
			LastStatus: "RUNNING", CreatedAt: noon.Add(-26 * time.Hour), StartedAt: &started, Containers: c}
	}
	use := func(ago time.Duration, cpu float64) telemetry.Sample {
		return telemetry.Sample{At: noon.Add(-ago), CPU: cpu, MemoryMiB: 20.25, RxPerSec: 1234, TxPerSec: 0, Network: true, Restarts: 2}
	}
	none := use(0, 3)
	none.Network = false
	young := task("cccc", "", hub.TopContainer{Name: "evil\x1b[2J", LastStatus: "PENDING"})
	young.StartedAt, young.CreatedAt = nil, noon.Add(-5*time.Second)
	return hub.Top{At: noon, Tasks: []hub.TopTask{
		task("aaaa", "front", hub.TopContainer{Name: "web", LastStatus: "RUNNING", Health: "HEALTHY", Memory: "64", Samples: []telemetry.Sample{use(40*time.Second, 99), use(20*time.Second, 12.34)}}),
		task("bbbb", "", hub.TopContainer{Name: "main", LastStatus: "RUNNING", Samples: []telemetry.Sample{use(2*time.Minute, 80)}}, hub.TopContainer{Name: "side", LastStatus: "RUNNING", Samples: []telemetry.Sample{none}}),
		young,
	}}
}

func TestRender(t *testing.T) {
	var b bytes.Buffer
	if err := Render(&b, page()); err != nil {
		t.Fatal(err)
	}
	want := `12:00:00  3 tasks, 4 containers  cpu 15.3 %  memory 40.5 MiB

CLUSTER  TASK  OF     CONTAINER  STATUS   HEALTH   CPU %  MEMORY MiB  RX/s    TX/s  RESTARTS  AGE
default  aaaa  front  web        RUNNING  HEALTHY  12.3   20.2 / 64   1.2 kB  0 B   2         1h30m
default  bbbb  web:3  side       RUNNING  -        3.0    20.2        -       -     2         1h30m
default  bbbb  web:3  main       RUNNING  -        -      -           -       -     -         1h30m
default  cccc  web:3  evil[2J    PENDING  -        -      -           -       -     -         5s
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestUnits(t *testing.T) {
	for n, want := range map[float64]string{0: "0 B", 999: "999 B", 1000: "1.0 kB", 123456: "123 kB", 2.5e9: "2.5 GB", 1e16: "10000 TB"} {
		if got := bytesOf(n); got != want {
			t.Errorf("%g: %s, want %s", n, got, want)
		}
	}
	for d, want := range map[time.Duration]string{-1: "0s", 61 * time.Second: "1m1s", 49 * time.Hour: "2d1h"} {
		if got := age(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}

func TestWatchRefreshesInPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var b bytes.Buffer
		asked := 0
		get := func(context.Context) (hub.Top, error) {
			switch asked++; asked {
			case 2:
				return hub.Top{}, errors.New("refused")
			case 4:
				cancel()
			}
			return page(), nil
		}
		begin := time.Now()
		if err := Watch(ctx, &b, get, 2*time.Second); err != nil {
			t.Error(err)
		}
		if took := time.Since(begin); took != 6*time.Second {
			t.Errorf("four pages took %v", took)
		}
		pages := strings.Split(b.String(), home)
		if len(pages) != 5 || !strings.HasPrefix(pages[1], "\x1b[2J") || !strings.Contains(pages[3], "the region does not answer: refused") ||
			!strings.Contains(pages[4], "cpu 15.3 %") || !strings.HasSuffix(pages[4], clearBelow) {
			t.Errorf("shown: %q", pages)
		}
	})
}

func TestGet(t *testing.T) {
	status, body := http.StatusOK, `{"tasks":[{"taskArn":"arn:t","containers":[]}]}`
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.String() != "/_berth/top?cluster=a+b" || !strings.Contains(r.Header.Get("Authorization"), "/r/ecs/aws4_request") {
			t.Errorf("asked %s with %v", r.URL, r.Header)
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body)) // the client says what it got
	}))
	defer s.Close()
	from := Source{Endpoint: s.URL, Cluster: "a b", Signer: sigv4.Signer{Credentials: sigv4.Credentials{AccessKey: "k", Secret: "s"}, Scope: sigv4.Scope{Region: "r", Service: "ecs"}}}
	if got, err := from.Get(t.Context()); err != nil || len(got.Tasks) != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	status, body = http.StatusForbidden, "no"
	if _, err := from.Get(t.Context()); err == nil || !strings.Contains(err.Error(), "403 Forbidden: no") {
		t.Errorf("%v", err)
	}
}
