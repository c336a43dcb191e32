package router

import (
	"context"
	"fmt"
	"net"
	"testing"

	"github.com/berth-ecs/berth/node/network/netspace/spacetest"
)

// TestFlowsAreRationed: an interface with more flows than one may have begins no more, which others do not notice; those it has go on, and it
// begins others when it has fewer.
func TestFlowsAreRationed(t *testing.T) {
	t.Parallel()
	c := open(t)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	c.cfg.Flows = 500
	r, err := Open(t.Context(), c.cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	n := newNet("vpc-1", "10.0.0.0/16")
	for _, id := range []string{"eni-greedy", "eni-modest", "eni-server"} {
		n.iface(id, "vpc-1a")
	}
	n.apply(t, r)
	greedy, modest, server := wait(t, r, "eni-greedy"), wait(t, r, "eni-modest"), wait(t, r, "eni-server")
	spacetest.Space(server.Netns).Serve(t, "tcp", ":80", server.ID)
	var kept net.Conn
	spacetest.In(t, greedy.Netns, func() (err error) {
		if kept, err = (&net.Dialer{}).DialContext(t.Context(), "tcp4", at(server, 80)); err != nil {
			return err
		}
		return flood(t.Context(), server, 600)
	})
	defer func() { _ = kept.Close() }()
	for range 2 { // the second finds nothing to do
		if err := r.ration(); err != nil {
			t.Fatal(err)
		}
	}
	wantSilence(t, greedy, "tcp", at(server, 80))
	wantAnswer(t, modest, "tcp", at(server, 80), server.ID)
	b := make([]byte, 64)
	if _, err := kept.Read(b); err != nil { // the greeting
		t.Fatal(err)
	}
	if _, err := kept.Write([]byte("on")); err != nil {
		t.Fatal(err)
	}
	if k, err := kept.Read(b); err != nil || string(b[:k]) != "on" {
		t.Errorf("what was established: %q, %v", b[:k], err)
	}
	n.iface("eni-late", "vpc-1a") // a change of the configuration does not let it go on, and a whole one does not for long
	n.apply(t, r)
	wantSilence(t, greedy, "tcp", at(server, 80))
	r.mu.Lock()
	r.vpcs["vpc-1"].whole = false
	r.mu.Unlock()
	n.apply(t, r)
	if err := r.ration(); err != nil {
		t.Fatal(err)
	}
	wantSilence(t, greedy, "tcp", at(server, 80))
	if err := endFlows(r.vpcs["vpc-1"].nl, greedy.Addresses); err != nil {
		t.Fatal(err)
	}
	if err := r.ration(); err != nil {
		t.Fatal(err)
	}
	wantAnswer(t, greedy, "tcp", at(server, 80), server.ID)
}

// flood begins flows: a packet to each of so many ports.
func flood(ctx context.Context, to Endpoint, n int) error {
	c, err := (&net.ListenConfig{}).ListenPacket(ctx, "udp4", ":0")
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	for i := range n {
		if _, err := c.WriteTo([]byte("x"), &net.UDPAddr{IP: to.Addresses[0].AsSlice(), Port: 1000 + i}); err != nil {
			return fmt.Errorf("flow %d: %w", i, err)
		}
	}
	return nil
}
