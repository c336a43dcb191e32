// Package nodeproc assembles a node: hold, containerd, the network, the agent and the metadata endpoint of one machine.
//
// Guarantees:
//
//   - Run returns when ctx ends or a part fails; the containers, their output, their network and the metadata socket stay.
//   - The next Run adopts what the last one left, however that ended.
//   - Destroy leaves nothing of the node: no container, process, namespace, link, rule, mount or cgroup.
package nodeproc

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/berth-ecs/berth/internal/config"
	"github.com/berth-ecs/berth/internal/disk"
	"github.com/berth-ecs/berth/internal/ready"
	"github.com/berth-ecs/berth/internal/rootkeys"
	"github.com/berth-ecs/berth/node/agent"
	"github.com/berth-ecs/berth/node/agent/plan"
	"github.com/berth-ecs/berth/node/cleanup"
	"github.com/berth-ecs/berth/node/hold"
	"github.com/berth-ecs/berth/node/introspection"
	"github.com/berth-ecs/berth/node/metadata"
	"github.com/berth-ecs/berth/node/network"
	"github.com/berth-ecs/berth/node/runtime"
	"github.com/berth-ecs/berth/wire/sigv4"
)

// Config is what a node needs.
type Config struct {
	Settings config.Settings // required
	Ready    *ready.State    // required
	Log      *slog.Logger    // required
	Version  string          // optional
}

// part names what the readiness page says of the node.
const part = "node"

// machine is what stays when this process ends: each can be adopted by the next.
type machine struct {
	hold    *hold.Client
	runtime *runtime.Runtime
	network *network.Network
	clouds  *clouds
}

// Run runs a node until ctx ends.
func Run(ctx context.Context, c Config) error {
	defer Settle(c.Settings.Name, c.Log)()
	at, err := reach(ctx, c)
	if err != nil {
		return err
	}
	m, err := open(ctx, c)
	if err != nil {
		return err
	}
	defer m.letGo()
	zone := c.Settings.ZoneIn(at.home.Region)
	if !strings.HasPrefix(zone, at.home.Region) {
		return fmt.Errorf("zone %q is not in region %q, which this machine joined", zone, at.home.Region)
	}
	boxes, err := sandboxes(c.Settings, m.runtime.CanSandbox())
	if err != nil {
		return err
	}
	c.Log.Info("which runtime FARGATE tasks have", "fargate_runtime", c.Settings.FargateRuntime, "sandboxes", boxes == plan.AllSandboxes)
	gib, err := storageGiB(c)
	if err != nil {
		return err
	}
	a, err := agent.New(ctx, agent.Config{
		Endpoint:      at.endpoint,
		HTTP:          at.http,
		NodeID:        at.node,
		Region:        at.home.Region,
		Cluster:       c.Settings.Cluster,
		Credentials:   at.credentials,
		Ready:         at.ready,
		DataDir:       c.Settings.DataDir,
		Runtime:       m.runtime,
		Network:       m.network,
		Interfaces:    m.clouds,
		Sandboxes:     boxes,
		Fargate:       c.Settings.Fargate,
		StorageGiB:    gib,
		Proxy:         proxyVersion(ctx, c),
		Logs:          m.hold,
		Zone:          zone,
		Attributes:    c.Settings.NodeAttributes(),
		Address:       machineAddress(c.Settings),
		Resolver:      m.network.Resolver().Addr(),
		ReservedPorts: reservedPorts(c.Settings),
		Pull:          runtime.Behaviour(c.Settings.ImagePull),
		Version:       c.Version,
		Log:           c.Log,
	})
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }() // nothing is written by it
	listener, err := m.metadataListener(ctx)
	if err != nil {
		return err
	}
	m.clouds.handler = func(vpc string) http.Handler { return metadata.Handler(inVPC{a, vpc}, c.Log) }
	c.Ready.Wait(part, "registering")
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return at.run(ctx) })
	group.Go(func() error { return a.Run(ctx) })
	group.Go(func() error { return m.clouds.run(ctx, a, at) })
	group.Go(func() error { return runProxy(ctx, c, m, proxyServers{a, at}) })
	group.Go(func() error { return cleanup.Run(ctx, cleanupConfig(c, m)) })
	if at := c.Settings.Introspection; at != config.IntrospectionOff {
		group.Go(func() error {
			return introspection.Serve(ctx, introspection.Config{Listen: at, Bridge: c.Settings.BridgeSubnet, Source: a, Log: c.Log})
		})
	}
	group.Go(func() error { return metadata.Serve(ctx, listener, metadata.Handler(source{a, m.network}, c.Log)) })
	group.Go(func() error { return c.sayReady(ctx, a) })
	return group.Wait()
}

// sayReady says so once the node is registered.
func (c Config) sayReady(ctx context.Context, a *agent.Agent) error {
	select {
	case <-a.Registered():
		c.Ready.Done(part)
	case <-ctx.Done():
	}
	return nil
}

