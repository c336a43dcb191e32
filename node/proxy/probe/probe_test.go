package probe

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/berth-ecs/berth/proxyconf"
)

func TestState(t *testing.T) {
	t.Parallel()
	c := proxyconf.Check{Healthy: 3, Unhealthy: 2}
	for name, x := range map[string]struct {
		outcomes string // + passes, - fails
		want     string
	}{
		"new":                       {"", Initial},
		"the first that passes":     {"+", Healthy},
		"fails once":                {"-", Initial},
		"passes after one failed":   {"-+", Healthy},
		"never passes":              {"--", Unhealthy},
		"one failure":               {"+-", Healthy},
		"not in a row":              {"+-+-", Healthy},
		"in a row":                  {"+--", Unhealthy},
		"two are not three":         {"+--++", Unhealthy},
		"back":                      {"+--+++", Healthy},
		"interrupted on its way":    {"+--++-++", Unhealthy},
		"never healthy, then three": {"--+++", Healthy},
	} {
		s := newState()
		for _, o := range x.outcomes {
			if o == '+' {
				s = s.next(passed(), c)
			} else {
				s = s.next(code("503"), c)
			}
		}
		if s.State != x.want {
			t.Errorf("%s: %s is %s", name, x.outcomes, s.State)
		}
		if s.State == Unhealthy && (s.Reason != "Target.ResponseCodeMismatch" || s.Detail != "Health checks failed with these codes: [503]") {
			t.Errorf("%s: %+v", name, s.Health)
		}
		if s.State == Healthy && s.Health != (Health{State: Healthy}) {
			t.Errorf("%s: %+v", name, s.Health)
		}
	}
}

func TestMatches(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		matcher string
		code    int
		want    bool
	}{
		{"200", 200, true}, {"200", 201, false}, {"200-299", 204, true}, {"200-299", 300, false}, {"200,301", 301, true}, {"0-99", 0, true}, {"", 200, false},
		{"200, 202", 202, true}, {"x", 0, false},
	} {
		if got := matches(c.matcher, c.code); got != c.want {
			t.Errorf("%s of %d: %v", c.matcher, c.code, got)
		}
	}
}

func dialer(ctx context.Context, _ string, to netip.AddrPort) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "tcp", to.String())
}

func TestCheck(t *testing.T) {
	t.Parallel()
	answer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("User-Agent") != "ELB-HealthChecker/2.0" {
			t.Errorf("asked by %q", r.Header.Get("User-Agent"))
		}
		switch r.URL.Path {
		case "/503":
			w.WriteHeader(http.StatusServiceUnavailable)
		case "/moved":
			http.Redirect(w, r, "/503", http.StatusMovedPermanently)
		case "/silent":
			<-r.Context().Done()
		case "/AWS.ALB/healthcheck":
			if r.ProtoMajor != 2 || r.Header.Get("Content-Type") != "application/grpc" {
				t.Errorf("%s %s", r.Proto, r.Header.Get("Content-Type"))
			}
			w.Header().Set("Trailer", "Grpc-Status")
			_, _ = w.Write(make([]byte, 5))
			w.Header().Set("Grpc-Status", "12")
		}
	})
	plain := httptest.NewUnstartedServer(answer)
	var both http.Protocols
	both.SetHTTP1(true)
	both.SetUnencryptedHTTP2(true)
	plain.Config.Protocols = &both
	plain.Start()
	secure := httptest.NewTLSServer(answer)
	t.Cleanup(plain.Close)
	t.Cleanup(secure.Close)
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	at := func(s string) netip.AddrPort { return netip.MustParseAddrPort(s[strings.LastIndex(s, "/")+1:]) }
	for name, c := range map[string]struct {
		to    netip.AddrPort
		check proxyconf.Check
		want  string
	}{
		"HTTP":            {at(plain.URL), proxyconf.Check{Protocol: "HTTP", Path: "/"}, ""},
		"another code":    {at(plain.URL), proxyconf.Check{Protocol: "HTTP", Path: "/503"}, "Health checks failed with these codes: [503]"},
		"that is taken":   {at(plain.URL), proxyconf.Check{Protocol: "HTTP", Path: "/503", Codes: "200-599"}, ""},
		"a redirect":      {at(plain.URL), proxyconf.Check{Protocol: "HTTP", Path: "/moved"}, "Health checks failed with these codes: [301]"},
		"silent":          {at(plain.URL), proxyconf.Check{Protocol: "HTTP", Path: "/silent"}, "Request timed out"},
		"refused":         {at(closed.Addr().String()), proxyconf.Check{Protocol: "HTTP", Path: "/"}, "Health checks failed"},
		"HTTPS":           {at(secure.URL), proxyconf.Check{Protocol: "HTTPS", Path: "/"}, ""},
		"HTTPS to plain":  {at(plain.URL), proxyconf.Check{Protocol: "HTTPS", Path: "/"}, "Health checks failed"},
		"TCP":             {at(plain.URL), proxyconf.Check{Protocol: "TCP"}, ""},
		"TCP, refused":    {at(closed.Addr().String()), proxyconf.Check{Protocol: "TCP"}, "Health checks failed"},
		"another port":    {at(closed.Addr().String()), proxyconf.Check{Protocol: "TCP", Port: at(plain.URL).Port()}, ""},
		"HTTP/2":          {at(plain.URL), proxyconf.Check{Protocol: "HTTP", Path: "/", HTTP2: true}, ""},
		"GRPC":            {at(plain.URL), proxyconf.Check{Protocol: "GRPC"}, ""},
		"GRPC, 0 only":    {at(plain.URL), proxyconf.Check{Protocol: "GRPC", Codes: "0"}, "Health checks failed with these codes: [12]"},
		"GRPC, no status": {at(plain.URL), proxyconf.Check{Protocol: "GRPC", Path: "/none"}, "Health checks failed"},
	} {
		timeout := 30 * time.Second
		if name == "silent" {
			timeout = 100 * time.Millisecond
		}
		ctx, cancel := context.WithTimeout(t.Context(), timeout)
		if got := Check(ctx, dialer, Target{Key: Key{Addr: c.to}, Check: c.check}); got.Detail != c.want {
			t.Errorf("%s: %+v, want %q", name, got, c.want)
		}
		cancel()
	}
}

