package network

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/nftables"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/node/network/netspace"
	"github.com/berth-ecs/berth/node/network/netspace/spacetest"
)

// lan is a namespace that plays a machine on the host's network: the host is its router.
func lan(t *testing.T, n *Network) (path, host, own string) {
	t.Helper()
	ns, err := netspace.New(func(netns.NsHandle) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	path = fmt.Sprintf("/proc/self/fd/%d", int(ns))
	third := n.cfg.Subnet.Addr().As4()[2]
	hostAddr, ownAddr := netip.AddrFrom4([4]byte{10, 214, third, 1}), netip.AddrFrom4([4]byte{10, 214, third, 2})
	name := n.cfg.Name + "lan"
	veth := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: name, TxQLen: -1}, PeerName: "eth0", PeerNamespace: netlink.NsFd(ns)}
	if err := netlink.LinkAdd(veth); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = netlink.LinkDel(veth); _ = ns.Close() })
	if err := errors.Join(netlink.AddrAdd(veth, &netlink.Addr{IPNet: ipNet(hostAddr, 24)}), netlink.LinkSetUp(veth)); err != nil {
		t.Fatal(err)
	}
	spacetest.In(t, path, func() error {
		link, err := netlink.LinkByName("eth0")
		if err != nil {
			return err
		}
		return errors.Join(
			netlink.AddrAdd(link, &netlink.Addr{IPNet: ipNet(ownAddr, 24)}), netlink.LinkSetUp(link),
			netlink.RouteAdd(&netlink.Route{LinkIndex: link.Attrs().Index, Gw: hostAddr.AsSlice()}))
	})
	if err := netspace.AwaitCarrier(n.nl, name); err != nil {
		t.Fatal(err)
	}
	return path, hostAddr.String(), ownAddr.String()
}

