package network

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
)

// Config says whose network this is. Every kernel name derives from Name.
type Config struct {
	Name   string       // required: the installation, at most 8 letters, digits or dashes
	RunDir string       // required: mounts go to RunDir/netns
	Subnet netip.Prefix // optional: default 172.28.0.0/16
	Log    *slog.Logger // optional
}

// Network is the bridge of one installation and the endpoints on it. Its methods may be called at once.
type Network struct{ cfg Config }

var errUnready = errors.New("network: not ready")

func Open(ctx context.Context, c Config) (*Network, error) { return nil, errUnready }
func (n *Network) Attach(ctx context.Context, id string, m Mode, ports []Port) (Endpoint, error) {
	return Endpoint{}, errUnready
}
func (n *Network) Detach(ctx context.Context, id string) error                { return errUnready }
func (n *Network) Endpoints(ctx context.Context) ([]Endpoint, error)          { return nil, errUnready }
func (n *Network) Sweep(ctx context.Context, keep func(id string) bool) error { return errUnready }
func (n *Network) MetadataListener(ctx context.Context) (net.Listener, error) { return nil, errUnready }
func (n *Network) Close() error                                               { return nil }
func (n *Network) Destroy(ctx context.Context) error                          { return errUnready }
