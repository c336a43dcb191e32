package nodeproc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"

	"github.com/berth-ecs/berth/internal/config"
	"github.com/berth-ecs/berth/node/agent"
	"github.com/berth-ecs/berth/node/agent/conf"
	"github.com/berth-ecs/berth/node/dns"
	"github.com/berth-ecs/berth/node/dns/view"
	"github.com/berth-ecs/berth/node/metadata"
	"github.com/berth-ecs/berth/node/metadata/vpcs"
	"github.com/berth-ecs/berth/node/network"
	"github.com/berth-ecs/berth/node/network/router"
	"github.com/berth-ecs/berth/node/runtime"
	"github.com/berth-ecs/berth/nodeconf"
)

// clouds are the node's part of virtual networks: routers, and in each a resolver and a metadata endpoint. They follow the node's configuration.
type clouds struct {
	settings config.Settings
	network  *network.Network
	routers  *router.Routers
	dns      *dns.Server
	metadata *vpcs.Servers
	conf     *conf.Client
	kept     sockets
	report   atomic.Pointer[router.Report]
	log      *slog.Logger
	handler  func(vpc string) http.Handler // of metadata; set before anything is served
	moved    atomic.Pointer[func()]        // hears that interfaces may have come or gone
}

// metadataPort is where the endpoint is in each router, beside none of the task's own ports.
const metadataAddress = "169.254.170.2:80"

// openClouds takes over what the last process left. Nothing changes before run.
func openClouds(ctx context.Context, c Config, m *machine) (*clouds, error) {
	cl := &clouds{
		settings: c.Settings, log: c.Log.With("component", "vpc"), network: m.network,
		kept: sockets{m.hold, filepath.Join(c.Settings.RunDir, "vpc"), m.network.MetadataNamespace()},
	}
	var err error
	if cl.routers, err = router.Open(ctx, routerConfig(c)); err != nil {
		return nil, err
	}
	cl.dns = dns.New(dns.Config{Listen: cl.listen, Keeper: cl.kept, Machine: m.network.Resolver(), Log: c.Log.With("component", "dns")})
	if err = cl.dns.Begin(ctx); err != nil {
		return nil, errors.Join(err, cl.dns.Close(), cl.routers.Close())
	}
	cl.metadata = vpcs.New(vpcs.Config{
		Listen: cl.metadataListener, Forget: func(ctx context.Context, vpc string) error { return cl.kept.Forget(ctx, metadataKeyOf(vpc)) },
		Handler: func(vpc string) http.Handler { return cl.handler(vpc) }, Log: cl.log,
	})
	cl.conf, err = conf.Open(conf.Config{
		Path: confPath(c.Settings), Parts: []conf.Part{cl.name, cl.route, cl.resolve, cl.metadata.Apply, cl.kept.sweep}, State: cl.state, Log: c.Log,
	})
	if err != nil {
		return nil, errors.Join(err, cl.close())
	}
	return cl, nil
}

func routerConfig(c Config) router.Config {
	return router.Config{
		Name: c.Settings.Name, RunDir: c.Settings.RunDir, PublicPool: c.Settings.PublicPool, Routed: c.Settings.PublicPoolRouted,
		Address: overlayAddress(c.Settings), AddressMTU: c.Settings.NodeMTU, Log: c.Log,
	}
}

func confPath(s config.Settings) string { return filepath.Join(s.DataDir, "node.conf") }

// removeClouds removes what a stopped node left, and the configuration with it: the next one is told anew.
func removeClouds(ctx context.Context, c Config) error {
	err := router.Remove(ctx, routerConfig(c))
	if rerr := os.Remove(confPath(c.Settings)); !errors.Is(rerr, os.ErrNotExist) {
		err = errors.Join(err, rerr)
	}
	return err
}

func (c *clouds) close() error {
	c.metadata.Close()
	return errors.Join(c.dns.Close(), c.routers.Close())
}

// run becomes what the servers want, as far as they have said, and follows them once the node is registered.
func (c *clouds) run(ctx context.Context, a *agent.Agent, at servers) error {
	becoming := make(chan error, 1)
	go func() { becoming <- c.conf.Become(ctx) }()
	select {
	case <-a.Registered():
		_ = c.conf.Follow(ctx, conf.Servers{ // it ends with ctx
			URL: at.link, Dialer: a.Dialer(), Node: a.NodeID(),
		})
	case <-ctx.Done():
	}
	return <-becoming
}

