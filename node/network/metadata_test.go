package network

import (
	"bufio"
	"errors"
	"net"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/node/network/netspace/spacetest"
)

func TestMetadataListener(t *testing.T) {
	t.Parallel()
	n := open(t)
	l, err := n.MetadataListener(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	go spacetest.AnswerConnections(l, "metadata")
	e := attach(t, n, "greedy")
	spacetest.Space(e.Netns).Serve(t, "tcp", "0.0.0.0:80", "greedy")
	if saw := wantAnswer(t, e.Netns, "tcp", "169.254.170.2:80", "metadata"); saw != e.Address.String() {
		t.Errorf("the listener saw %s, want the container's %s", saw, e.Address)
	}
	_ = l.Close()
	if l, err = n.MetadataListener(t.Context()); err != nil {
		t.Fatalf("listen again: %v", err)
	}
	_ = l.Close()
}

// The host's own route belongs to the oldest installation; bound to its bridge, this test asks its own.
func TestMetadataFromTheHost(t *testing.T) {
	t.Parallel()
	n := open(t)
	l, err := n.MetadataListener(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	go spacetest.AnswerConnections(l, "metadata")
	d := net.Dialer{Timeout: patience, Control: func(_, _ string, c syscall.RawConn) error {
		var bound error
		err := c.Control(func(fd uintptr) { bound = unix.BindToDevice(int(fd), n.cfg.bridge()) })
		return errors.Join(err, bound)
	}}
	c, err := d.Dial("tcp4", "169.254.170.2:80")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	got, err := bufio.NewReader(c).ReadString('\n')
	if want := "metadata " + n.cfg.gateway().String() + "\n"; err != nil || got != want {
		t.Errorf("answer %q, %v; want %q", got, err, want)
	}
}
