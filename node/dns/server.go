package dns

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/berth-ecs/berth/node/dns/forward"
	"github.com/berth-ecs/berth/node/dns/view"
	"github.com/berth-ecs/berth/nodeconf"
)

// Server are the resolvers of a node's VPCs.
type Server struct {
	c       Config
	forward *forward.Forwarder
	view    atomic.Pointer[view.View]
	life    context.Context //nolint:containedctx // of the goroutines that serve
	end     context.CancelFunc
	serving sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	tidied  bool // what an earlier process had kept too long is gone
	sockets map[socketKey]io.Closer
	vpcs    map[string]*resolver
}

// resolver is what the sockets of one VPC share.
type resolver struct {
	s       *Server
	vpc     string
	waiting *places
	conns   *places
}

type socketKey struct {
	vpc, network string
	at           netip.AddrPort
}

const keyPrefix = "dns/"

// text is the key for a Keeper.
func (k socketKey) text() string { return keyPrefix + k.vpc + "/" + k.network + "/" + k.at.String() }

// New makes a Server that knows no VPC.
func New(c Config) *Server {
	c.Limits = c.Limits.orDefaults()
	life, end := context.WithCancel(context.Background())
	return &Server{
		c: c, life: life, end: end, forward: forward.New(forward.Config{Servers: c.upstream()}),
		sockets: map[socketKey]io.Closer{}, vpcs: map[string]*resolver{},
	}
}

// Apply makes the answers those of a changed configuration, and then the sockets. When it fails the answers are changed, and Sync makes the
// sockets that are missing. Changes come one at a time.
func (s *Server) Apply(ctx context.Context, d nodeconf.Delta) error {
	s.Tell(d)
	return s.Sync(ctx)
}

// Tell makes the answers those of a changed configuration.
func (s *Server) Tell(d nodeconf.Delta) {
	next, problems := s.view.Load().Apply(d)
	for _, p := range problems {
		s.c.Log.Warn("left out of the resolver", "error", p)
	}
	s.view.Store(next)
}

// Begin opens the sockets that are of no VPC, before there is a configuration: what the machine's resolver does not know is asked elsewhere.
func (s *Server) Begin(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, k := range s.always() {
		if s.sockets[k] == nil {
			errs = append(errs, s.open(ctx, k))
		}
	}
	return errors.Join(errs...)
}

// always are the sockets that there are whatever the configuration says.
func (s *Server) always() (out []socketKey) {
	for id, at := range map[string]netip.AddrPort{view.Machine: s.c.Machine, view.Everything: s.c.Everything} {
		if at.IsValid() {
			out = append(out, socketKey{id, "udp", at}, socketKey{id, "tcp", at})
		}
	}
	return out
}

// Sync opens the sockets that are missing and closes those that are not wanted any more.
func (s *Server) Sync(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errors.New("dns: the server is closed")
	}
	want := map[socketKey]bool{}
	for vpc, addrs := range s.view.Load().Resolvers() {
		for _, a := range addrs {
			for _, network := range []string{"udp", "tcp"} {
				want[socketKey{vpc, network, netip.AddrPortFrom(a, s.c.Limits.Port)}] = true
			}
		}
	}
	for _, k := range s.always() {
		want[k] = true
	}
	errs := []error{s.forgetOthers(ctx, want)}
	for k, c := range s.sockets {
		if !want[k] {
			errs = append(errs, s.drop(ctx, k, c))
		}
	}
	for k := range want {
		if s.sockets[k] == nil {
			errs = append(errs, s.open(ctx, k))
		}
	}
	return errors.Join(errs...)
}

// forgetOthers lets go, once, what an earlier process had kept for VPCs that are gone since.
func (s *Server) forgetOthers(ctx context.Context, want map[socketKey]bool) error {
	if s.c.Keeper == nil || s.tidied {
		return nil
	}
	kept, err := s.c.Keeper.Kept(ctx)
	if err != nil {
		return err
	}
	wanted := map[string]bool{}
	for k := range want {
		wanted[k.text()] = true
	}
	for _, key := range kept {
		if strings.HasPrefix(key, keyPrefix) && !wanted[key] {
			if err := s.c.Keeper.Forget(ctx, key); err != nil {
				return err
			}
		}
	}
	s.tidied = true
	return nil
}

// drop closes a socket for good: an open one would keep its namespace.
func (s *Server) drop(ctx context.Context, k socketKey, c io.Closer) error {
	if s.c.Keeper != nil {
		if err := s.c.Keeper.Forget(ctx, k.text()); err != nil {
			return err
		}
	}
	delete(s.sockets, k)
	if !slices.ContainsFunc(slices.Collect(maps.Keys(s.sockets)), func(o socketKey) bool { return o.vpc == k.vpc }) {
		delete(s.vpcs, k.vpc)
	}
	return c.Close()
}

// open takes over the socket that is kept, or makes one, and serves it.
func (s *Server) open(ctx context.Context, k socketKey) error {
	c, err := s.socket(ctx, k)
	if err != nil {
		return err
	}
	r := s.vpcs[k.vpc]
	if r == nil {
		l := s.c.Limits
		r = &resolver{s, k.vpc, newPlaces(l.Waiting, l.WaitingEach), newPlaces(l.Conns, l.ConnsEach)}
		s.vpcs[k.vpc] = r
	}
	if err := r.serve(c); err != nil {
		return errors.Join(err, c.Close())
	}
	s.sockets[k] = c
	return nil
}

func (s *Server) socket(ctx context.Context, k socketKey) (io.Closer, error) {
	if s.c.Keeper == nil {
		return s.c.Listen(ctx, k.vpc, k.network, k.at)
	}
	if c, err := s.c.Keeper.Socket(ctx, k.text()); err != nil || c != nil {
		return c, err
	}
	c, err := s.c.Listen(ctx, k.vpc, k.network, k.at)
	if err != nil {
		return nil, err
	}
	if err := s.c.Keeper.KeepSocket(ctx, k.text(), c); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// Close ends serving. What a Keeper has stays.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	s.end()
	var errs []error
	for _, c := range s.sockets {
		errs = append(errs, c.Close())
	}
	clear(s.sockets)
	s.mu.Unlock()
	s.serving.Wait()
	return errors.Join(errs...)
}
