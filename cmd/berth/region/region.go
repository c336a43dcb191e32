// Package region assembles a server: the store, the AWS edge, the agents' sessions and the control loops of one installation.
//
// Guarantees:
//
//   - Run returns when ctx ends or a part fails, after every part has ended; what it acknowledged before is in the store.
//   - The parts start in the order of their needs and each says on the readiness page what it waits for.
//   - It knows no node: agents come in through the same socket as everybody else.
package region

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/berth-ecs/berth/acm"
	acmtables "github.com/berth-ecs/berth/acm/tables"
	"github.com/berth-ecs/berth/cloudmap/route53api"
	cloudmaptables "github.com/berth-ecs/berth/cloudmap/tables"
	"github.com/berth-ecs/berth/cmd/berth/balancing"
	"github.com/berth-ecs/berth/cmd/berth/identities"
	"github.com/berth-ecs/berth/cmd/berth/lowering"
	"github.com/berth-ecs/berth/cmd/berth/names"
	"github.com/berth-ecs/berth/ecs/ecsapi"
	"github.com/berth-ecs/berth/ecs/tables"
	elbtables "github.com/berth-ecs/berth/elb/tables"
	"github.com/berth-ecs/berth/iam/stsapi"
	"github.com/berth-ecs/berth/internal/clock"
	"github.com/berth-ecs/berth/internal/config"
	"github.com/berth-ecs/berth/internal/ready"
	"github.com/berth-ecs/berth/joining/joinapi"
	joiningtables "github.com/berth-ecs/berth/joining/tables"
	registrytables "github.com/berth-ecs/berth/registry/tables"
	"github.com/berth-ecs/berth/session/hub"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/etcd"
	vpctables "github.com/berth-ecs/berth/vpc/tables"
	"github.com/berth-ecs/berth/vpc/vpcapi"
	"github.com/berth-ecs/berth/wire"
	"github.com/berth-ecs/berth/wire/sigv4"
)

// Where agents find their sessions, below the endpoint.
const (
	controlPath   = "/_berth/acs/"
	telemetryPath = "/_berth/tcs/"
)

// Config is what a server needs.
type Config struct {
	Settings config.Settings // required
	Ready    *ready.State    // required
	Log      *slog.Logger    // required
	Version  string          // of the program; optional
}

// garbage is how much a server's heap may grow between two collections, in percent of what lives. At Go's own 100 a quarter of the time a
// read takes is the collector's; at 200 that halves, and the heap is small beside what etcd maps.
const garbage = 200

// part names what the readiness page says of the server.
const part = "server"

// Run runs a server until ctx ends.
func Run(ctx context.Context, c Config) error {
	debug.SetGCPercent(garbage)
	r, l, err := begin(ctx, c)
	if err != nil {
		return err
	}
	defer l.close()
	conf, err := r.membership.storeConfig(c)
	if err != nil {
		return err
	}
	opening := "opening the store"
	switch {
	case conf.Peer != nil:
		opening += ", which takes a majority of its servers"
	case c.Settings.SharesEtcd():
		opening += " in the etcd at " + strings.Join(c.Settings.Etcd, ", ")
	}
	c.Ready.Wait(part, opening)
	s, err := openRecords(ctx, c.Settings, conf)
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	defer func() { _ = s.Close() }() // for the ways out that have an error already
	r.store, r.keepers = s, s
	err = serve(ctx, c, l, r)
	if cerr := s.Close(); err == nil {
		err = cerr
	}
	return err
}

// Schema is every table of a region.
func Schema() store.Schema {
	return slices.Concat(tables.Schema(), acmtables.Schema(), registrytables.Schema(), vpctables.Schema(), cloudmaptables.Schema(), elbtables.Schema(), joiningtables.Schema())
}

// RunOn is Run on a store that is open, and stays so: a whole server inside a test.
func RunOn(ctx context.Context, c Config, s store.Store) error {
	r, l, err := begin(ctx, c)
	if err != nil {
		return err
	}
	defer l.close()
	r.store = s
	return serve(ctx, c, l, r)
}

