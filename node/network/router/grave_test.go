package router

import (
	"testing"

	"github.com/vishvananda/netlink"

	"github.com/vishvananda/netns"

	"github.com/berth-ecs/berth/node/network/netspace"
	"github.com/berth-ecs/berth/node/network/netspace/spacetest"
)

// An interface that is gone is cut off at once, also from what still holds its namespace, while the kernel has not deleted its link yet;
// and its id can come again.
func TestGoneBeforeItsLink(t *testing.T) {
	t.Parallel()
	r := open(t)
	n := newNet("vpc-1", "10.0.0.0/16")
	i := n.iface("eni-goes", "vpc-1a")
	n.iface("eni-stays", "vpc-1b")
	n.apply(t, r)
	goes, stays := wait(t, r, "eni-goes"), wait(t, r, "eni-stays")
	to := hear(t, stays, 9999)
	ns, err := netns.GetFromPath(goes.Netns)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ns.Close() }()
	if got := shout(t, goes, goes.Addresses[0], to); got != goes.Addresses[0].String() {
		t.Fatalf("before: the target heard %s", got)
	}
	held := r.cfg.RunDir + "/held"
	if err := netspace.Mount(ns, held); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = netspace.Unmount(held) }()

	r.digging.Lock() // nobody deletes links
	delete(n.Interfaces, "eni-goes")
	n.apply(t, r)
	spacetest.In(t, held, func() error { _, err := netlink.LinkByName("eth0"); return err })
	if netspace.Mounted(goes.Netns) {
		t.Error("the namespace is mounted")
	}
	gone := goes
	gone.Netns = held
	if got := shout(t, gone, goes.Addresses[0], to); got != "nobody" {
		t.Errorf("one that is gone: the target heard %s", got)
	}
	n.Interfaces["eni-goes"] = i
	n.apply(t, r)
	again := wait(t, r, "eni-goes")
	if got := shout(t, again, again.Addresses[0], to); got != again.Addresses[0].String() {
		t.Errorf("come again: the target heard %s", got)
	}
	r.digging.Unlock()
	settle(t, r)
	if got := shout(t, again, again.Addresses[0], to); got != again.Addresses[0].String() {
		t.Errorf("after what was left is deleted: the target heard %s", got)
	}
	if left := len(r.vpcs["vpc-1"].graves); left > 0 {
		t.Errorf("%d links wait to be deleted", left)
	}
}
