package router

import (
	"net"
	"strings"
	"testing"

	"github.com/berth-ecs/berth/node/network/netspace/spacetest"
)

func TestInterfaces(t *testing.T) {
	t.Parallel()
	r := open(t)
	n := newNet("vpc-1", "10.0.0.0/16")
	n.iface("eni-0123456789abcdef0", "vpc-1a")
	n.iface("eni-1123456789abcdef0", "vpc-1a")
	n.iface("eni-2123456789abcdef0", "vpc-1b")
	n.apply(t, r)
	a, b, c := wait(t, r, "eni-0123456789abcdef0"), wait(t, r, "eni-1123456789abcdef0"), wait(t, r, "eni-2123456789abcdef0")
	spacetest.In(t, a.Netns, func() error {
		link, err := net.InterfaceByName("eth0")
		if err != nil {
			return err
		}
		addrs, err := link.Addrs()
		if err != nil {
			return err
		}
		if link.HardwareAddr.String() != a.MAC || link.MTU != 9001 || len(addrs) != 1 || addrs[0].String() != "10.0.1.10/24" {
			t.Errorf("eth0 is %s %d %v", link.HardwareAddr, link.MTU, addrs)
		}
		return nil
	})
	for _, e := range []Endpoint{b, c} {
		spacetest.Space(e.Netns).Serve(t, "tcp", ":80", e.ID)
		spacetest.Space(e.Netns).Serve(t, "udp", ":53", e.ID)
		if saw := wantAnswer(t, a, "tcp", at(e, 80), e.ID); saw != a.Addresses[0].String() {
			t.Errorf("%s saw %s", e.ID, saw)
		}
		wantAnswer(t, a, "udp", at(e, 53), e.ID)
	}
}

// The audit sees what each interface has, and nothing of one that is gone.
func TestAudit(t *testing.T) {
	t.Parallel()
	r := open(t)
	n := newNet("vpc-1", "10.0.0.0/16")
	n.iface("eni-one", "vpc-1a")
	n.iface("eni-two", "vpc-1b")
	n.public("eni-one", pool(r, 1))
	n.apply(t, r)
	count := func() map[string]int {
		out := map[string]int{}
		for _, i := range audit(t, r).Items {
			out[i.Owner]++
			if strings.HasPrefix(i.Key, pool(r, 1).String()+"/32 "+EdgePrefix(r.cfg.Name)) {
				out["public"]++
			}
		}
		return out
	}
	if got := count(); got["eni-one"] != 3 || got["eni-two"] != 3 || got["public"] != 1 {
		t.Errorf("a mount, a link and a route each, and a public address: %v", got)
	}
	delete(n.Interfaces, "eni-one")
	n.apply(t, r)
	settle(t, r)
	if got := count(); got["eni-one"] != 0 || got["eni-two"] != 3 || got["public"] != 0 {
		t.Errorf("after one is gone: %v", got)
	}
}
