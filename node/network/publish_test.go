package network

import (
	"net"
	"testing"
)

func TestPublishedPortsFromTheHost(t *testing.T) {
	t.Parallel()
	n := open(t)
	e := attach(t, n, "web", Port{ContainerPort: 80}, Port{ContainerPort: 53, Protocol: "udp"})
	serve(t, e.Netns, "tcp", ":80", "web")
	serve(t, e.Netns, "udp", ":53", "dns")
	for _, host := range []string{"127.0.0.1", hostAddr(t), n.cfg.gateway().String()} {
		saw := wantAnswer(t, "", "tcp", net.JoinHostPort(host, hostPort(e, 0)), "web")
		wantAnswer(t, "", "udp", net.JoinHostPort(host, hostPort(e, 1)), "dns")
		if host == "127.0.0.1" && saw != n.cfg.gateway().String() {
			t.Errorf("from loopback the container saw %s, want the gateway %s", saw, n.cfg.gateway())
		}
	}
	wantAnswer(t, "", "tcp", net.JoinHostPort(e.Address.String(), "80"), "web")
}
