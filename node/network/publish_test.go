package network

import (
	"errors"
	mrand "math/rand/v2"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/node/network/netspace"
	"github.com/berth-ecs/berth/node/network/netspace/spacetest"
	"github.com/berth-ecs/berth/node/network/ports"
)

func TestPublishedPortsFromTheHost(t *testing.T) {
	t.Parallel()
	n := open(t)
	e := attach(t, n, "web", Port{ContainerPort: 80}, Port{ContainerPort: 53, Protocol: "udp"})
	spacetest.Space(e.Netns).Serve(t, "tcp", ":80", "web")
	spacetest.Space(e.Netns).Serve(t, "udp", ":53", "dns")
	for _, host := range []string{"127.0.0.1", hostAddr(t), n.cfg.gateway().String()} {
		saw := wantAnswer(t, "", "tcp", net.JoinHostPort(host, hostPort(e, 0)), "web")
		wantAnswer(t, "", "udp", net.JoinHostPort(host, hostPort(e, 1)), "dns")
		if host == "127.0.0.1" && saw != n.cfg.gateway().String() {
			t.Errorf("from loopback the container saw %s, want the gateway %s", saw, n.cfg.gateway())
		}
	}
	wantAnswer(t, "", "tcp", net.JoinHostPort(e.Address.String(), "80"), "web")
}

func TestPublishedPortsFromContainers(t *testing.T) {
	t.Parallel()
	n := open(t)
	a, b := attach(t, n, "a", Port{ContainerPort: 80}), attach(t, n, "b", Port{ContainerPort: 80}, Port{ContainerPort: 53, Protocol: "udp"})
	spacetest.Space(a.Netns).Serve(t, "tcp", ":80", "a")
	spacetest.Space(b.Netns).Serve(t, "tcp", ":80", "b")
	spacetest.Space(b.Netns).Serve(t, "udp", "0.0.0.0:53", "b")
	for _, host := range []string{hostAddr(t), n.cfg.gateway().String()} {
		wantAnswer(t, a.Netns, "tcp", net.JoinHostPort(host, hostPort(b, 0)), "b")
		wantAnswer(t, a.Netns, "udp", net.JoinHostPort(host, hostPort(b, 1)), "b")
		wantAnswer(t, a.Netns, "tcp", net.JoinHostPort(host, hostPort(a, 0)), "a")
	}
	if saw := wantAnswer(t, a.Netns, "tcp", net.JoinHostPort(b.Address.String(), "80"), "b"); saw != a.Address.String() {
		t.Errorf("a neighbour saw %s, want %s", saw, a.Address)
	}
}

func TestStaticPortsAndRanges(t *testing.T) {
	t.Parallel()
	n := open(t)
	free := freePorts(t, 4)
	e := attach(t, n, "ranges",
		Port{ContainerPort: 80, HostPort: free[0]},
		Port{ContainerPortRange: "8000-8004"},
		Port{ContainerPortRange: "9000-9002", HostPortRange: ports.Span{First: free[1], Last: free[1] + 2}.String(), Protocol: "udp"},
	)
	spacetest.Space(e.Netns).Serve(t, "tcp", ":80", "static")
	spacetest.Space(e.Netns).Serve(t, "tcp", ":8003", "range")
	spacetest.Space(e.Netns).Serve(t, "udp", ":9002", "udp range")
	var dynamic ports.Span
	for _, b := range e.Ports {
		if b.ContainerPortRange == "8000-8004" {
			dynamic, _ = ports.ParseSpan("", b.HostPortRange)
		}
	}
	if dynamic.Len() != 5 || dynamic.First < ports.DynamicFirst {
		t.Fatalf("bindings %+v: want a dynamic range of 5 from %d", e.Ports, ports.DynamicFirst)
	}
	wantAnswer(t, "", "tcp", "127.0.0.1:"+strconv.Itoa(free[0]), "static")
	wantAnswer(t, "", "tcp", "127.0.0.1:"+strconv.Itoa(dynamic.First+3), "range")
	name, rest, err := spacetest.Ask("", "udp", "127.0.0.1:"+strconv.Itoa(free[1]+2), patience)
	if err != nil || name+" "+rest[:5] != "udp range" {
		t.Errorf("udp range: %q %q, %v", name, rest, err)
	}
	got, err := n.Endpoints(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Endpoint{e}, got, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
		t.Errorf("the kernel says otherwise than Attach (-want +got):\n%s", diff)
	}
}

