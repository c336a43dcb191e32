package forward

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"sync"
)

// sockets are those that wait for an answer of another server.
type sockets struct {
	mu   sync.Mutex
	open map[netip.AddrPort]struct{}
}

func (s *sockets) enter(a netip.AddrPort) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open[a] = struct{}{}
}

func (s *sockets) leave(a netip.AddrPort) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, a)
}

// Own says whether an address is one that a question of ours is asked from: then we were asked by ourselves, and must not ask again.
func (f *Forwarder) Own(a netip.AddrPort) bool {
	f.sockets.mu.Lock()
	defer f.sockets.mu.Unlock()
	_, own := f.sockets.open[a]
	return own
}

// exchange asks by a socket of its own, whose port nobody can know before.
func (s *sockets) exchange(ctx context.Context, network string, server netip.AddrPort, m []byte, accepts func([]byte) bool) ([]byte, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, network, server.String())
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if from, err := netip.ParseAddrPort(c.LocalAddr().String()); err == nil {
		s.enter(from)
		defer s.leave(from)
	}
	if at, ok := ctx.Deadline(); ok {
		if err := c.SetDeadline(at); err != nil {
			return nil, err
		}
	}
	if network == "tcp" {
		return byTCP(c, m, accepts)
	}
	if _, err := c.Write(m); err != nil {
		return nil, err
	}
	b := make([]byte, 64<<10)
	for { // until the answer comes: others may send something too
		n, err := c.Read(b)
		if err != nil {
			return nil, err
		}
		if accepts(b[:n]) {
			return b[:n], nil
		}
	}
}

func byTCP(c net.Conn, m []byte, accepts func([]byte) bool) ([]byte, error) {
	if _, err := c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(m))), m...)); err != nil {
		return nil, err
	}
	var l [2]byte
	if _, err := io.ReadFull(c, l[:]); err != nil {
		return nil, err
	}
	b := make([]byte, binary.BigEndian.Uint16(l[:]))
	if _, err := io.ReadFull(c, b); err != nil {
		return nil, err
	}
	if !accepts(b) {
		return nil, ErrNone
	}
	return b, nil
}
