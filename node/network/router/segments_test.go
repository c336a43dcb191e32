package router

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/node/network/netspace/spacetest"
	"github.com/berth-ecs/berth/node/network/router/inner"
)

// TestLargeSegments: between interfaces a stream goes in packets larger than 64 KiB, to a sandbox and out of the machine it does not, and
// what is sent arrives everywhere.
func TestLargeSegments(t *testing.T) {
	r := open(t)
	n := newNet("vpc-1", "10.0.0.0/16")
	for _, id := range []string{"eni-client", "eni-server", "eni-sandbox"} {
		n.iface(id, "vpc-1a")
	}
	n.public("eni-client", pool(r, 1))
	n.apply(t, r)
	client, server, sandbox := wait(t, r, "eni-client"), wait(t, r, "eni-server"), wait(t, r, "eni-sandbox")
	h, err := r.HandOver(t.Context(), sandbox.ID)
	if err != nil {
		t.Fatal(err)
	}
	speakFor(t, h)
	outside, _ := lan(t, r)
	if !takesMore(t, client) {
		t.Skip("this kernel's links take no more than 64 KiB of IPv4 at once")
	}
	for _, test := range []struct {
		to    Endpoint
		large bool
	}{{server, true}, {sandbox, false}, {outside, false}} {
		if got := streamed(t, client, test.to); got < 1000 || got > 70_000 != test.large {
			t.Errorf("to %s: the largest packet has %d bytes", test.to.ID, got)
		}
	}
}

func takesMore(t *testing.T, e Endpoint) (more bool) {
	t.Helper()
	spacetest.In(t, e.Netns, func() error {
		eth0, err := netlink.LinkByName("eth0")
		more = err == nil && eth0.Attrs().GSOIPv4MaxSize > inner.PlainSegments
		return err
	})
	return more
}

// streamed sends a stream, checks that it arrived and says how long the largest packet was with which it did.
func streamed(t *testing.T, from, to Endpoint) int {
	t.Helper()
	const port, length = 5000, 64 << 20
	var l net.Listener
	fd := -1
	spacetest.In(t, to.Netns, func() (err error) {
		if l, err = (&net.ListenConfig{}).Listen(t.Context(), "tcp4", fmt.Sprint(":", port)); err != nil {
			return err
		}
		fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0x0008) // ETH_P_IP in the network's order
		return err
	})
	defer func() { _ = l.Close(); _ = unix.Close(fd) }()
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Usec: 200_000}); err != nil {
		t.Fatal(err)
	}
	arrived := make(chan [32]byte, 1)
	go func() {
		h := sha256.New()
		if c, err := l.Accept(); err == nil {
			_, _ = io.Copy(h, c)
			_ = c.Close()
		}
		arrived <- [32]byte(h.Sum(nil))
	}()
	largest := make(chan int, 1)
	go func() {
		most, b := 0, make([]byte, 64)
		for {
			k, _, err := unix.Recvfrom(fd, b, unix.MSG_TRUNC)
			if errors.Is(err, unix.EINTR) {
				continue
			}
			if err != nil { // silence
				largest <- most
				return
			}
			most = max(most, k)
		}
	}()
	want := send(t, from, at(to, port), length)
	if got := <-arrived; got != want {
		t.Errorf("from %s to %s: something else arrived than was sent", from.ID, to.ID)
	}
	return <-largest
}

// send sends random bytes, unpaced: a congestion control that paces sends what its measurements say.
func send(t *testing.T, from Endpoint, addr string, length int64) (sum [32]byte) {
	t.Helper()
	spacetest.In(t, from.Netns, func() error {
		d := net.Dialer{Timeout: patience, Control: func(_, _ string, c syscall.RawConn) error {
			return c.Control(func(fd uintptr) { _ = unix.SetsockoptString(int(fd), unix.IPPROTO_TCP, unix.TCP_CONGESTION, "reno") })
		}}
		c, err := d.DialContext(context.Background(), "tcp4", addr)
		if err != nil {
			return err
		}
		defer func() { _ = c.Close() }()
		_ = c.SetDeadline(time.Now().Add(4 * patience))
		h := sha256.New()
		noise := rand.NewChaCha8([32]byte{1})
		block := make([]byte, 1<<20)
		for sent := int64(0); sent < length; sent += int64(len(block)) {
			_, _ = noise.Read(block)
			_, _ = h.Write(block)
			if _, err := c.Write(block); err != nil {
				return err
			}
		}
		sum = [32]byte(h.Sum(nil))
		return nil
	})
	return sum
}
