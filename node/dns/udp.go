package dns

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"runtime"
)

// serve begins to serve a socket; it ends when the socket is closed.
func (res *resolver) serve(c io.Closer) error {
	switch c := c.(type) {
	case *net.UDPConn:
		for range min(4, runtime.GOMAXPROCS(0)) {
			b, err := newBatch(c)
			if err != nil {
				return err
			}
			res.s.serving.Go(func() { res.datagrams(c, b) })
		}
	case *net.TCPListener:
		res.s.serving.Go(func() { res.accept(c) })
	default:
		return fmt.Errorf("dns: a %T is no socket to serve", c)
	}
	return nil
}

// datagrams reads many at a time and answers them at a time. Those that wait for others go their own way.
func (res *resolver) datagrams(c *net.UDPConn, b *batch) {
	r := newResponder()
	for {
		n, err := b.read()
		if err != nil {
			if !errors.Is(err, net.ErrClosed) {
				res.s.c.Log.Error("the resolver's socket", "vpc", res.vpc, "at", c.LocalAddr(), "error", err)
			}
			return
		}
		b.begin()
		for i := range n {
			p := b.packet(i)
			out, o := r.now(res, p, b.out, 0)
			switch o {
			case answered:
				b.answer(i, out)
			case waits:
				if out, loops := r.loops(res, b.from(i), out); loops {
					b.answer(i, out)
				} else {
					res.wait(c, b.from(i), p)
				}
			case dropped:
			}
		}
		if err := b.write(); err != nil && !errors.Is(err, net.ErrClosed) {
			res.s.c.Log.Warn("an answer was not sent", "vpc", res.vpc, "error", err)
		}
	}
}

// wait answers a datagram when others have.
func (res *resolver) wait(c *net.UDPConn, from netip.AddrPort, p []byte) {
	if !res.waiting.enter(from.Addr()) {
		return
	}
	p = append([]byte(nil), p...)
	res.s.serving.Go(func() {
		defer res.waiting.leave(from.Addr())
		r := responders.Get().(*responder)
		defer responders.Put(r)
		if out, o := r.later(res.s.life, res, p, 0); o == answered {
			_, _ = c.WriteToUDPAddrPort(out, from) // who asked may have gone
		}
	})
}