func TestTakenPortIsAConflict(t *testing.T) {
	t.Parallel()
	n := open(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	taken := l.Addr().(*net.TCPAddr).Port
	_, err = n.Attach(t.Context(), "late", Bridge, []Port{{ContainerPort: 1}, {ContainerPort: 80, HostPort: taken}})
	if c, ok := isConflict(err); !ok || c.Port != taken || c.Protocol != "tcp" || c.Holder != "" {
		t.Errorf("port of a host process: error %v, want a conflict on %d", err, taken)
	}
	first := attach(t, n, "first", Port{ContainerPort: 80})
	_, err = n.Attach(t.Context(), "second", Bridge, []Port{{ContainerPort: 80, HostPort: first.Ports[0].HostPort}})
	if c, ok := isConflict(err); !ok || c.Holder != "first" {
		t.Errorf("port of an endpoint: error %v, want a conflict held by first", err)
	}
	if _, err := net.Listen("tcp", ":"+hostPort(first, 0)); !errors.Is(err, unix.EADDRINUSE) {
		t.Errorf("a host process could bind a published port: %v", err)
	}
	got, err := n.Endpoints(t.Context())
	if err != nil || len(got) != 1 {
		t.Errorf("after conflicts: %d endpoints, %v; want 1", len(got), err)
	}
	if err := n.Detach(t.Context(), "first"); err != nil {
		t.Fatal(err)
	}
	attach(t, n, "second", Port{ContainerPort: 80, HostPort: first.Ports[0].HostPort})
}

func TestWithdrawnPortIsSilent(t *testing.T) {
	t.Parallel()
	n := open(t)
	e := attach(t, n, "gone", Port{ContainerPort: 80}, Port{ContainerPort: 53, Protocol: "udp"})
	spacetest.Space(e.Netns).Serve(t, "tcp", ":80", "gone")
	spacetest.Space(e.Netns).Serve(t, "udp", ":53", "gone")
	wantAnswer(t, "", "tcp", "127.0.0.1:"+hostPort(e, 0), "gone")
	wantAnswer(t, "", "udp", "127.0.0.1:"+hostPort(e, 1), "gone")
	for range 2 {
		if err := n.Detach(t.Context(), "gone"); err != nil {
			t.Fatal(err)
		}
	}
	wantSilence(t, "", "tcp", "127.0.0.1:"+hostPort(e, 0))
	wantSilence(t, "", "udp", "127.0.0.1:"+hostPort(e, 1))
	if netspace.Mounted(e.Netns) {
		t.Errorf("%s is still mounted", e.Netns)
	}
}

// A sender that never pauses keeps its tracked flow alive, so the flow has to be forgotten when the port moves.
func TestUDPFlowFollowsThePort(t *testing.T) {
	t.Parallel()
	n := open(t)
	a := attach(t, n, "a", Port{ContainerPort: 53, Protocol: "udp"})
	spacetest.Space(a.Netns).Serve(t, "udp", ":53", "a")
	c, err := net.Dial("udp4", net.JoinHostPort(hostAddr(t), hostPort(a, 0)))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	askOn := func() string {
		_ = c.SetDeadline(time.Now().Add(patience))
		b := make([]byte, 64)
		for {
			if _, err := c.Write([]byte("x")); err != nil {
				continue // an answer "port unreachable" from before
			}
			k, err := c.Read(b)
			if err == nil {
				name, _, _ := strings.Cut(string(b[:k]), " ")
				return name
			}
			if errors.Is(err, os.ErrDeadlineExceeded) {
				return "nobody"
			}
		}
	}
	if got := askOn(); got != "a" {
		t.Fatalf("%s answered, want a", got)
	}
	if err := n.Detach(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	_, _ = c.Write([]byte("x")) // tracked now as a flow to the host itself
	b := attach(t, n, "b", Port{ContainerPort: 53, HostPort: a.Ports[0].HostPort, Protocol: "udp"})
	spacetest.Space(b.Netns).Serve(t, "udp", ":53", "b")
	if got := askOn(); got != "b" {
		t.Fatalf("%s answered, want b", got)
	}
}

// freePorts finds ports below the dynamic range with two free ones after each.
func freePorts(t *testing.T, count int) []int {
	t.Helper()
	var out []int
	for p := 20000 + mrand.IntN(10000); len(out) < count; p += 3 {
		free := true
		for i := range 3 {
			for _, proto := range []byte{ports.TCP, ports.UDP} {
				s, err := ports.Bind(ports.Key{Proto: proto, Port: p + i})
				if err != nil {
					free = false
					continue
				}
				_ = s.Close()
			}
		}
		if free {
			out = append(out, p)
		}
	}
	return out
}
