package netspace_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/berth-ecs/berth/node/network/netspace"
)

func TestDial(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	to := netip.MustParseAddrPort(l.Addr().String())
	c, err := netspace.Dial(t.Context(), "", to)
	if err != nil {
		t.Fatal(err)
	}
	in, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = in.Write([]byte("x")); _ = in.Close() }()
	if n, err := c.Read(make([]byte, 2)); n != 1 || err != nil {
		t.Errorf("read %d, %v", n, err)
	}
	_ = c.Close()
	_ = l.Close()
	if _, err := netspace.Dial(t.Context(), "", to); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("nobody listens: %v", err)
	}
	if _, err := netspace.Dial(t.Context(), "/nowhere", to); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no namespace: %v", err)
	}
}

// A connection that nobody answers ends with its context.
func TestDialEnds(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	cancel()
	if _, err := netspace.Dial(ctx, "", netip.MustParseAddrPort(l.Addr().String())); err == nil {
		t.Error("a context that is over dials")
	}
}