// begin is what comes before the store: who this server is, its keys and where it listens.
func begin(ctx context.Context, c Config) (rooms, listeners, error) {
	r := rooms{metrics: prometheus.NewRegistry()}
	var l listeners
	var err error
	if r.membership, err = belong(ctx, c); err != nil {
		return r, l, err
	}
	if r.roots, err = ensureKeys(c.Settings); err != nil {
		return r, l, err
	}
	if r.sealed, err = r.membership.keyring(); err != nil {
		return r, l, err
	}
	l, err = listen(ctx, c, r.membership)
	return r, l, err
}

// listeners are where the server is reached; agents may be nil.
type listeners struct{ plain, agents net.Listener }

func listen(ctx context.Context, c Config, m *membership) (listeners, error) {
	var l listeners
	var err error
	if l.plain, err = (&net.ListenConfig{}).Listen(ctx, "tcp", c.Settings.Listen); err != nil {
		return l, fmt.Errorf("listen %s: %w (is another region or emulator running? --listen chooses another port)", c.Settings.Listen, err)
	}
	if l.agents, err = listenAgents(ctx, c, m); err != nil {
		l.close()
	}
	return l, err
}

func (l listeners) close() {
	_ = l.plain.Close()
	if l.agents != nil {
		_ = l.agents.Close()
	}
}

// rooms is what the parts of a server share.
type rooms struct {
	membership *membership
	roots      sigv4.Keys
	store      store.Store
	keepers    *etcd.Store // the same, as one of the servers that keep it; nil in tests
	keys       sigv4.Keys
	sealed     *acm.Keyring // of private keys of certificates
	metrics    *prometheus.Registry
	images     *images // made of the others
	vpc        *vpcapi.API
	joining    *joinapi.API // nil: no machine joins
	nodes      nodes
	proxies    *lowering.Proxies
}

// serve runs the parts that need the store.
func serve(ctx context.Context, c Config, l listeners, r rooms) error {
	r.keys = keyring{r.roots, r.store}
	identities.Warn(ctx, r.store, r.sealed, c.Log)
	if c.Settings.SharesEtcd() {
		if err := r.membership.claim(ctx, r.store); err != nil {
			return err
		}
	}
	if err := r.membership.announce(ctx, r.store); err != nil {
		return fmt.Errorf("announce this server: %w", err)
	}
	regions, every := regionsOf(c.Settings)
	verify := ownConnection((&sigv4.Verifier{Keys: r.keys, Now: clock.Now, Service: "ecs", Regions: regions, AnyRegion: every}).VerifyUpgrade)
	sessions := newSessions(ctx, c, r, verify)
	images, err := openRegistry(c, r)
	if err != nil {
		return err
	}
	if r.proxies, err = newProxies(c, r); err != nil {
		return err
	}
	r.nodes = newNodes(ctx, c, r, verify)
	r.images, r.vpc, r.joining = images, newVPC(c.Settings, r.store), joinPages(c, r)
	if err := makeBase(ctx, r.vpc, c.Settings); err != nil {
		return fmt.Errorf("default VPC: %w", err)
	}
	edge, err := newEdge(c, r)
	if err != nil {
		return err
	}
	loops, err := leading(c, r)
	if err != nil {
		return err
	}
	http := c.Log.With("component", "http")
	parts := map[string]func(context.Context) error{
		"sessions": sessions.Run,
		"feed":     r.nodes.feed.Run,
		"expel":    func(ctx context.Context) error { return expel(ctx, r, sessions) },
		"peer":     r.membership.keepPeer,
		"nodes":    r.nodes.link.Run,
		"loops": func(ctx context.Context) error {
			return lead(ctx, r.store, loops...)
		},
		"http": func(ctx context.Context) error {
			return serveHTTP(ctx, wire.NewServer(oneApart(routes(c, r, edge, sessions), r.membership.program, http), http), l.plain)
		},
	}
	maps.Copy(parts, optional(c, r))
	maps.Copy(parts, r.proxies.Parts())
	if l.agents != nil {
		parts["agents"] = func(ctx context.Context) error {
			return serveHTTP(ctx, wire.NewServer(oneApart(agentRoutes(c, r, edge, sessions), r.membership.program, http), http), l.agents)
		}
		c.Log.Info("serving agents", "endpoint", c.Settings.AgentEndpoint(), "listen", l.agents.Addr().String())
	}
	group, ctx := errgroup.WithContext(ctx)
	for name, run := range parts {
		group.Go(func() error {
			if err := run(ctx); err != nil && ctx.Err() == nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			return nil
		})
	}
	c.Ready.Done(part)
	c.Log.Info("serving", "endpoint", c.Settings.Endpoint(), "region", c.Settings.Region, "account", c.Settings.Account)
	return group.Wait()
}

