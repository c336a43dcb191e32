package etcd

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/url"
)

// hello is what a client of HTTP/2 says first: the preface, and settings of which there are none.
const hello = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + "\x00\x00\x00\x04\x00\x00\x00\x00\x00"

// knock tells at once why an endpoint cannot be talked to: its client would try again until its time is over, and say that it is.
func (b *remote) knock(ctx context.Context, endpoint string) error {
	u, err := url.Parse(endpoint)
	if err != nil {
		return err
	}
	if u.Scheme != "https" && u.Scheme != "http" {
		return nil
	}
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }() // nothing that counts was written
	if u.Scheme == "https" {
		conf := b.conf.TLS.Clone()
		if conf == nil {
			conf = &tls.Config{MinVersion: tls.VersionTLS12}
		}
		conf.ServerName, conf.NextProtos = u.Hostname(), []string{"h2"}
		secured := tls.Client(c, conf)
		if err := secured.HandshakeContext(ctx); err != nil {
			return err
		}
		c = secured
	}
	if until, ok := ctx.Deadline(); ok {
		_ = c.SetDeadline(until) // a connection that cannot is closed
	}
	if _, err := c.Write([]byte(hello)); err != nil {
		return err
	}
	if _, err := c.Read(make([]byte, 1)); err != nil { // whose certificate is not taken hears of it here
		return fmt.Errorf("it hangs up: %w", err)
	}
	return nil
}
