package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// load is a closed loop: each connection asks when it has its answer.
type load struct{ requests, connections int }

// kind is how requests are made.
type kind struct {
	name       string
	tls, fresh bool // fresh: each request on a connection of its own
}

// latencies are those of several runs: of each its p99.
type latencies struct{ p99s []time.Duration }

func (l *latencies) p99() time.Duration {
	s := slices.Sorted(slices.Values(l.p99s))
	return s[len(s)/2]
}

const (
	request  = "GET /service-%d/item HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n"
	response = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n\r\n"
)

// through answers the processor time of a proxy for one request of a run.
func (l load) through(ctx context.Context, p *proxy, k kind, seen *latencies) (time.Duration, error) {
	before, err := p.cpu()
	if err != nil {
		return 0, err
	}
	port := p.http
	if k.tls {
		port = p.https
	}
	n, err := l.to(ctx, port, k, seen)
	if err != nil {
		return 0, err
	}
	after, err := p.cpu()
	return (after - before) / time.Duration(n), err
}

// to sends a run's requests to a port, and answers how many they were.
func (l load) to(ctx context.Context, port uint16, k kind, seen *latencies) (int, error) {
	total := l.requests
	if k.fresh {
		total /= 10
	}
	var left atomic.Int64
	left.Store(int64(total))
	all := make([][]time.Duration, l.connections)
	errs := make([]error, l.connections)
	var run sync.WaitGroup
	for i := range l.connections {
		run.Go(func() {
			c := &client{port: port, kind: k}
			defer c.close()
			for left.Add(-1) >= 0 && ctx.Err() == nil {
				began := time.Now()
				if errs[i] = c.ask(ctx); errs[i] != nil {
					return
				}
				all[i] = append(all[i], time.Since(began))
			}
		})
	}
	run.Wait()
	if err := errors.Join(errors.Join(errs...), ctx.Err()); err != nil {
		return 0, err
	}
	s := slices.Concat(all...)
	slices.Sort(s)
	seen.p99s = append(seen.p99s, s[len(s)*99/100])
	return total, nil
}

// client is one connection.
type client struct {
	port uint16
	kind kind
	conn net.Conn
	in   *bufio.Reader
}

func (c *client) close() {
	if c.conn != nil {
		_ = c.conn.Close()
		c.conn = nil
	}
}

func (c *client) ask(ctx context.Context) error {
	if c.conn == nil {
		if err := c.open(ctx); err != nil {
			return err
		}
	}
	if _, err := fmt.Fprintf(c.conn, request, rules); err != nil {
		return err
	}
	size := 0
	for first := true; ; first = false {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if first && !bytes.Contains(line, []byte(" 200")) {
			return fmt.Errorf("answered %q", line)
		}
		if len(line) <= 2 {
			break
		}
		if name, value, ok := bytes.Cut(line, []byte(":")); ok && bytes.EqualFold(name, []byte("content-length")) {
			_, _ = fmt.Sscan(string(bytes.TrimSpace(value)), &size)
		}
	}
	if _, err := c.in.Discard(size); err != nil {
		return err
	}
	if c.kind.fresh {
		c.close()
	}
	return nil
}

func (c *client) open(ctx context.Context) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", c.port))
	if err != nil {
		return err
	}
	if c.kind.tls {
		// The authority is the bench's own, and what is measured is at the other end.
		conn = tls.Client(conn, &tls.Config{InsecureSkipVerify: true, ServerName: "www.example.com"})
	}
	c.conn, c.in = conn, bufio.NewReader(conn)
	return nil
}

// serve answers requests with a hundred bytes, until the listener is closed.
func serve(l net.Listener) {
	answer := append([]byte(response), bytes.Repeat([]byte("x"), 100)...)
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			in := bufio.NewReader(c)
			for {
				line, err := in.ReadSlice('\n')
				if err != nil {
					return
				}
				if len(line) <= 2 {
					if _, err := c.Write(answer); err != nil {
						return
					}
				}
			}
		}()
	}
}
