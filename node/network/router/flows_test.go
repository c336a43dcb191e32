package router

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/node/network/netspace"
	"github.com/berth-ecs/berth/node/network/netspace/spacetest"
	"github.com/berth-ecs/berth/node/network/router/flows"
)

// tracked says whether the router knows a connection of an address.
func tracked(t *testing.T, r *Routers, a netip.Addr) bool {
	t.Helper()
	v := r.vpcs["vpc-1"]
	list, err := netspace.Dump(func() ([]*netlink.ConntrackFlow, error) {
		return v.nl.ConntrackTableList(netlink.ConntrackTable, unix.AF_INET)
	})
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(list, func(f *netlink.ConntrackFlow) bool { return flows.Of{a: true}.MatchConntrackFlow(f) })
}

// talk has two interfaces ask a third, so that each has a connection there.
func talk(t *testing.T, r *Routers) (n *net4, goes, stays Endpoint) {
	t.Helper()
	n = newNet("vpc-1", "10.0.0.0/16")
	n.group("vpc-1", "sg-web", allow(6, 80, 80, anywhere))
	n.iface("eni-goes", "vpc-1a")
	n.iface("eni-stays", "vpc-1b")
	n.iface("eni-web", "vpc-1b", "sg-web")
	n.apply(t, r)
	goes, stays = wait(t, r, "eni-goes"), wait(t, r, "eni-stays")
	web := wait(t, r, "eni-web")
	spacetest.Space(web.Netns).Serve(t, "tcp", ":80", "web")
	wantAnswer(t, goes, "tcp", at(web, 80), "web")
	wantAnswer(t, stays, "tcp", at(web, 80), "web")
	return n, goes, stays
}

func wantTracked(t *testing.T, r *Routers, e Endpoint, want bool) {
	t.Helper()
	if got := tracked(t, r, e.Addresses[0]); got != want {
		t.Errorf("a connection of %s is known: %v, want %v", e.ID, got, want)
	}
}

// The connections of an interface that goes end beside the change; those of others go on.
func TestConnectionsOfOneThatGoes(t *testing.T) {
	t.Parallel()
	r := open(t)
	n, goes, stays := talk(t, r)
	r.digging.Lock()
	delete(n.Interfaces, "eni-goes")
	n.apply(t, r)
	wantTracked(t, r, goes, true)
	r.digging.Unlock()
	settle(t, r)
	wantTracked(t, r, goes, false)
	wantTracked(t, r, stays, true)
}

// An address that comes again takes over no connection, whether the one that had it goes before or with that change.
func TestAnAddressTakesNoConnectionOver(t *testing.T) {
	t.Parallel()
	r := open(t)
	n, goes, stays := talk(t, r)
	r.digging.Lock()
	defer r.digging.Unlock()
	old := n.Interfaces["eni-goes"]
	delete(n.Interfaces, "eni-goes")
	n.apply(t, r)
	wantTracked(t, r, goes, true)
	old.ID = "eni-new"
	n.Interfaces["eni-new"] = old
	n.apply(t, r)
	wantTracked(t, r, goes, false)
	wantTracked(t, r, stays, true)

	moved := n.Interfaces["eni-stays"]
	delete(n.Interfaces, "eni-stays")
	moved.ID = "eni-moved"
	n.Interfaces["eni-moved"] = moved
	n.apply(t, r)
	wantTracked(t, r, stays, false)
}

// What a process had not come to is the next one's to end.
func TestConnectionsOfAnEarlierProcess(t *testing.T) {
	t.Parallel()
	r := open(t)
	n, goes, stays := talk(t, r)
	r.stop() // as one that is killed: nobody comes to it
	r.loops.Wait()
	delete(n.Interfaces, "eni-goes")
	n.apply(t, r)
	wantTracked(t, r, goes, true)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	r = reopen(t, r)
	n.apply(t, r)
	wantTracked(t, r, goes, false)
	wantTracked(t, r, stays, true)
}
