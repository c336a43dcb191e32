package etcdtest

import (
	"context"
	"net/url"

	"go.etcd.io/etcd/client/pkg/v3/transport"
	"go.etcd.io/etcd/server/v3/embed"
)

// Listener is an etcd for clients on other machines. It is configured as etcd is by itself: what berth gets where somebody else runs it.
type Listener struct {
	Dir           string
	URL           string // https://host:port
	Cert, Key, CA string // PEM files; whoever shows no certificate of CA is refused
}

// Run runs it until ctx ends; begun is called when it answers.
func (l Listener) Run(ctx context.Context, begun func()) error {
	u, err := url.Parse(l.URL)
	if err != nil {
		return err
	}
	c := embed.NewConfig()
	c.Dir, c.LogLevel = l.Dir, "error"
	c.ListenPeerUrls = nil
	c.InitialCluster = c.InitialClusterFromName(c.Name)
	c.ListenClientUrls, c.AdvertiseClientUrls = []url.URL{*u}, []url.URL{*u}
	c.ClientTLSInfo = transport.TLSInfo{CertFile: l.Cert, KeyFile: l.Key, TrustedCAFile: l.CA, ClientCertAuth: true}
	e, err := embed.StartEtcd(c)
	if err != nil {
		return err
	}
	defer e.Close()
	select {
	case <-e.Server.ReadyNotify():
	case err := <-e.Err():
		return err
	case <-ctx.Done():
		return nil
	}
	begun()
	select {
	case err := <-e.Err():
		return err
	case <-ctx.Done():
		return nil
	}
}