// optional are the parts that not every server has, and that need no other part.
func optional(c Config, r rooms) map[string]func(context.Context) error {
	parts := map[string]func(context.Context) error{}
	if at := c.Settings.DNS(); at.IsValid() {
		parts["names"] = func(ctx context.Context) error {
			return names.Serve(ctx, names.Config{Store: r.store, Listen: at, Log: c.Log.With("component", "names")})
		}
	}
	if r.keepers != nil {
		parts["majority"] = func(ctx context.Context) error { return watchful(r).run(ctx, c.Ready) }
	}
	return parts
}

// wings are the others as the ECS wing's transactions need them.
func wings(c Config) tables.Wings {
	return tables.Wings{Network: network{pool: c.Settings.PublicPool}, Discovery: registries{}, Balancing: balancing.Tables{}}
}

// wing is the API of one.
type wing interface{ Bind(m *wire.Mux) }

// NewMux binds every operation that this berth serves.
func NewMux(wings ...wing) *wire.Mux {
	mux := wire.NewMux()
	for _, w := range wings {
		w.Bind(mux)
	}
	stsapi.Bind(mux)
	return mux
}

func newEdge(c Config, r rooms) (*wire.Edge, error) {
	base := c.Settings.Endpoint()
	regions, every := regionsOf(c.Settings)
	api := ecsapi.New(ecsapi.Config{
		Store:     r.store,
		Wings:     wings(c),
		Endpoints: ecsapi.Endpoints{Control: base + controlPath, Telemetry: base + telemetryPath},
		Zone:      zones(c.Settings),
		Zones:     c.Settings.ZonesOf,
		Log:       c.Log.With("component", "ecs"),
	})
	return wire.NewEdge(wire.Config{
		Mux:        NewMux(api, r.images.api, r.vpc, newCloudMap(c.Settings, r.store), route53api.New(r.store), identities.New(r.store, r.sealed), balancing.New(r.store, registrants{})),
		Keys:       r.keys,
		Authorizer: agentsToo{wire.RootOnly{}, r.store},
		Regions:    regions,
		AnyRegion:  every,
		Log:        c.Log.With("component", "edge"),
		Metrics:    r.metrics,
	})
}

// serveHTTP serves until ctx ends; requests under way then have a moment to finish.
func serveHTTP(ctx context.Context, server *http.Server, listener net.Listener) error {
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	if err := server.Shutdown(patience); err != nil {
		_ = server.Close()
	}
	if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// newServerID tells this server process from every other.
func newServerID() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// newSessions are those of agents.
func newSessions(ctx context.Context, c Config, r rooms, verify func(*http.Request) (sigv4.Identity, error)) *hub.Hub {
	return hub.New(hub.Config{
		Store:   r.store,
		Wings:   wings(c),
		Server:  newServerID(),
		Beat:    beatOf(c.Settings),
		Verify:  verify,
		Removed: removed(ctx, r.store),
		Log:     c.Log.With("component", "session"),
	})
}

// beatOf is how often a server among several says that it is there. One that is alone says nothing: an idle region writes nothing.
func beatOf(s config.Settings) time.Duration {
	if s.PeerListen == "" && len(s.Etcd) == 0 {
		return 0
	}
	return 5 * time.Second
}
