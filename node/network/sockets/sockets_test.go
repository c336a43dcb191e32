package sockets_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/node/network/netspace"
	"github.com/berth-ecs/berth/node/network/sockets"
)

// conversation is a connection to a server in the namespace at path, both of its ends.
func conversation(t *testing.T, path string, l net.Listener) (here, there net.Conn) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	here, err := netspace.Dial(ctx, path, netip.MustParseAddrPort(l.Addr().String()))
	if err != nil {
		t.Fatal(err)
	}
	if there, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = here.Close(), there.Close() })
	return here, there
}

// Connections to one address end and those to another go on; so do those of another process.
func TestConnectionsToOneAddressEnd(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, for namespaces")
	}
	path := filepath.Join(t.TempDir(), "ns")
	ns, err := netspace.New(func(ns netns.NsHandle) error { return netspace.Mount(ns, path) })
	if err != nil {
		t.Fatal(err)
	}
	_ = ns.Close()
	t.Cleanup(func() { _ = netspace.Unmount(path) })
	var one, two net.Listener
	err = netspace.InsideAt(path, func() (err error) {
		if err = up(); err != nil {
			return err
		}
		one, err = net.Listen("tcp4", "127.0.0.1:0")
		if err == nil {
			two, err = net.Listen("tcp4", "127.0.0.1:0")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer one.Close()
	defer two.Close()
	ended, _ := conversation(t, path, one)
	stays, answers := conversation(t, path, two)
	to := netip.MustParseAddrPort(one.Addr().String())
	p := sockets.Place{Space: path}
	if n, err := p.Count(); err != nil || n[to] != 1 || n[netip.MustParseAddrPort(two.Addr().String())] != 1 {
		t.Fatalf("%v, %v", n, err)
	}
	if n, err := (sockets.Place{Space: path, Pid: os.Getppid()}).End(to); n != 0 || err != nil {
		t.Errorf("%d of another process, %v", n, err)
	}
	if n, err := (sockets.Place{Space: path, Pid: os.Getpid()}).End(to); n != 1 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	_ = ended.SetReadDeadline(time.Now().Add(time.Minute))
	if _, err := ended.Read(make([]byte, 1)); !errors.Is(err, unix.ECONNABORTED) {
		t.Errorf("%v", err)
	}
	if n, err := p.Count(); err != nil || n[to] != 0 {
		t.Errorf("%v, %v", n, err)
	}
	_, _ = answers.Write([]byte("x"))
	_ = stays.SetReadDeadline(time.Now().Add(time.Minute))
	if _, err := stays.Read(make([]byte, 1)); err != nil {
		t.Error(err)
	}
}

func up() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	r, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	r.SetUint16(unix.IFF_UP)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, r)
}
