// Package spacetest serves and asks in network namespaces, for tests of what passes between them.
package spacetest

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netns"

	"github.com/berth-ecs/berth/node/network/netspace"
)

// In runs f in a namespace; an empty path is the host's.
func In(t testing.TB, path string, f func() error) {
	t.Helper()
	if err := InPath(path, f); err != nil {
		t.Fatal(err)
	}
}

// InPath is In for those that want the error.
func InPath(path string, f func() error) error {
	if path == "" {
		return f()
	}
	ns, err := netns.GetFromPath(path)
	if err != nil {
		return fmt.Errorf("open namespace %s: %w", path, err)
	}
	defer func() { _ = ns.Close() }()
	return netspace.Inside(ns, f)
}

// Space is the path of a namespace; an empty one is the host's.
type Space string

// Serve answers "<name> <caller's address>" to every TCP connection or UDP packet until the test ends.
func (s Space) Serve(t testing.TB, proto, addr, name string) {
	t.Helper()
	In(t, string(s), func() error {
		if proto == "udp" {
			c, err := (&net.ListenConfig{}).ListenPacket(context.Background(), "udp4", addr)
			if err != nil {
				return err
			}
			t.Cleanup(func() { _ = c.Close() })
			go AnswerPackets(c, name)
			return nil
		}
		l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp4", addr)
		if err != nil {
			return err
		}
		t.Cleanup(func() { _ = l.Close() })
		go AnswerConnections(l, name)
		return nil
	})
}

// AnswerConnections does what Serve does on a listener until that is closed.
func AnswerConnections(l net.Listener, name string) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer func() { _ = c.Close() }()
			host, _, _ := net.SplitHostPort(c.RemoteAddr().String())
			_, _ = fmt.Fprintf(c, "%s %s\n", name, host)
			_, _ = io.Copy(c, c)
		}()
	}
}

// AnswerPackets does what Serve does on a packet socket until that is closed.
func AnswerPackets(c net.PacketConn, name string) {
	b := make([]byte, 2048)
	for {
		_, from, err := c.ReadFrom(b)
		if err != nil {
			return
		}
		host, _, _ := net.SplitHostPort(from.String())
		_, _ = c.WriteTo([]byte(name+" "+host+"\n"), from)
	}
}

// Ask connects from a namespace and returns who answered and which address it saw.
func Ask(netnsPath, proto, addr string, timeout time.Duration) (name, saw string, err error) {
	err = InPath(netnsPath, func() error {
		c, err := (&net.Dialer{Timeout: timeout}).DialContext(context.Background(), proto+"4", addr)
		if err != nil {
			return err
		}
		defer func() { _ = c.Close() }()
		_ = c.SetDeadline(time.Now().Add(timeout))
		if proto == "udp" {
			if _, err := c.Write([]byte("hello")); err != nil {
				return err
			}
		}
		b := make([]byte, 256)
		k, err := c.Read(b)
		name, saw, _ = strings.Cut(strings.TrimSpace(string(b[:k])), " ")
		return err
	})
	return name, saw, err
}
