package router

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/berth-ecs/berth/node/network/netspace/spacetest"
)

// TestTaskDeletesItsLink: that is known at once, concerns nobody else, and the next look at everything makes the interface anew.
func TestTaskDeletesItsLink(t *testing.T) {
	t.Parallel()
	r := open(t)
	n := newNet("vpc-1", "10.0.0.0/16")
	for _, id := range []string{"eni-vandal", "eni-client", "eni-server", "eni-leaves"} {
		n.iface(id, "vpc-1a")
	}
	n.apply(t, r)
	vandal, client, server := wait(t, r, "eni-vandal"), wait(t, r, "eni-client"), wait(t, r, "eni-server")
	spacetest.Space(server.Netns).Serve(t, "tcp", ":80", server.ID)
	spacetest.In(t, vandal.Netns, func() error {
		eth0, err := netlink.LinkByName("eth0")
		if err != nil {
			return err
		}
		return netlink.LinkDel(eth0)
	})
	for deadline := time.Now().Add(patience); r.ready.Why(vandal.ID) == nil; {
		if time.Now().After(deadline) {
			t.Fatal("nobody noticed")
		}
	}
	ctx, stop := context.WithTimeout(t.Context(), moment)
	defer stop()
	if _, err := r.Wait(ctx, vandal.ID); !errors.Is(err, errLinkLost) {
		t.Errorf("a container that starts now learns %v", err)
	}
	wantAnswer(t, client, "tcp", at(server, 80), server.ID)
	delete(n.Interfaces, "eni-leaves") // its link goes too, as it should
	n.apply(t, r)
	settle(t, r)
	if err := r.ready.Why("eni-leaves"); err != nil {
		t.Errorf("an interface that went: %v", err)
	}
	r.mu.Lock()
	r.vpcs["vpc-1"].whole = false
	r.mu.Unlock()
	n.apply(t, r)
	wantAnswer(t, wait(t, r, vandal.ID), "tcp", at(server, 80), server.ID)
}
