package probe

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strconv"

	"github.com/berth-ecs/berth/proxyconf"
)

const (
	agent       = "ELB-HealthChecker/2.0"
	maxAnswer   = 64 << 10 // of which nothing counts; a GRPC answer ends in trailers, which come after it
	maxHeaders  = 64 << 10
	grpcDefault = "/AWS.ALB/healthcheck"
	grpcCodes   = "12"
	httpCodes   = "200"
)

// Dialer opens connections from the network that targets are reached from: an interface's, or for "" the machine's own.
type Dialer func(ctx context.Context, space string, to netip.AddrPort) (net.Conn, error)

// Check looks at a target once. ctx ends when its time is over.
func Check(ctx context.Context, dial Dialer, t Target) Outcome {
	to := t.Addr
	if t.Check.Port != 0 {
		to = netip.AddrPortFrom(to.Addr(), t.Check.Port)
	}
	if t.Check.Protocol == "TCP" {
		conn, err := dial(ctx, t.Space, to)
		if err != nil {
			return judge(ctx, err)
		}
		_ = conn.Close()
		return passed()
	}
	return ask(ctx, t.Check, to, func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx, t.Space, to) })
}

// judge tells a target that is silent from one that refuses.
func judge(ctx context.Context, err error) Outcome {
	var n net.Error
	if ctx.Err() != nil || errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &n) && n.Timeout() {
		return timedOut()
	}
	return failed()
}

func ask(ctx context.Context, c proxyconf.Check, to netip.AddrPort, dial func(context.Context, string, string) (net.Conn, error)) Outcome {
	t := &http.Transport{
		DialContext: dial, DisableKeepAlives: true, DisableCompression: true, MaxResponseHeaderBytes: maxHeaders, Protocols: protocols(c),
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10}, //nolint:gosec // as AWS: who a target is is not verified
	}
	defer t.CloseIdleConnections()
	r, err := request(ctx, c, to)
	if err != nil {
		return failed()
	}
	resp, err := t.RoundTrip(r)
	if err != nil {
		return judge(ctx, err)
	}
	defer resp.Body.Close()
	if c.Protocol != "GRPC" {
		if !matches(cmp.Or(c.Codes, httpCodes), resp.StatusCode) {
			return code(strconv.Itoa(resp.StatusCode))
		}
		return passed()
	}
	if _, err := io.Copy(io.Discard, io.LimitReader(resp.Body, maxAnswer)); err != nil {
		return judge(ctx, err)
	}
	status := cmp.Or(resp.Trailer.Get("Grpc-Status"), resp.Header.Get("Grpc-Status"))
	n, err := strconv.Atoi(status)
	if err != nil {
		return failed()
	}
	if !matches(cmp.Or(c.Codes, grpcCodes), n) {
		return code(status)
	}
	return passed()
}

func secure(c proxyconf.Check) bool { return c.TLS || c.Protocol == "HTTPS" }

// protocols: GRPC is HTTP/2, with or without TLS.
func protocols(c proxyconf.Check) *http.Protocols {
	var p http.Protocols
	switch {
	case secure(c) && (c.HTTP2 || c.Protocol == "GRPC"):
		p.SetHTTP2(true)
	case c.Protocol == "GRPC" || c.HTTP2:
		p.SetUnencryptedHTTP2(true)
	default:
		p.SetHTTP1(true)
	}
	return &p
}

func request(ctx context.Context, c proxyconf.Check, to netip.AddrPort) (*http.Request, error) {
	scheme, method, path := "http", http.MethodGet, cmp.Or(c.Path, "/")
	if secure(c) {
		scheme = "https"
	}
	var body io.Reader
	if c.Protocol == "GRPC" {
		method, path = http.MethodPost, cmp.Or(c.Path, grpcDefault)
		body = bytes.NewReader(make([]byte, 5)) // an empty message
	}
	r, err := http.NewRequestWithContext(ctx, method, scheme+"://"+to.String()+path, body)
	if err != nil {
		return nil, err
	}
	r.Header.Set("User-Agent", agent)
	if c.Protocol == "GRPC" {
		r.Header.Set("Content-Type", "application/grpc")
		r.Header.Set("Te", "trailers")
	}
	return r, nil
}
