package router

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/berth-ecs/berth/node/network/netspace/spacetest"
	"github.com/berth-ecs/berth/nodeconf"
)

// TestManyInterfaces: 300 of one VPC on a node.
func TestManyInterfaces(t *testing.T) {
	const many = 300
	r := open(t)
	n := newNet("vpc-1", "10.0.0.0/16")
	n.Subnets["wide"] = nodeconf.Subnet{ID: "wide", VPC: "vpc-1", CIDR: netip.MustParsePrefix("10.0.8.0/21"),
		Gateway: netip.MustParseAddr("10.0.8.1"), ACL: "acl-vpc-1", RouteTable: "rtb-vpc-1"}
	for k := range many {
		a := netip.AddrFrom4([4]byte{10, 0, byte(8 + k/200), byte(10 + k%200)})
		id := fmt.Sprintf("eni-%d", k)
		n.Interfaces[id] = nodeconf.Interface{ID: id, VPC: "vpc-1", Subnet: "wide", MAC: fmt.Sprintf("02:00:00:02:%02x:%02x", k>>8, k&0xff), MTU: 9001,
			Addresses: []netip.Addr{a}, Groups: []string{"sg-vpc-1"}, SourceCheck: true}
	}
	began := time.Now()
	n.apply(t, r)
	t.Logf("%d interfaces: %v", many, time.Since(began))
	last := wait(t, r, fmt.Sprintf("eni-%d", many-1))
	spacetest.Space(last.Netns).Serve(t, "tcp", ":80", last.ID)
	for _, k := range []int{0, 150, many - 2} {
		wantAnswer(t, wait(t, r, fmt.Sprintf("eni-%d", k)), "tcp", at(last, 80), last.ID)
	}
	for k := range many - 1 {
		delete(n.Interfaces, fmt.Sprintf("eni-%d", k))
	}
	began = time.Now()
	n.apply(t, r)
	t.Logf("all but one gone: %v", time.Since(began))
	settle(t, r)
	wantAnswer(t, last, "tcp", at(last, 80), last.ID)
}

// TestManyVPCs: 50 VPCs of one range on a node; each interface reaches its own neighbour, who has the address of 49 others, also after a restart.
func TestManyVPCs(t *testing.T) {
	const many = 50
	r := open(t)
	n := newNet("vpc-0", "10.0.0.0/16")
	for k := range many {
		vpc := fmt.Sprintf("vpc-%d", k)
		if k > 0 {
			n.addVPC(vpc, "10.0.0.0/16")
		}
		n.serial = 0
		n.iface(fmt.Sprintf("eni-from-%d", k), vpc+"a")
		n.iface(fmt.Sprintf("eni-to-%d", k), vpc+"b")
	}
	began := time.Now()
	n.apply(t, r)
	t.Logf("%d VPCs of two interfaces: %v", many, time.Since(began))
	for k := range many {
		to := wait(t, r, fmt.Sprintf("eni-to-%d", k))
		spacetest.Space(to.Netns).Serve(t, "tcp", ":80", to.ID)
	}
	for round := range 2 {
		for k := range many {
			to := wait(t, r, fmt.Sprintf("eni-to-%d", k))
			wantAnswer(t, wait(t, r, fmt.Sprintf("eni-from-%d", k)), "tcp", at(to, 80), to.ID)
		}
		if round > 0 {
			break
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		var err error
		if r, err = Open(t.Context(), r.cfg); err != nil {
			t.Fatal(err)
		}
		began = time.Now()
		n.apply(t, r)
		t.Logf("adopted: %v", time.Since(began))
	}
	destroy(t, r)
}

// TestManyMembers: a rule names a group with 10,000 members; one that leaves is out at once, and its turn costs what one does.
func TestManyMembers(t *testing.T) {
	const many = 10_000
	r := open(t)
	n := newNet("vpc-1", "10.0.0.0/16")
	n.group("vpc-1", "sg-crowd")
	n.group("vpc-1", "sg-server", allow(6, 80, 80, "sg-crowd"))
	n.iface("eni-client", "vpc-1a", "sg-crowd")
	n.iface("eni-server", "vpc-1b", "sg-server")
	for k := range many {
		a := netip.AddrFrom4([4]byte{10, 0, byte(100 + k/200), byte(10 + k%200)})
		n.Members[nodeconf.MemberKey("sg-crowd", a)] = nodeconf.Member{Group: "sg-crowd", Addr: a}
	}
	began := time.Now()
	n.apply(t, r)
	t.Logf("%d members: %v", many, time.Since(began))
	client, server := wait(t, r, "eni-client"), wait(t, r, "eni-server")
	spacetest.Space(server.Netns).Serve(t, "tcp", ":80", server.ID)
	key := nodeconf.MemberKey("sg-crowd", client.Addresses[0])
	for range 3 {
		wantAnswer(t, client, "tcp", at(server, 80), server.ID)
		began = time.Now()
		n.change(t, r, nodeconf.Delta{Gone: []nodeconf.Key{{Kind: "Members", ID: key}}})
		t.Logf("one member leaves: %v", time.Since(began))
		wantSilence(t, client, "tcp", at(server, 80))
		n.change(t, r, nodeconf.Delta{Set: nodeconf.Resources{Members: map[string]nodeconf.Member{key: {Group: "sg-crowd", Addr: client.Addresses[0]}}}})
	}
}
