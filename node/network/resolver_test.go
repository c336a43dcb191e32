package network

import (
	"bufio"
	"net"
	"net/netip"
	"testing"

	"github.com/berth-ecs/berth/node/network/netspace/spacetest"
)

func TestResolversAddress(t *testing.T) {
	for subnet, want := range map[string]string{"172.28.0.0/16": "172.28.255.254", "10.0.0.0/29": "10.0.0.6", "10.0.0.64/26": "10.0.0.126"} {
		if got := (Config{Subnet: netip.MustParsePrefix(subnet)}).resolver().String(); got != want {
			t.Errorf("%s: %s, want %s", subnet, got, want)
		}
	}
}

// Endpoints and the machine ask the resolver at an address that is nobody else's, and that the next process has again.
func TestResolverSocket(t *testing.T) {
	t.Parallel()
	n := open(t)
	if !n.addrs.used[n.Resolver().Addr()] {
		t.Error("the address may be given to a container")
	}
	e := attach(t, n, "asks")
	for range 2 {
		c, err := n.ResolverSocket(t.Context(), "tcp")
		if err != nil {
			t.Fatal(err)
		}
		go spacetest.AnswerConnections(c.(net.Listener), "resolver")
		if saw := wantAnswer(t, e.Netns, "tcp", n.Resolver().String(), "resolver"); saw != e.Address.String() {
			t.Errorf("the resolver saw %s, want the container's %s", saw, e.Address)
		}
		conn, err := net.DialTimeout("tcp4", n.Resolver().String(), patience)
		if err != nil {
			t.Fatal(err)
		}
		got, err := bufio.NewReader(conn).ReadString('\n')
		if want := "resolver " + n.cfg.gateway().String() + "\n"; err != nil || got != want {
			t.Errorf("the machine is answered %q, %v; want %q", got, err, want)
		}
		_, _ = conn.Close(), c.Close()
		if u, err := n.ResolverSocket(t.Context(), "udp"); err != nil {
			t.Error(err)
		} else {
			_ = u.Close()
		}
		n = reopen(t, n)
	}
}
