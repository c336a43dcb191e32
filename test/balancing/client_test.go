package balancing

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// turn spreads clients over a load balancer's addresses.
var turn atomic.Int64

func (b balancer) next(port uint16) string {
	return netip.AddrPortFrom(b.at[int(turn.Add(1))%len(b.at)], port).String()
}

// dial opens a connection. While nobody listens it tries again: a connection that was refused carried no request.
func dial(ctx context.Context, to string) (net.Conn, error) {
	d := &net.Dialer{}
	for {
		c, err := d.DialContext(ctx, "tcp4", to)
		if !errors.Is(err, syscall.ECONNREFUSED) {
			return c, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// once is a body that cannot be sent a second time: so the client does not repeat a request by itself.
func once(b string) io.Reader { return io.NopCloser(strings.NewReader(b)) }

// web is a client with one connection of its own that never repeats a request.
func (w *world) web(scheme, host string, http2 bool) *http.Client {
	roots := x509.NewCertPool()
	roots.AddCert(w.root.Cert)
	tr := &http.Transport{MaxConnsPerHost: 1, Protocols: new(http.Protocols), TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: secureHost, MinVersion: tls.VersionTLS12}}
	tr.Protocols.SetHTTP1(!http2)
	tr.Protocols.SetHTTP2(http2)
	port := map[string]uint16{"http": 80, "https": 443}[scheme]
	to := w.app.next(port)
	tr.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx, to) }
	return &http.Client{Transport: tr, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// posting asks by POST for an URL, and wants one of the answers.
func posting(c *http.Client, url, kind string, want ...string) client {
	return func(ctx context.Context) error {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, once("hello"))
		if err != nil {
			return err
		}
		r.Header.Set("Content-Type", kind)
		a, err := c.Do(r)
		if err != nil {
			return err
		}
		defer a.Body.Close()
		body, err := io.ReadAll(a.Body)
		if err != nil {
			return err
		}
		if a.StatusCode != http.StatusOK {
			return fmt.Errorf("%s %.100s", a.Status, body)
		}
		if kind == grpcKind && a.Trailer.Get("Grpc-Status") != "0" {
			return fmt.Errorf("trailers %v, headers %v", a.Trailer, a.Header)
		}
		if !slices.Contains(want, string(body)) {
			return fmt.Errorf("answer %q", body)
		}
		return nil
	}
}

const grpcKind = "application/grpc"

// echoing is a client of one connection on which whatever it says comes back. A connection that ended is a failure, and another is made.
func echoing(to string, greet func(net.Conn) (io.Reader, error)) client {
	var c net.Conn
	var from io.Reader
	return func(ctx context.Context) (err error) {
		if c == nil {
			if c, err = dial(ctx, to); err != nil {
				return fmt.Errorf("dial: %w", err)
			}
			if from, err = greet(c); err != nil {
				_ = c.Close()
				c = nil
				return fmt.Errorf("greet: %w", err)
			}
		}
		if err := echo(ctx, c, from); err != nil {
			_ = c.Close()
			c = nil
			return err
		}
		return nil
	}
}

func echo(ctx context.Context, c net.Conn, from io.Reader) error {
	end, _ := ctx.Deadline()
	_ = c.SetDeadline(end)
	say := make([]byte, 64)
	_, _ = rand.Read(say)
	if _, err := c.Write(say); err != nil {
		return err
	}
	heard := make([]byte, len(say))
	if _, err := io.ReadFull(from, heard); err != nil {
		return err
	}
	if !bytes.Equal(say, heard) {
		return errors.New("something else comes back")
	}
	return nil
}

func bare(c net.Conn) (io.Reader, error) { return c, nil }

// websocket asks for an upgrade.
func websocket(host string) func(net.Conn) (io.Reader, error) {
	return func(c net.Conn) (io.Reader, error) {
		_ = c.SetDeadline(time.Now().Add(answerWithin))
		_, err := io.WriteString(c, "GET /socket HTTP/1.1\r\nHost: "+host+"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
		if err != nil {
			return nil, err
		}
		from := bufio.NewReader(c)
		a, err := http.ReadResponse(from, nil) //nolint:bodyclose // it has none
		if err == nil && a.StatusCode != http.StatusSwitchingProtocols {
			err = errors.New(a.Status)
		}
		return from, err
	}
}
