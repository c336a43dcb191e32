package tryout

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
)

// accept hands connections on until ctx ends.
func (f *front) accept(ctx context.Context, l net.Listener) error {
	for {
		c, err := l.Accept()
		if ctx.Err() != nil {
			return nil //nolint:nilerr // it is closed because ctx ended
		}
		if err != nil {
			return err
		}
		go f.serve(ctx, c)
	}
}

// serve carries one connection. Where no server answers, the client sees that it ends.
func (f *front) serve(ctx context.Context, client net.Conn) {
	defer func() { _ = client.Close() }() // nothing more is to be said
	for _, m := range f.reachable() {
		server, err := f.dial(ctx, m, f.listens())
		if err != nil {
			continue
		}
		if !f.keep(m.Name, server) {
			_ = server.Close() // it was cut off meanwhile
			continue
		}
		stop := context.AfterFunc(ctx, func() { _ = server.Close() })
		carry(client, server)
		stop()
		f.forget(m.Name, server)
		return
	}
}

// keep remembers a connection, unless its server is off the wire.
func (f *front) keep(name string, c io.Closer) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	m := f.plan.Machine(name)
	if m == nil || m.Lost || m.Link.Cut {
		return false
	}
	if f.open[name] == nil {
		f.open[name] = map[io.Closer]bool{}
	}
	f.open[name][c] = true
	return true
}

func (f *front) forget(name string, c io.Closer) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.open[name], c)
	_ = c.Close()
}

// carry copies both ways until both are done. Who has said everything may still listen.
func carry(a, b net.Conn) {
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{a, b}, {b, a}} {
		both.Go(func() {
			_, err := io.Copy(way[1], way[0])
			if half, ok := way[1].(*net.TCPConn); ok && (err == nil || errors.Is(err, io.EOF)) {
				_ = half.CloseWrite() // it may be closed
				return
			}
			_, _ = a.Close(), b.Close()
		})
	}
	both.Wait()
}
