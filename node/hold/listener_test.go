package hold

import (
	"net"
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
