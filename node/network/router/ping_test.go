package router

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"

	"github.com/berth-ecs/berth/node/network/netspace/spacetest"
)

// ping asks for an echo, and waits for it as long as it may be on its way.
func ping(t *testing.T, e Endpoint, a netip.Addr, expected bool) bool {
	t.Helper()
	ok := false
	spacetest.In(t, e.Netns, func() error {
		c, err := icmp.ListenPacket("udp4", "0.0.0.0")
		if err != nil {
			return err
		}
		defer func() { _ = c.Close() }()
		m := icmp.Message{Type: ipv4.ICMPTypeEcho, Body: &icmp.Echo{Seq: 1, Data: []byte("hello")}}
		b, err := m.Marshal(nil)
		if err != nil {
			return err
		}
		if _, err := c.WriteTo(b, &net.UDPAddr{IP: a.AsSlice()}); err != nil {
			return err
		}
		timeout := moment
		if expected {
			timeout = patience
		}
		_ = c.SetReadDeadline(time.Now().Add(timeout))
		_, _, err = c.ReadFrom(make([]byte, 1500))
		ok = err == nil
		return nil
	})
	return ok
}