func TestOutside(t *testing.T) {
	t.Parallel()
	n := open(t)
	outside, host, own := lan(t, n)
	e := attach(t, n, "web", Port{ContainerPort: 80}, Port{ContainerPort: 53, Protocol: "udp"})
	spacetest.Space(e.Netns).Serve(t, "tcp", ":80", "web")
	spacetest.Space(e.Netns).Serve(t, "udp", ":53", "web")
	spacetest.Space(outside).Serve(t, "tcp", ":8080", "lan")
	l, err := n.MetadataListener(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	go spacetest.AnswerConnections(l, "metadata")

	if saw := wantAnswer(t, e.Netns, "tcp", own+":8080", "lan"); saw != host {
		t.Errorf("outside saw %s, want the host's %s", saw, host)
	}
	if saw := wantAnswer(t, outside, "tcp", host+":"+hostPort(e, 0), "web"); saw != own {
		t.Errorf("the container saw %s, want %s", saw, own)
	}
	wantAnswer(t, outside, "udp", host+":"+hostPort(e, 1), "web")
	wantSilence(t, outside, "tcp", net.JoinHostPort(e.Address.String(), "80"))
	wantSilence(t, outside, "udp", net.JoinHostPort(e.Address.String(), "53"))
	wantSilence(t, outside, "tcp", "169.254.170.2:80")
}

func TestContainerCannotReachTheHostsLoopback(t *testing.T) {
	t.Parallel()
	n := open(t)
	e := attach(t, n, "curious")
	l, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	// The container's own routes lead 127/8 to its own loopback, so it has to go out of its way.
	spacetest.In(t, e.Netns, func() error {
		lo, err := netlink.LinkByName("lo")
		if err != nil {
			return err
		}
		eth0, err := netlink.LinkByName("eth0")
		if err != nil {
			return err
		}
		own := &netlink.Addr{IPNet: ipNet(netip.MustParseAddr("127.0.0.1"), 8)}
		if err := errors.Join(netlink.AddrDel(lo, own), netspace.Sysctl("1", "ipv4/conf/eth0/route_localnet")); err != nil {
			return err
		}
		return netlink.RouteAdd(&netlink.Route{LinkIndex: eth0.Attrs().Index, Dst: ipNet(netip.MustParseAddr("127.0.0.0"), 8), Gw: n.cfg.gateway().AsSlice()})
	})
	knock := func() (heard bool) {
		spacetest.In(t, e.Netns, func() error {
			c, err := net.DialUDP("udp4", &net.UDPAddr{IP: e.Address.AsSlice()}, l.LocalAddr().(*net.UDPAddr))
			if err != nil {
				return err
			}
			defer func() { _ = c.Close() }()
			_, err = c.Write([]byte("x"))
			return err
		})
		_ = l.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
		_, _, err := l.ReadFrom(make([]byte, 8))
		return err == nil
	}
	if knock() {
		t.Error("a packet reached the host's loopback")
	}
	flushChain(t, n.rules.ip, "guard")
	if !knock() {
		t.Error("without the guard the packet should arrive: the test proves nothing")
	}
}

func TestSpoofedSourceIsDropped(t *testing.T) {
	t.Parallel()
	n := open(t)
	thief, victim, target := attach(t, n, "thief"), attach(t, n, "victim"), attach(t, n, "target")
	spacetest.In(t, thief.Netns, func() error {
		link, err := netlink.LinkByName("eth0")
		if err != nil {
			return err
		}
		return netlink.AddrAdd(link, &netlink.Addr{IPNet: ipNet(victim.Address, 32)})
	})
	var heard net.PacketConn
	spacetest.In(t, target.Netns, func() (err error) {
		heard, err = net.ListenPacket("udp4", ":9999")
		return err
	})
	defer func() { _ = heard.Close() }()
	send := func(from netip.Addr) string {
		spacetest.In(t, thief.Netns, func() error {
			c, err := net.DialUDP("udp4", &net.UDPAddr{IP: from.AsSlice()}, &net.UDPAddr{IP: target.Address.AsSlice(), Port: 9999})
			if err != nil {
				return err
			}
			defer func() { _ = c.Close() }()
			_, err = c.Write([]byte("x"))
			return err
		})
		_ = heard.SetReadDeadline(time.Now().Add(500 * time.Millisecond))
		_, peer, err := heard.ReadFrom(make([]byte, 8))
		if err != nil {
			return "nobody"
		}
		return peer.(*net.UDPAddr).IP.String()
	}
	if got := send(thief.Address); got != thief.Address.String() {
		t.Fatalf("own address: target heard %s", got)
	}
	if got := send(victim.Address); got != "nobody" {
		t.Errorf("a neighbour's address: target heard %s", got)
	}
	flushChain(t, n.rules.bridge, "source-check")
	if got := send(victim.Address); got != victim.Address.String() {
		t.Errorf("without the rules the target heard %s: the test proves nothing", got)
	}
}

// A gratuitous ARP with a neighbour's address would turn the neighbour's traffic to the thief.
func TestSpoofedARPIsDropped(t *testing.T) {
	t.Parallel()
	n := open(t)
	thief, victim, target := attach(t, n, "thief"), attach(t, n, "victim"), attach(t, n, "target")
	spacetest.Space(victim.Netns).Serve(t, "tcp", ":80", "victim")
	spacetest.Space(thief.Netns).Serve(t, "tcp", ":80", "thief")
	// Without it, an entry that is younger than a second is not changed and the test would have to wait.
	spacetest.In(t, target.Netns, func() error { return netspace.Sysctl("0", "ipv4/neigh/eth0/locktime") })
	address := net.JoinHostPort(victim.Address.String(), "80")
	wantAnswer(t, target.Netns, "tcp", address, "victim")
	announce := func() {
		spacetest.In(t, thief.Netns, func() error {
			link, err := netlink.LinkByName("eth0")
			if err != nil {
				return err
			}
			own := &netlink.Addr{IPNet: ipNet(victim.Address, 32)}
			if err := netlink.AddrReplace(link, own); err != nil {
				return err
			}
			return gratuitousARP(link.Attrs().Index, macOf(thief.Address), victim.Address)
		})
	}
	announce()
	wantAnswer(t, target.Netns, "tcp", address, "victim")
	flushChain(t, n.rules.bridge, "source-check")
	announce()
	wantAnswer(t, target.Netns, "tcp", address, "thief")
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

// flushChain takes a protection away, to prove that a test sees it.
func flushChain(t *testing.T, table *nftables.Table, name string) {
	t.Helper()
	conn, err := nftables.New()
	if err != nil {
		t.Fatal(err)
	}
	conn.FlushChain(&nftables.Chain{Table: table, Name: name})
	if err := conn.Flush(); err != nil {
		t.Fatal(err)
	}
}