// open starts or adopts what stays, in the order of its needs.
func open(ctx context.Context, c Config) (*machine, error) {
	c.Ready.Wait(part, "starting hold")
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	m := &machine{}
	if m.hold, err = hold.Start(ctx, holdConfig(c, exe)); err != nil {
		return nil, fmt.Errorf("hold: %w", err)
	}
	c.Ready.Wait(part, "starting containerd")
	rc := runtimeConfig(c, m.hold)
	rc.SpareShim = true
	rc.SpareSandboxes = sandboxesAhead(c.Settings.SandboxesAhead, machineMemory())
	if m.runtime, err = runtime.Open(ctx, rc); err != nil {
		m.letGo()
		return nil, err
	}
	c.Ready.Wait(part, "making the network")
	if m.network, err = network.Open(ctx, networkConfig(c)); err != nil {
		m.letGo()
		return nil, err
	}
	if m.clouds, err = openClouds(ctx, c, m); err != nil {
		m.letGo()
		return nil, err
	}
	return m, nil
}

// letGo ends this process's hold on what stays.
func (m *machine) letGo() {
	if m.clouds != nil {
		_ = m.clouds.close()
	}
	if m.network != nil {
		_ = m.network.Close()
	}
	if m.runtime != nil {
		_ = m.runtime.Close()
	}
	if m.hold != nil {
		m.hold.Stop()
	}
}

// metadataKey names the metadata endpoint's socket, which hold keeps while this process is replaced.
const metadataKey = "metadata"

func (m *machine) metadataListener(ctx context.Context) (net.Listener, error) {
	l, found, err := m.hold.Listener(ctx, metadataKey)
	if err != nil || found {
		return l, err
	}
	if l, err = m.network.MetadataListener(ctx); err != nil {
		return nil, err
	}
	return l, m.hold.Keep(ctx, metadataKey, l)
}

// source is what the metadata endpoint asks: the agent about tasks, the network about callers.
type source struct {
	*agent.Agent
	network *network.Network
}

// Lookup implements metadata.Source: tasks that are in a VPC ask there.
func (s source) Lookup(id string) (metadata.Task, metadata.Container, bool) {
	t, c, ok := s.Agent.Lookup(id)
	return t, c, ok && !slices.ContainsFunc(c.Networks, func(n metadata.Network) bool { return n.NetworkMode == plan.AwsVpc })
}

// IsEndpoint tells a container on the bridge from the machine itself.
func (s source) IsEndpoint(addr netip.Addr) bool { return s.network.IsEndpoint(addr) }

func cleanupConfig(c Config, m *machine) cleanup.Config {
	s := c.Settings
	interval := s.ImageCleanupInterval
	if s.ImagePull == string(runtime.PullPreferCached) { // as the ECS agent has it: what is cached is wanted
		interval = 0
	}
	return cleanup.Config{
		Images: m.runtime, Interval: interval, MinimumAge: s.ImageMinimumAge, Most: s.ImagesPerCleanup,
		Pressure: s.DiskPressure, Used: func() (int, error) { return disk.Used(s.DataDir) }, Log: c.Log.With("component", "cleanup"),
	}
}

func holdConfig(c Config, exe string) hold.Config {
	return hold.Config{Exe: exe, RunDir: c.Settings.RunDir, DataDir: c.Settings.DataDir, Log: c.Log, Spawn: inHold(c.Settings.Name)}
}

func networkConfig(c Config) network.Config {
	return network.Config{Name: c.Settings.Name, RunDir: c.Settings.RunDir, Subnet: c.Settings.BridgeSubnet, Log: c.Log}
}

func runtimeConfig(c Config, h *hold.Client) runtime.Config {
	rc := baseRuntimeConfig(c.Settings)
	rc.Log, rc.ShimLog, rc.ShimLogDone = c.Log, h.Log, h.LogDone
	return rc
}

func baseRuntimeConfig(s config.Settings) runtime.Config {
	return runtime.Config{
		Name: s.Name, BinDir: s.BinDir, DataDir: s.DataDir, RunDir: s.RunDir,
		Address: s.ContainerdAddress, AllowOldRunc: s.AllowOldRunc, TaskPids: int64(s.TaskPids),
	}
}

// credentials reads the keys that sign the node's requests: those of the settings, else those that the server beside it made
// in the data directory, which may come later than the node.
func credentials(s config.Settings) func() sigv4.Credentials {
	return func() sigv4.Credentials {
		if s.AccessKey != "" {
			return sigv4.Credentials{AccessKey: s.AccessKey, Secret: s.SecretKey}
		}
		keys, err := rootkeys.Read(rootkeys.Of{DataDir: s.DataDir, Account: s.Account})
		if err != nil {
			return sigv4.Credentials{}
		}
		return sigv4.Credentials{AccessKey: keys.AccessKey, Secret: keys.SecretKey}
	}
}

// reservedPorts are the TCP ports of the machine that tasks cannot have: ssh's, the region's own, and introspection's.
func reservedPorts(s config.Settings) []string {
	ports := []string{"22"}
	for _, listen := range []string{s.Listen, s.DNSListen, s.Introspection} {
		if _, port, err := net.SplitHostPort(listen); err == nil && !slices.Contains(ports, port) {
			ports = append(ports, port)
		}
	}
	return ports
}
