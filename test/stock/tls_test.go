package stock

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"strings"
	"testing"
)

// overTLS points an agent at the TLS listener; the port 443 that an agent's URL has not is this test's own.
func (s *server) overTLS(host string) *agent {
	a := s.agent()
	u, err := url.Parse(s.secure)
	if err != nil {
		s.Fatal(err)
	}
	a.backend, a.trust = "https://"+net.JoinHostPort(host, u.Port()), s.trust()
	return a
}

func TestAgentsComeByTLS(t *testing.T) {
	s := newServer(t)
	a := s.overTLS("127.0.0.1")
	must(a.register())(t)
	a.discover()
	if e := a.endpoint; e.Endpoint != a.backend+"/_berth/acs/" || e.TelemetryEndpoint != a.backend+"/_berth/tcs/" {
		t.Errorf("the sessions of an agent that came by %s are at %+v", a.backend, e)
	}
	plain := s.agent()
	plain.arn = a.arn
	if plain.discover(); !strings.HasPrefix(plain.endpoint.Endpoint, s.plain+"/") {
		t.Errorf("an agent that came by %s is sent to %s", s.plain, plain.endpoint.Endpoint)
	}
}

// With a port in the URL the agent verifies the certificate against host:port, which no certificate is for. That is the
// agent's, and why the server leaves the port of https out.
func TestAgentsTrap(t *testing.T) {
	s := newServer(t)
	a := s.overTLS("127.0.0.1")
	must(a.register())(t)
	a.discover()
	if err := a.connectACS(); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("with a port: %v", err)
	}
	// The listener behind :443 is this one, so what is left is to name it as the agent then does.
	conn, err := a.dialAs("127.0.0.1", url.Values{"containerInstanceArn": {a.arn}, "clusterArn": {cluster}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	if _, err := a.dialAs("127.0.0.2", url.Values{"containerInstanceArn": {a.arn}}); err == nil {
		t.Error("the certificate is for another address, too")
	}
	a.trust.RootCAs = nil
	if _, err := a.dialAs("127.0.0.1", url.Values{"containerInstanceArn": {a.arn}}); err == nil {
		t.Error("the machine's own roots trust the authority")
	}
}

func TestPlainHTTPOnTheAgentsListener(t *testing.T) {
	s := newServer(t)
	a := s.agent()
	a.backend = strings.Replace(s.secure, "https", "http", 1)
	if _, err := a.register(); err == nil {
		t.Error("plain HTTP was answered")
	}
}

// The whole way of an agent of another machine, on the port that it verifies.
func TestAnAgentThatVerifies(t *testing.T) {
	host := fmt.Sprintf("127.%d.%d.%d", 1+rand.IntN(200), rand.IntN(250), 2+rand.IntN(250))
	l, err := net.Listen("tcp", host+":443")
	if err != nil {
		t.Skipf("port 443 is not for everyone: %v", err)
	}
	_ = l.Close()
	s := newServer(t, "agent-listen="+host+":443", "agent-names="+host)
	s.define("web", "web", "side")
	a := s.agent()
	a.backend, a.trust = s.settings.AgentEndpoint(), s.trust()
	a.start()
	if want := "https://" + host + "/_berth/acs/"; a.backend != "https://"+host || a.endpoint.Endpoint != want {
		t.Errorf("by %s to %s, not %s", a.backend, a.endpoint.Endpoint, want)
	}
	a.manifest()
	arn := s.run("web")
	a.take()
	a.submit("running", arn)
	a.publish("metrics", arn, "AckPublishMetric")
	a.submit("stopped", arn)
	a.trust.RootCAs = nil
	if err := a.connect(); err == nil {
		t.Error("an agent that does not know the authority was connected")
	}
}