func key(n byte) Key {
	return Key{Part: "p", Endpoints: "e", Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, n}), 80)}
}

// Checks are an interval apart also when they take long, and what a target was stays when it is looked at in another way.
func TestProber(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		began := time.Now()
		var looks []time.Duration
		var sick atomic.Bool
		p := New(ctx, func(context.Context, Target) Outcome {
			looks = append(looks, time.Since(began))
			time.Sleep(2 * time.Second)
			if sick.Load() {
				return failed()
			}
			return passed()
		}, func(Key, Health) {})
		target := Target{Key: key(1), Check: proxyconf.Check{Protocol: "TCP", Interval: 5 * time.Second, Timeout: 3 * time.Second, Healthy: 2, Unhealthy: 2}}
		p.Set(map[Key]Target{key(1): target}, nil)
		state := func() string { h, _ := p.Of(key(1)); return h.State }
		if state() != Initial {
			t.Error(state())
		}
		time.Sleep(4 * time.Second)
		if synctest.Wait(); state() != Healthy {
			t.Error(state())
		}
		sick.Store(true)
		time.Sleep(11 * time.Second)
		if synctest.Wait(); state() != Unhealthy {
			t.Error(state())
		}
		for i := 1; i < len(looks); i++ {
			if looks[i]-looks[i-1] != 5*time.Second {
				t.Errorf("looked at %v", looks)
			}
		}
		target.Check.Interval = 10 * time.Second
		p.Set(map[Key]Target{key(1): target}, nil)
		if state() != Unhealthy {
			t.Error(state())
		}
		p.Set(nil, nil)
		if _, there := p.Of(key(1)); there {
			t.Error("it is looked at still")
		}
		cancel()
		p.Wait()
	})
}

// A thousand targets are not looked at in one moment, and one that was known begins as it was.
func TestProberSpreads(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		moments := map[time.Duration]int{}
		began := time.Now()
		var most int
		looked := make(chan time.Duration, 1000)
		p := New(ctx, func(context.Context, Target) Outcome {
			looked <- time.Since(began).Truncate(10 * time.Millisecond)
			return passed()
		}, func(Key, Health) {})
		want := map[Key]Target{}
		for i := range 1000 {
			k := Key{Part: "p", Endpoints: "e", Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 80)}
			want[k] = Target{Key: k, Check: proxyconf.Check{Interval: 30 * time.Second, Timeout: time.Second}}
		}
		p.Set(want, map[Key]Health{key(1): {State: Unhealthy, Reason: reasonTimeout}})
		if h, _ := p.Of(Key{Part: "p", Endpoints: "e", Addr: netip.MustParseAddrPort("10.0.0.1:80")}); h.State != Unhealthy {
			t.Errorf("%+v", h)
		}
		for range 1000 {
			m := <-looked
			moments[m]++
			most = max(most, moments[m])
		}
		if most > 100 {
			t.Errorf("%d at once", most)
		}
		cancel()
		p.Wait()
	})
}
