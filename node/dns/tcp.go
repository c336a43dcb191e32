package dns

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"
)

// Bounds of one connection.
const (
	idle      = 10 * time.Second // between questions, and for a whole one
	perConn   = 32               // questions that wait at a time; then the next is not read
	maxStream = 4096             // bytes of a question
)

func (res *resolver) accept(l *net.TCPListener) {
	for {
		c, err := l.AcceptTCP()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			res.s.c.Log.Warn("a connection to the resolver", "vpc", res.vpc, "error", err)
			select {
			case <-res.s.life.Done():
				return
			case <-time.After(50 * time.Millisecond): // out of descriptors, maybe
			}
			continue
		}
		from := c.RemoteAddr().(*net.TCPAddr).AddrPort()
		if !res.conns.enter(from.Addr()) {
			_ = c.Close()
			continue
		}
		res.s.serving.Go(func() {
			defer res.conns.leave(from.Addr())
			res.stream(c, from)
		})
	}
}

// stream answers the questions of a connection. Those that wait do not keep the others from their answers.
func (res *resolver) stream(c *net.TCPConn, from netip.AddrPort) {
	stop := closeAtEnd(res, c)
	defer stop()
	var waiting sync.WaitGroup
	defer waiting.Wait()
	s := &stream{c: c}
	room := make(chan struct{}, perConn)
	r := newResponder()
	for {
		p, err := s.read()
		if err != nil {
			return
		}
		out, o := r.now(res, p, nil, maxTCP)
		if o == answered && s.write(out) != nil {
			return
		}
		if o != waits {
			continue
		}
		if out, loops := r.loops(res, from, nil); loops {
			_ = s.write(out)
			return
		}
		if !res.waiting.enter(from.Addr()) {
			continue
		}
		room <- struct{}{}
		waiting.Go(func() {
			defer func() { <-room }()
			defer res.waiting.leave(from.Addr())
			r := responders.Get().(*responder)
			defer responders.Put(r)
			if out, o := r.later(res.s.life, res, p, maxTCP); o == answered {
				_ = s.write(out) // who asked may have gone
			}
		})
	}
}

// closeAtEnd closes a connection when its work is done, or with the server.
func closeAtEnd(res *resolver, c *net.TCPConn) func() {
	done := make(chan struct{})
	go func() {
		select {
		case <-res.s.life.Done():
		case <-done:
		}
		_ = c.Close()
	}()
	return func() { close(done) }
}

// stream writes one message at a time.
type stream struct {
	c  *net.TCPConn
	mu sync.Mutex
}

var errTooLong = errors.New("dns: a question is too long")

func (s *stream) read() ([]byte, error) {
	if err := s.c.SetReadDeadline(time.Now().Add(idle)); err != nil {
		return nil, err
	}
	var l [2]byte
	if _, err := io.ReadFull(s.c, l[:]); err != nil {
		return nil, err
	}
	n := int(binary.BigEndian.Uint16(l[:]))
	if n > maxStream {
		return nil, errTooLong
	}
	p := make([]byte, n)
	_, err := io.ReadFull(s.c, p)
	return p, err
}

func (s *stream) write(m []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.c.SetWriteDeadline(time.Now().Add(idle)); err != nil {
		return err
	}
	_, err := s.c.Write(append(binary.BigEndian.AppendUint16(make([]byte, 0, 2+len(m)), uint16(len(m))), m...))
	return err
}