// name has the resolvers answer as a change says, before anything takes its time: who has ended must not be found.
func (c *clouds) name(_ context.Context, d nodeconf.Delta) error {
	c.dns.Tell(d)
	return nil
}

// resolve opens and closes the resolvers' sockets, which are in routers.
func (c *clouds) resolve(ctx context.Context, _ nodeconf.Delta) error { return c.dns.Sync(ctx) }

// route has the routers follow a change. What fails is tried again by them, and by the next one.
func (c *clouds) route(ctx context.Context, d nodeconf.Delta) error {
	r, err := c.routers.Apply(ctx, d)
	if err != nil {
		return err
	}
	c.report.Store(&r)
	if moved := c.moved.Load(); moved != nil {
		(*moved)()
	}
	for _, id := range slices.Sorted(maps.Keys(r.Failed)) {
		err = errors.Join(err, fmt.Errorf("%s: %w", id, r.Failed[id]))
	}
	return err
}

// state is how many interfaces are up, and those that are not.
func (c *clouds) state() (up int, down []string) {
	r := c.report.Load()
	c.conf.View(func(n *nodeconf.Config) {
		for id := range n.Interfaces {
			if r != nil && r.Failed[id] != nil {
				down = append(down, id)
			}
		}
		up = len(n.Interfaces) - len(down)
	})
	slices.Sort(down)
	return up, down
}

func (c *clouds) listen(ctx context.Context, vpc, network string, at netip.AddrPort) (io.Closer, error) {
	if vpc == view.Machine {
		return c.network.ResolverSocket(ctx, network)
	}
	if network == "udp" {
		return c.routers.ListenPacket(ctx, vpc, network, at.String())
	}
	return c.routers.Listen(ctx, vpc, network, at.String())
}

func metadataKeyOf(vpc string) string { return metadataKey + "/" + vpc }

func (c *clouds) metadataListener(ctx context.Context, vpc string) (net.Listener, error) {
	kept, err := c.kept.Socket(ctx, metadataKeyOf(vpc))
	if err != nil {
		return nil, err
	}
	if l, ok := kept.(net.Listener); ok {
		return l, nil
	}
	l, err := c.routers.Listen(ctx, vpc, "tcp", metadataAddress)
	if err != nil {
		return nil, err
	}
	if err := c.kept.KeepSocket(ctx, metadataKeyOf(vpc), l); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

var _ agent.Interfaces = (*clouds)(nil)

// Netns implements agent.Interfaces.
func (c *clouds) Netns(id string) string { return c.routers.Netns(id) }

// Wait implements agent.Interfaces.
func (c *clouds) Wait(ctx context.Context, id string) error {
	_, err := c.routers.Wait(ctx, id)
	return err
}

// HandOver implements agent.Interfaces.
func (c *clouds) HandOver(ctx context.Context, id string) (runtime.Interface, error) {
	h, err := c.routers.HandOver(ctx, id)
	i := runtime.Interface{Netns: h.Netns, Device: h.Device, Name: h.Name, MAC: h.MAC, MTU: h.MTU, Gateway: h.Gateway}
	for _, a := range h.Addresses {
		i.Addresses = append(i.Addresses, netip.PrefixFrom(a, h.Subnet.Bits()))
	}
	return i, err
}

// VPC implements agent.Interfaces.
func (c *clouds) VPC(id string) (vpc string) {
	c.conf.View(func(n *nodeconf.Config) { vpc = n.Interfaces[id].VPC })
	return vpc
}

// inVPC is what the metadata endpoint of a VPC asks: the agent, about tasks of that VPC. Callers are who their addresses say.
type inVPC struct {
	*agent.Agent
	vpc string
}

// Lookup implements metadata.Source.
func (s inVPC) Lookup(id string) (metadata.Task, metadata.Container, bool) {
	t, c, ok := s.Agent.Lookup(id)
	return t, c, ok && t.VPCID == s.vpc
}

// ByAddress implements metadata.AddressSource.
func (s inVPC) ByAddress(a netip.Addr) (metadata.Task, bool) { return s.Agent.ByAddress(s.vpc, a) }

// IsEndpoint implements metadata.CallerSource: nobody here shares an address.
func (inVPC) IsEndpoint(netip.Addr) bool { return true }
