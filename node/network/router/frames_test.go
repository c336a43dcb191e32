package router

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/node/network/netspace/spacetest"
	"github.com/berth-ecs/berth/node/network/router/rules"
)

// TestOnlyIPv4AndARP: what a task sends of IPv6 or of any other protocol does not get into its router, whether broadcast or not.
func TestOnlyIPv4AndARP(t *testing.T) {
	t.Parallel()
	r := open(t)
	n := newNet("vpc-1", "10.0.0.0/16")
	n.iface("eni-odd", "vpc-1a")
	n.apply(t, r)
	e := wait(t, r, "eni-odd")
	kinds := []uint16{unix.ETH_P_IPV6, unix.ETH_P_LLDP, unix.ETH_P_8021Q, unix.ETH_P_MPLS_UC, 0x88b5}
	for _, kind := range kinds {
		if heard := injected(t, r, e, kind); heard {
			t.Errorf("a frame of protocol %#x got in", kind)
		}
	}
	unguard(t, r, e)
	for _, kind := range kinds {
		if kind != unix.ETH_P_8021Q && !injected(t, r, e, kind) { // the kernel itself takes the tag off
			t.Errorf("without the rules a frame of protocol %#x does not get in either: the test proves nothing", kind)
		}
	}
}

// injected sends a frame from a task and says whether the router's protocols would see it: sockets of one protocol are served after the rules.
func injected(t *testing.T, r *Routers, e Endpoint, kind uint16) bool {
	t.Helper()
	order := int(kind>>8 | kind<<8)
	ear, err := packetSocket(t, r.cfg.vpcMount(e.VPC), rules.Link(e.ID), order)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Close(ear) }()
	mouth, err := packetSocket(t, e.Netns, "eth0", order)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Close(mouth) }()
	mac, err := net.ParseMAC(e.MAC)
	if err != nil {
		t.Fatal(err)
	}
	payload := slices.Concat([]byte{0x60, 0, 0, 0, 0, 8, 59, 64}, make([]byte, 52)) // a header of IPv6 without a next one
	for _, to := range []net.HardwareAddr{routerMAC, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}} {
		if _, err := unix.Write(mouth, slices.Concat(to, mac, []byte{byte(kind >> 8), byte(kind)}, payload)); err != nil {
			t.Fatal(err)
		}
	}
	for {
		_, _, err := unix.Recvfrom(ear, make([]byte, 128), 0)
		if !errors.Is(err, unix.EINTR) {
			return err == nil
		}
	}
}

func packetSocket(t *testing.T, path, link string, order int) (fd int, err error) {
	t.Helper()
	spacetest.In(t, path, func() error {
		i, err := net.InterfaceByName(link)
		if err != nil {
			return fmt.Errorf("link %s: %w", link, err)
		}
		if fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, order); err != nil {
			return err
		}
		wait := unix.NsecToTimeval(int64(moment / time.Nanosecond))
		return errors.Join(
			unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &wait),
			unix.Bind(fd, &unix.SockaddrLinklayer{Ifindex: i.Index, Protocol: uint16(order)}))
	})
	return fd, err
}
