package balancing

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"github.com/berth-ecs/berth/test/installation"
)

// slowly is answered slowly enough for something to be in flight at any time.
const slowly = "/slow?for=20ms"

// everyone begins clients of each kind.
func (w *world) everyone(t *testing.T) map[string]*load {
	t.Helper()
	all := map[string]*load{}
	for name, make := range w.clients(slowly, "after all") {
		all[name] = begin(t, perKind, perKind*25, make)
	}
	for _, l := range all {
		l.reach(t, 20)
	}
	return all
}

// perKind is how many clients of each kind there are; each has one request in flight.
const perKind = 4

// replaced: what a task killed in the middle of its work costs. Each client may lose the one request that it was answering.
func (w *world) replaced(t *testing.T) {
	l := begin(t, clients, rate, w.clients(slowly, "after all")["HTTP/1.1"])
	l.reach(t, rate/10)
	died := time.Now()
	targets(t, "fleet")[0].kill(t)
	l.reach(t, 3*rate)
	failed := l.result(t, "a task is killed", clients)
	last := time.Duration(0)
	for _, f := range failed {
		last = max(last, f.ended.Sub(died))
	}
	t.Logf("a task is killed: the last error comes after %s%s", last.Round(time.Millisecond), some(failed))
	quiet := begin(t, clients, rate, w.clients(slowly, "after all")["HTTP/1.1"])
	quiet.reach(t, rate/2)
	quiet.result(t, "after that", 0)
	deployed(t, "fleet")
}

// restarts: neither a server nor a node is needed for traffic. Envoy is, and costs what was in flight, also on a connection that was opened while it died.
func (w *world) restarts(t *testing.T) {
	for _, r := range []installation.Role{installation.Server, installation.Node} {
		all := w.everyone(t)
		region.Kill(r)
		for _, l := range all {
			l.reach(t, 40)
		}
		w.back(t, r)
		for name, l := range all {
			l.reach(t, 40)
			l.result(t, fmt.Sprintf("kill -9 of the %s, %s", r, name), 0)
		}
	}
	all := w.everyone(t)
	died := killEnvoy(t)
	for name, l := range all {
		l.reach(t, 3*perKind)
		last := time.Duration(0)
		for _, f := range l.result(t, "kill -9 of Envoy, "+name, 2*perKind) {
			last = max(last, f.ended.Sub(died))
		}
		t.Logf("kill -9 of Envoy, %s: the last error comes after %s", name, last.Round(time.Millisecond))
	}
}

// killEnvoy ends the Envoy of the installation.
func killEnvoy(t testing.TB) time.Time {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range all {
		line, _ := os.ReadFile(file) // it may have ended
		if !strings.Contains(string(line), "\x00-c\x00"+region.RunDir+"/") || !strings.Contains(string(line), "envoy\x00") {
			continue
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		return time.Now()
	}
	t.Fatal("there is no Envoy")
	return time.Time{}
}

// alone: while every server is away targets die. What they were answering fails, and nothing after that.
func (w *world) alone(t *testing.T) {
	victims, quietly := targets(t, "fleet")[:1], rate
	if long() { // ten minutes of it
		victims, quietly = targets(t, "fleet")[:8], 75*rate/2
	}
	region.Kill(installation.Server)
	for _, victim := range victims {
		l := begin(t, clients, rate/2, w.clients(slowly, "after all")["HTTP/1.1"])
		l.reach(t, rate/10)
		victim.kill(t)
		l.reach(t, rate)
		t.Log(some(l.result(t, "a target dies while every server is away", clients)))
		quiet := begin(t, clients, rate/2, w.clients(slowly, "after all")["HTTP/1.1"])
		quiet.reach(t, quietly)
		quiet.result(t, "after that, servers still away", 0)
	}
	w.back(t, installation.Server)
	deployed(t, "fleet")
}

// back begins a process again, and waits until the region is whole.
func (w *world) back(t *testing.T, r installation.Role) {
	t.Helper()
	if err := region.Begin(r); err != nil {
		t.Fatal(err)
	}
	if err := region.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// leaves: a request in flight when its target leaves is answered before the task is asked to end; what is asked meanwhile goes elsewhere.
func (w *world) leaves(t *testing.T) {
	slow := make(chan error, 1)
	go func() { slow <- w.lingers(context.WithoutCancel(t.Context())) }()
	w.eventually(t, "200 1", fleetHost, "/busy", "X-Part", "api") // the target has it
	change(t, &ecs.UpdateServiceInput{Service: aws.String("api"), DesiredCount: aws.Int32(0)})
	if err := <-slow; err != nil {
		t.Errorf("a request in flight when its target left: %v", err)
	}
	deployed(t, "api")
}

func (w *world) lingers(ctx context.Context) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+fleetHost+"/slow?for=2s", once(""))
	if err != nil {
		return err
	}
	r.Header.Set("X-Part", "api")
	a, err := w.web("http", fleetHost, false).Do(r)
	if err != nil {
		return err
	}
	defer a.Body.Close()
	body, err := io.ReadAll(a.Body)
	if err == nil && string(body) != "after all" {
		err = fmt.Errorf("%s %s", a.Status, body)
	}
	return err
}
