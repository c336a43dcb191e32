package hold

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// A server that ends closes its listener while it accepts. A socket that blocks cannot be closed then, so handing it over
// must leave it as it was.
func TestKeptListenerDoesNotBlock(t *testing.T) {
	t.Parallel()
	k, _ := start(t, Config{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := k.Keep(t.Context(), "metadata", l); err != nil {
		t.Fatal(err)
	}
	// Looked at before it is taken back: that makes the shared description non-blocking again.
	if blocks(t, l) {
		t.Error("the listener that was handed over blocks")
	}
	again, ok, err := k.Listener(t.Context(), "metadata")
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	defer again.Close()
	if blocks(t, again) {
		t.Error("the listener that was taken back blocks")
	}
}

func blocks(t *testing.T, l net.Listener) bool {
	t.Helper()
	raw, err := l.(syscall.Conn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	flags := 0
	if cerr := raw.Control(func(fd uintptr) { flags, err = unix.FcntlInt(fd, unix.F_GETFL, 0) }); cerr != nil || err != nil {
		t.Fatal(cerr, err)
	}
	return flags&unix.O_NONBLOCK == 0
}

// Sockets of packets are kept as well, until they are forgotten.
func TestSockets(t *testing.T) {
	t.Parallel()
	k, _ := start(t, Config{})
	ctx := t.Context()
	p, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if s, err := k.Socket(ctx, "dns"); s != nil || err != nil {
		t.Fatal(s, err)
	}
	if err := k.KeepSocket(ctx, "dns", p); err != nil {
		t.Fatal(err)
	}
	addr := p.LocalAddr().String()
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("udp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write([]byte("while nobody is there")); err != nil {
		t.Fatal(err)
	}
	if keys, err := k.Kept(ctx); err != nil || len(keys) != 1 || keys[0] != "dns" {
		t.Errorf("%q %v", keys, err)
	}
	s, err := k.Socket(ctx, "dns")
	if err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 100)
	n, _, err := s.(net.PacketConn).ReadFrom(got) //nolint:forcetypeassert // it panics, which fails the test
	if err != nil || string(got[:n]) != "while nobody is there" {
		t.Errorf("%q %v", got[:n], err)
	}
	if _, _, err := k.Listener(ctx, "dns"); err == nil {
		t.Error("a socket of packets listens")
	}
	if err := errors.Join(s.Close(), k.Forget(ctx, "dns"), k.Forget(ctx, "dns")); err != nil {
		t.Error(err)
	}
	if s, err := k.Socket(ctx, "dns"); s != nil || err != nil {
		t.Error(s, err)
	}
	again, err := net.ListenPacket("udp", addr) // nobody has it any more
	if err != nil {
		t.Fatal(err)
	}
	_ = again.Close()
}

// More keys than a message holds are told in several: a node may take part in any number of VPCs, each with sockets of its own.
func TestManySockets(t *testing.T) {
	t.Parallel()
	k, _ := start(t, Config{})
	p, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	var want []string
	for i := range 400 {
		want = append(want, fmt.Sprintf("dns/vpc-%03d%s", i, strings.Repeat("x", 200)))
		if err := k.KeepSocket(t.Context(), want[i], p); err != nil {
			t.Fatal(err)
		}
	}
	got, err := k.Kept(t.Context())
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%d of %d keys, %v", len(got), len(want), err)
	}
}
