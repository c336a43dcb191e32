package metadata

import (
	"net"
	"testing"
)

func TestOneCallerLeavesRoomForOthers(t *testing.T) {
	t.Parallel()
	raw, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := Fair(raw)
	defer l.Close()
	accepted := make(chan net.Conn)
	go func() {
		defer close(accepted)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			accepted <- c
		}
	}()
	dial := func(from string) net.Conn {
		t.Helper()
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
		c, err := d.DialContext(t.Context(), "tcp", raw.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	var first net.Conn
	for i := range perCaller {
		dial("127.0.0.1")
		c := <-accepted
		t.Cleanup(func() { _ = c.Close() })
		if i == 0 {
			first = c
		}
	}
	var b [1]byte
	if n, err := dial("127.0.0.1").Read(b[:]); err == nil {
		t.Errorf("one connection too many was served: %d bytes", n)
	}
	dial("127.0.0.2")
	_ = (<-accepted).Close()
	_ = first.Close()
	_ = first.Close() // closed twice is one place, not two
	dial("127.0.0.1")
	last := <-accepted
	defer last.Close()
	if n, err := dial("127.0.0.1").Read(b[:]); err == nil {
		t.Errorf("a connection closed twice made two places: %d bytes", n)
	}
}
