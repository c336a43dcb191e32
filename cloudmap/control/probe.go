package control

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	shape "github.com/berth-ecs/berth/wire/shape/servicediscovery"
)

// Route 53's patience: for a connection that is all there is, for one that a request follows, and for the answer.
const (
	forTCP    = 10 * time.Second
	forHTTP   = 4 * time.Second
	forAnswer = 2 * time.Second
)

var errUnreachable = errors.New("cloudmap: health checks reach public addresses only")

// probe checks an instance; an error is what was wrong.
func (l *checks) probe(ctx context.Context, s *subject) error {
	addr := s.instance.IPv4()
	if !addr.IsValid() {
		addr = s.instance.IPv6()
	}
	if !addr.IsValid() || !l.Reaches(addr.String()) {
		return errUnreachable
	}
	at := net.JoinHostPort(addr.String(), strconv.Itoa(int(s.instance.Port())))
	if s.service.Check.Type == shape.HealthCheckTypeTcp {
		ctx, cancel := context.WithTimeout(ctx, forTCP)
		defer cancel()
		conn, err := l.Dial(ctx, "tcp", at)
		if err == nil {
			_ = conn.Close()
		}
		return err
	}
	return l.request(ctx, s, at)
}

// request asks for the check's path; 2xx and 3xx are good. As Route 53, it names the service and believes any certificate.
func (l *checks) request(ctx context.Context, s *subject, at string) error {
	ctx, cancel := context.WithTimeout(ctx, forHTTP+forAnswer)
	defer cancel()
	name := s.namespace.Domain(s.service.Name)
	transport := &http.Transport{
		DisableKeepAlives: true, TLSHandshakeTimeout: forHTTP, ResponseHeaderTimeout: forAnswer,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			ctx, cancel := context.WithTimeout(ctx, forHTTP)
			defer cancel()
			return l.Dial(ctx, network, at)
		},
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true, ServerName: name, MinVersion: tls.VersionTLS10}, //nolint:gosec // Route 53 does not validate certificates either: it asks whether the endpoint answers
	}
	defer transport.CloseIdleConnections()
	scheme := "http"
	if s.service.Check.Type == shape.HealthCheckTypeHttps {
		scheme = "https"
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://"+at+s.service.Check.Path, http.NoBody)
	if err != nil {
		return err
	}
	r.Host = name
	r.Header.Set("User-Agent", "Amazon-Route53-Health-Check-Service (berth)")
	answer, err := transport.RoundTrip(r)
	if err != nil {
		return err
	}
	_ = answer.Body.Close()
	if answer.StatusCode < 200 || answer.StatusCode >= 400 {
		return fmt.Errorf("cloudmap: health check: status %d", answer.StatusCode)
	}
	return nil
}
