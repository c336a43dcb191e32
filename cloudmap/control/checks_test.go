package control

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/berth-ecs/berth/cloudmap"
	"github.com/berth-ecs/berth/cloudmap/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
)

var home = cloudmap.Home{Account: "000000000000", Region: "us-east-1"}

// endpoint is the instance that is checked, without a network.
type endpoint struct {
	*testing.T
	store store.Store

	mu     sync.Mutex
	status int // what it answers; 0: it refuses connections
	silent bool
	asked  []string // requests, or "tcp"
	at     []time.Time
}

func (e *endpoint) HasVPC(store.Tx, cloudmap.Home, string) bool { return true }

func (e *endpoint) dial(_ context.Context, _, address string) (net.Conn, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.at = append(e.at, time.Now())
	if e.status == 0 {
		return nil, errors.New("refused")
	}
	client, server := net.Pipe()
	go e.serve(server, address)
	return client, nil
}

func (e *endpoint) serve(c net.Conn, address string) {
	defer func() { _ = c.Close() }()
	r, err := http.ReadRequest(bufio.NewReader(c))
	e.mu.Lock()
	status, silent := e.status, e.silent
	if err != nil {
		e.asked = append(e.asked, "tcp "+address)
	} else {
		e.asked = append(e.asked, r.Method+" "+r.Host+r.URL.Path+" at "+address)
	}
	e.mu.Unlock()
	if err != nil || silent {
		_, _ = c.Read(make([]byte, 1)) // until the other end closes
		return
	}
	_, _ = fmt.Fprintf(c, "HTTP/1.1 %d Whatever\r\nContent-Length: 0\r\n\r\n", status)
}

func (e *endpoint) set(status int, silent bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.status, e.silent, e.asked, e.at = status, silent, nil, nil
}

func (e *endpoint) update(fn func(tx store.Tx) error) {
	e.Helper()
	if err := e.store.Update(e.Context(), fn); err != nil {
		e.Fatal(err)
	}
}

// is lets time pass and wants a health.
func (e *endpoint) is(after time.Duration, want string) {
	e.Helper()
	time.Sleep(after)
	synctest.Wait()
	e.update(func(tx store.Tx) error {
		s, err := tables.Service(tx, home, "srv-1")
		if err != nil {
			return err
		}
		i, err := tables.Instance(tx, s, "a")
		if err != nil {
			return err
		}
		if got := tables.Health(tx, s, i); got != want {
			e.Errorf("is %s, want %s", got, want)
		}
		return nil
	})
}

// checked runs test beside the loops, with an instance that has a check.
func checked(t *testing.T, c *cloudmap.Check, test func(e *endpoint)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		e := &endpoint{T: t, store: mem.Open(tables.Schema(), mem.Options{}), status: 200}
		l, err := New(Config{VPCs: e, Dial: e.dial, Reaches: func(a string) bool { return a != "10.0.0.1" }})
		if err != nil {
			t.Fatal(err)
		}
		e.update(func(tx store.Tx) error {
			tables.Namespaces.Put(tx, &cloudmap.Namespace{Home: home, ID: "ns-1", Name: "example.com", HTTPName: "example.com", Type: "DNS_PUBLIC"})
			tables.Services.Put(tx, &cloudmap.Service{Home: home, ID: "srv-1", Namespace: "ns-1", Name: "web", Check: c})
			return nil
		})
		e.register("198.51.100.1")
		ctx, cancel := context.WithCancel(t.Context())
		var run sync.WaitGroup
		run.Go(func() {
			if err := e.store.Lead(ctx, l.Run); err != nil && ctx.Err() == nil {
				t.Error(err)
			}
		})
		test(e)
		cancel()
		run.Wait()
		_ = e.store.Close()
	})
}

func (e *endpoint) register(addr string) {
	e.Helper()
	e.update(func(tx store.Tx) error {
		_, err := tables.RegisterInstance(tx, tables.Registration{Home: home, Service: "srv-1", Instance: "a",
			Attributes: map[string]string{cloudmap.AttrIPv4: addr, cloudmap.AttrPort: "8080"}})
		return err
	})
}

func TestHealthFollowsChecks(t *testing.T) {
	checked(t, &cloudmap.Check{Type: "HTTP", Path: "/ping", Threshold: 3}, func(e *endpoint) {
		e.is(time.Second, "HEALTHY")
		if got := strings.Join(e.asked, ", "); got != "GET web.example.com/ping at 198.51.100.1:8080" {
			t.Errorf("asked %s", got)
		}
		e.set(500, false)
		e.is(70*time.Second, "HEALTHY") // two failed
		e.is(30*time.Second, "UNHEALTHY")
		e.set(302, false)
		e.is(70*time.Second, "UNHEALTHY")
		e.is(30*time.Second, "HEALTHY")
		e.set(200, true) // connects, and does not answer
		e.is(3*time.Minute, "UNHEALTHY")
		e.set(200, false)
		e.register("198.51.100.2") // checked anew, and at once
		e.is(time.Second, "HEALTHY")
	})
}

func TestChecksAreThirtySecondsApart(t *testing.T) {
	checked(t, &cloudmap.Check{Type: "TCP", Threshold: 1}, func(e *endpoint) {
		e.is(5*time.Minute-time.Second, "HEALTHY")
		if len(e.at) != 10 {
			t.Errorf("%d checks in 5 minutes", len(e.at))
		}
		for i := 1; i < len(e.at); i++ {
			if d := e.at[i].Sub(e.at[i-1]); d < 30*time.Second || d > 31*time.Second {
				t.Errorf("%v between two checks", d)
			}
		}
		e.set(0, false)
		e.is(31*time.Second, "UNHEALTHY")
	})
}

func TestPrivateAddressesAreNotChecked(t *testing.T) {
	checked(t, &cloudmap.Check{Type: "TCP", Threshold: 1}, func(e *endpoint) {
		e.is(time.Second, "HEALTHY")
		e.set(200, false)
		e.register("10.0.0.1")
		e.is(time.Minute, "UNHEALTHY")
		if len(e.at) != 0 {
			t.Error("a private address was dialled")
		}
	})
}

// Without the check there is no health, and one that is made later begins anew.
func TestChecksThatGoAndCome(t *testing.T) {
	checked(t, &cloudmap.Check{Type: "TCP", Threshold: 1}, func(e *endpoint) {
		e.set(0, false)
		e.is(time.Minute, "UNHEALTHY")
		change := func(c *cloudmap.Check) {
			e.update(func(tx store.Tx) error {
				s, err := tables.Service(tx, home, "srv-1")
				if err != nil {
					return err
				}
				next := *s
				next.Check = c
				tables.Services.Put(tx, &next)
				return nil
			})
		}
		change(nil)
		e.is(time.Minute, "UNKNOWN")
		e.set(200, false)
		e.is(time.Minute, "UNKNOWN")
		if len(e.at) != 0 {
			t.Error("checked without a check")
		}
		change(&cloudmap.Check{Type: "TCP", Threshold: 1})
		e.is(time.Second, "HEALTHY")
		e.update(func(tx store.Tx) error {
			return tables.DeregisterInstance(tx, tables.Ref{Home: home, Service: "srv-1", Instance: "a"})
		})
		e.set(200, false)
		time.Sleep(time.Minute)
		if len(e.at) != 0 {
			t.Error("checked without an instance")
		}
	})
}
