package server

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"

	"github.com/berth-ecs/berth/mesh/xds/seam"
	"github.com/berth-ecs/berth/proxyconf"
)

// Sink hears what nodes say.
type Sink interface {
	// Report takes what a node said. The first report of a connection is Whole. It may block: it holds back this node alone. ctx is the connection's:
	// what comes by the next one is newer.
	Report(ctx context.Context, n Node, r proxyconf.Report)
	// Left: the node's last connection to this server has ended.
	Left(n Node)
}

// Config is what a Server needs.
type Config struct {
	Source  Source                // required
	Sink    Sink                  // required
	Log     *slog.Logger          // required
	Metrics prometheus.Registerer // optional
}

// Server tells nodes. Connections are handed to it when they have been admitted.
type Server struct {
	discovery.UnimplementedAggregatedDiscoveryServiceServer
	Config
	metrics *metrics
	door    *door
	grpc    *grpc.Server

	mu    sync.Mutex
	count map[Node]int // connections
}

const (
	pingEvery   = 20 * time.Second
	pingTimeout = 20 * time.Second
	maxStreams  = 8 // of a connection: one of each kind, and those that end while their next begins
)

// New makes a Server; Run makes it serve.
func New(c Config) *Server {
	s := &Server{Config: c, metrics: newMetrics(c.Metrics), door: newDoor(), count: map[Node]int{}}
	s.grpc = grpc.NewServer(grpc.Creds(admitted{}), grpc.MaxConcurrentStreams(maxStreams), grpc.MaxRecvMsgSize(4<<20),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: pingEvery, Timeout: pingTimeout}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: pingEvery / 4, PermitWithoutStream: true}))
	discovery.RegisterAggregatedDiscoveryServiceServer(s.grpc, s)
	seam.Serve(s.grpc, s)
	return s
}

// Run serves until ctx ends; then it ends all connections.
func (s *Server) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, s.grpc.Stop)
	defer stop()
	if err := s.grpc.Serve(s.door); err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}

// Serve speaks with a node through conn, which it closes, until either side ends it or ctx does.
func (s *Server) Serve(ctx context.Context, conn net.Conn, n Node) error {
	c := &nodeConn{Conn: conn, node: n, closed: make(chan struct{})}
	defer func() { _ = c.Close() }()
	s.enter(n)
	defer s.leave(n)
	if err := s.door.pass(ctx, c); err != nil {
		return err
	}
	select {
	case <-c.closed:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (s *Server) enter(n Node) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count[n]++
	s.metrics.nodes.Set(float64(len(s.count)))
}

func (s *Server) leave(n Node) {
	s.mu.Lock()
	s.count[n]--
	last := s.count[n] == 0
	if last {
		delete(s.count, n)
	}
	s.metrics.nodes.Set(float64(len(s.count)))
	s.mu.Unlock()
	if last {
		s.Sink.Left(n)
	}
}

// DeltaAggregatedResources tells one node. What the node says of itself is not looked at.
func (s *Server) DeltaAggregatedResources(to discovery.AggregatedDiscoveryService_DeltaAggregatedResourcesServer) error {
	ctx := to.Context()
	n, ok := nodeOf(ctx)
	if !ok {
		return status.Error(codes.PermissionDenied, "nobody let this connection in")
	}
	requests, ended := make(chan *discovery.DeltaDiscoveryRequest), make(chan error, 1)
	go func() {
		for {
			r, err := to.Recv()
			if err != nil {
				ended <- err
				return
			}
			select {
			case requests <- r:
			case <-ctx.Done():
				return
			}
		}
	}()
	f := s.Source.Follow(n)
	defer f.Close()
	st := newStream(to.Send, s.metrics)
	if err := st.take(f.Take()); err != nil {
		return err
	}
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-ended:
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		case <-f.Ready():
			if err := st.take(f.Take()); err != nil {
				return err
			}
		case r := <-requests:
			refused, err := st.hear(r)
			if err != nil {
				return err
			}
			if refused != "" {
				s.metrics.refusals.Inc()
				s.Log.Warn("a node's proxy refused what it was told", "node", n.Name, "type", r.GetTypeUrl(), "why", refused)
			}
		}
	}
}

// Hear is seam.Listener's.
func (s *Server) Hear(from seam.ReportStream) error {
	n, ok := nodeOf(from.Context())
	if !ok {
		return status.Error(codes.PermissionDenied, "nobody let this connection in")
	}
	for {
		r, err := from.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		s.metrics.reports.Inc()
		s.Sink.Report(from.Context(), n, r)
	}
}
