package router

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/nftables"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/node/network/netspace"
	"github.com/berth-ecs/berth/node/network/netspace/spacetest"
	"github.com/berth-ecs/berth/node/network/router/rules"
)

// unguard takes an interface's ingress rules away, to prove that a test sees them.
func unguard(t *testing.T, r *Routers, e Endpoint) {
	t.Helper()
	conn, err := r.vpcs[e.VPC].dial()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.CloseLasting() }()
	table := &nftables.Table{Name: routerTable, Family: nftables.TableFamilyNetdev}
	conn.FlushChain(&nftables.Chain{Table: table, Name: rules.Link(e.ID)})
	if err := conn.Flush(); err != nil {
		t.Fatal(err)
	}
}

// hear opens a datagram socket that the test reads.
func hear(t *testing.T, e Endpoint, port int) net.PacketConn {
	t.Helper()
	var c net.PacketConn
	spacetest.In(t, e.Netns, func() (err error) {
		c, err = net.ListenPacket("udp4", at(e, port))
		return err
	})
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// shout sends a packet from an address and says whom the listener heard.
func shout(t *testing.T, e Endpoint, from netip.Addr, to net.PacketConn) string {
	t.Helper()
	spacetest.In(t, e.Netns, func() error {
		c, err := net.DialUDP("udp4", &net.UDPAddr{IP: from.AsSlice()}, to.LocalAddr().(*net.UDPAddr))
		if err != nil {
			return err
		}
		defer func() { _ = c.Close() }()
		_, err = c.Write([]byte("x"))
		return err
	})
	_ = to.SetReadDeadline(time.Now().Add(moment))
	_, peer, err := to.ReadFrom(make([]byte, 8))
	if err != nil {
		return "nobody"
	}
	return peer.(*net.UDPAddr).IP.String()
}

func TestSpoofedAddressIsDropped(t *testing.T) {
	t.Parallel()
	r := open(t)
	n := newNet("vpc-1", "10.0.0.0/16")
	n.iface("eni-thief", "vpc-1a")
	n.iface("eni-target", "vpc-1b")
	n.apply(t, r)
	thief, target := wait(t, r, "eni-thief"), hear(t, wait(t, r, "eni-target"), 9999)
	other := netip.MustParseAddr("10.0.1.77")
	spacetest.In(t, thief.Netns, func() error {
		link, err := netlink.LinkByName("eth0")
		if err != nil {
			return err
		}
		return netlink.AddrAdd(link, &netlink.Addr{IPNet: netspace.Single(other)})
	})
	own := thief.Addresses[0]
	if got := shout(t, thief, own, target); got != own.String() {
		t.Fatalf("own address: the target heard %s", got)
	}
	if got := shout(t, thief, other, target); got != "nobody" {
		t.Errorf("another address: the target heard %s", got)
	}
	i := n.Interfaces["eni-thief"]
	i.SourceCheck = false
	n.Interfaces["eni-thief"] = i
	n.apply(t, r)
	if got := shout(t, thief, other, target); got != other.String() {
		t.Errorf("without the source check the target heard %s: the test proves nothing", got)
	}
	i.SourceCheck = true
	n.Interfaces["eni-thief"] = i
	n.apply(t, r)
	if got := shout(t, thief, other, target); got != "nobody" {
		t.Errorf("with the check again the target heard %s", got)
	}
}

func TestSpoofedMACIsDropped(t *testing.T) {
	t.Parallel()
	r := open(t)
	n := newNet("vpc-1", "10.0.0.0/16")
	n.iface("eni-thief", "vpc-1a")
	n.iface("eni-target", "vpc-1a")
	n.apply(t, r)
	thief, target := wait(t, r, "eni-thief"), hear(t, wait(t, r, "eni-target"), 9999)
	if got := shout(t, thief, thief.Addresses[0], target); got == "nobody" {
		t.Fatal("its own MAC does not pass")
	}
	spacetest.In(t, thief.Netns, func() error {
		link, err := netlink.LinkByName("eth0")
		if err != nil {
			return err
		}
		return errors.Join( // it knows its neighbour: ARP is another test's
			netlink.LinkSetHardwareAddr(link, net.HardwareAddr{2, 0, 0, 0, 0, 0x99}),
			netlink.NeighSet(&netlink.Neigh{LinkIndex: link.Attrs().Index, IP: target.LocalAddr().(*net.UDPAddr).IP, HardwareAddr: routerMAC, State: netlink.NUD_PERMANENT}))
	})
	if got := shout(t, thief, thief.Addresses[0], target); got != "nobody" {
		t.Errorf("with another MAC the target heard %s", got)
	}
	unguard(t, r, thief)
	if got := shout(t, thief, thief.Addresses[0], target); got == "nobody" {
		t.Error("without the rules nothing arrives: the test proves nothing")
	}
}

// An announcement of somebody else's address would turn that one's traffic to the thief, if the router learned it: the router's own
// neighbours are permanent, so what is looked at is whether the frame gets in.
func TestSpoofedARPIsDropped(t *testing.T) {
	t.Parallel()
	r := open(t)
	n := newNet("vpc-1", "10.0.0.0/16")
	n.iface("eni-thief", "vpc-1a")
	n.apply(t, r)
	thief, v := wait(t, r, "eni-thief"), r.vpcs["vpc-1"]
	spacetest.In(t, r.cfg.vpcMount("vpc-1"), func() error { return netspace.Sysctl("1", "ipv4/conf/"+rules.Link("eni-thief")+"/arp_accept") })
	other := netip.MustParseAddr("10.0.1.77")
	announce := func() bool {
		spacetest.In(t, thief.Netns, func() error {
			link, err := netlink.LinkByName("eth0")
			if err != nil {
				return err
			}
			return gratuitousARP(link.Attrs().Index, link.Attrs().HardwareAddr, other)
		})
		deadline := time.Now().Add(moment)
		for time.Now().Before(deadline) {
			list, err := v.nl.NeighList(v.ports["eni-thief"].link.Attrs().Index, unix.AF_INET)
			if err != nil {
				t.Fatal(err)
			}
			if slices.ContainsFunc(list, func(x netlink.Neigh) bool { return x.IP.String() == other.String() }) {
				return true
			}
		}
		return false
	}
	if announce() {
		t.Error("the router learned somebody else's address")
	}
	unguard(t, r, thief)
	if !announce() {
		t.Error("without the rules the router learns nothing: the test proves nothing")
	}
}

// gratuitousARP announces that an address is at a MAC.
func gratuitousARP(index int, mac net.HardwareAddr, a netip.Addr) error {
	const arp = 0x0608 // ETH_P_ARP in network byte order
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, arp)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	broadcast := net.HardwareAddr{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	frame := slices.Concat(broadcast, mac, []byte{8, 6, 0, 1, 8, 0, 6, 4, 0, 2}, mac, a.AsSlice(), broadcast, a.AsSlice())
	return unix.Sendto(fd, frame, 0, &unix.SockaddrLinklayer{Ifindex: index, Protocol: arp})
}
