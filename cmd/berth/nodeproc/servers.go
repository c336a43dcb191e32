package nodeproc

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"strings"

	"github.com/berth-ecs/berth/internal/release"
	"github.com/berth-ecs/berth/joining"
	"github.com/berth-ecs/berth/joining/client"
	"github.com/berth-ecs/berth/session"
	"github.com/berth-ecs/berth/wire/sigv4"
)

// servers is how this node reaches its servers, and as whom.
type servers struct {
	endpoint    string
	http        *http.Client
	credentials func() sigv4.Credentials
	home        joining.Home
	node        string                      // its name, "" for one that it makes up
	ready       <-chan struct{}             // closed when there are credentials
	run         func(context.Context) error // keeps the credentials young
}

// reach finds the servers: those that this machine joined, else the one whose root keys it has.
func reach(ctx context.Context, c Config) (servers, error) {
	s := c.Settings
	joined, err := client.Load(s.DataDir)
	switch {
	case s.PeerListen != "", s.SharesEtcd(): // a node beside a server in one process: machine.json is the server's
		return beside(c), nil
	case err == nil && joined.Role == joining.Server:
		return beside(c), nil
	case errors.Is(err, fs.ErrNotExist) && s.Join == "":
		return beside(c), nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return servers{}, err
	}
	c.Ready.Wait(part, "joining its servers")
	host, _ := os.Hostname()
	joined, err = client.Join(ctx, client.Config{DataDir: s.DataDir, Servers: s.Servers(), Ticket: s.Join, Name: cmp.Or(s.ServerName, host, "node"), Program: release.This(c.Version)}, nil)
	if err != nil {
		return servers{}, err
	}
	fleet, err := client.NewFleet(s.DataDir, s.Servers(), release.This(c.Version), c.Log.With("component", "servers"))
	if err != nil {
		return servers{}, fmt.Errorf("servers: %w", err)
	}
	return servers{
		endpoint: client.Endpoint, http: fleet.HTTP(), credentials: fleet.Credentials, home: joined.Home, node: joined.Machine,
		ready: fleet.Ready(), run: fleet.Run,
	}, nil
}

// beside are the servers of a node that has root's keys.
func beside(c Config) servers {
	s := c.Settings
	ready := make(chan struct{})
	close(ready)
	return servers{
		endpoint: strings.TrimSuffix(s.Servers()[0], "/"), credentials: credentials(s), home: joining.Home{Account: s.Account, Region: s.Region}, ready: ready,
		http: &http.Client{Transport: client.Saying(release.This(c.Version), http.DefaultTransport)},
		run:  func(ctx context.Context) error { <-ctx.Done(); return nil },
	}
}

// link is where the node's configuration comes from.
func (s servers) link(context.Context) (string, error) { return s.endpoint + session.NodePath, nil }
