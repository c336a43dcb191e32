package nodeproc

import (
	"context"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"syscall"

	"github.com/berth-ecs/berth/mesh/xds/seam"
	"github.com/berth-ecs/berth/node/agent"
	"github.com/berth-ecs/berth/node/network/netspace"
	"github.com/berth-ecs/berth/node/proxy"
	"github.com/berth-ecs/berth/node/proxy/fetch"
)

// proxyVersion is that of the Envoy that this node can run, "" for none.
func proxyVersion(ctx context.Context, c Config) string {
	e, err := fetch.In(ctx, c.Settings.BinDir)
	if err != nil {
		c.Log.Info("no load balancers here: berth proxy install gets what they need", "error", err)
		return ""
	}
	return e.Version
}

// proxyConfig is all of the proxy's but for what it does with others.
func proxyConfig(c Config) proxy.Config {
	return proxy.Config{
		Program: filepath.Join(c.Settings.BinDir, fetch.Program), DataDir: c.Settings.DataDir, RunDir: c.Settings.RunDir,
		Spawn: inProxy(c.Settings.Name), Log: c.Log.With("component", "proxy"),
	}
}

// runProxy runs the node's proxy until ctx ends. A node without Envoy has none; it takes no load balancers.
func runProxy(ctx context.Context, c Config, m *machine, s proxyServers) error {
	if _, err := fetch.In(ctx, c.Settings.BinDir); err != nil {
		<-ctx.Done()
		return nil //nolint:nilerr // doctor says why there is none
	}
	pc := proxyConfig(c)
	pc.Spaces, pc.Stream = spaces{m.clouds}, s.stream
	pc.Dial = func(ctx context.Context, space string, to netip.AddrPort) (net.Conn, error) {
		return netspace.Dial(ctx, space, to)
	}
	p, err := proxy.Open(pc)
	if err != nil {
		return err
	}
	look := p.Look
	m.clouds.moved.Store(&look)
	return p.Run(ctx)
}

// proxyServers is where the proxy is told what to do: as the agent, of whichever server answers.
type proxyServers struct {
	agent *agent.Agent
	at    servers
}

func (s proxyServers) stream(ctx context.Context) (net.Conn, error) {
	select {
	case <-s.agent.Registered():
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return s.agent.Stream(ctx, s.at.endpoint+seam.Path+"?node="+url.QueryEscape(s.agent.NodeID()))
}

// spaces are the networks of interfaces, as routers mount them.
type spaces struct{ *clouds }

// Path implements relay.Spaces.
func (s spaces) Path(id string) string { return s.routers.Netns(id) }

// Inode implements relay.Spaces.
func (s spaces) Inode(id string) uint64 {
	path := s.Path(id)
	if !netspace.Mounted(path) {
		return 0
	}
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0
	}
	return st.Ino
}
