package relay

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync/atomic"
	"time"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"

	"github.com/berth-ecs/berth/mesh/xds/seam"
)

const (
	retryMin   = 200 * time.Millisecond
	retryMax   = 2 * time.Second  // targets that left while every server was away get no requests so soon after one is back
	goodAfter  = 5 * time.Second  // a connection that lived so long resets the waits
	silentTime = 20 * time.Second // after which a server is asked whether it is there, and as long until it is left
)

// follow hears a server, and another one when that is gone, until ctx ends.
func (r *Relay) follow(ctx context.Context) error {
	for wait := retryMin; ; wait = min(2*wait, retryMax) {
		began := time.Now()
		err := r.connect(ctx)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // it ends because it was asked to
		}
		r.c.Log.Debug("the proxy's connection to a server ended; what it was told stays", "error", err)
		if time.Since(began) > goodAfter {
			wait = retryMin
		}
		t := time.NewTimer(wait/2 + rand.N(wait)) //nolint:gosec // spreads load
		select {
		case <-t.C:
		case <-r.back: // whoever said so has a server
			t.Stop()
			wait = retryMin
		case <-ctx.Done():
			t.Stop()
			return nil
		}
	}
}

var errOnce = errors.New("the connection is used up")

// connect is one connection to a server.
func (r *Relay) connect(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	conn, err := r.c.Stream(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }() // it has ended
	var used atomic.Bool
	client, err := grpc.NewClient("passthrough:///server",
		grpc.WithContextDialer(func(context.Context, string) (net.Conn, error) {
			if used.Swap(true) {
				cancel() // gRPC would go on with another connection; which server that is to is not its to choose
				return nil, errOnce
			}
			return conn, nil
		}),
		grpc.WithTransportCredentials(insecure.NewCredentials()), // the web socket's are those of its own connection
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: silentTime, Timeout: silentTime}),
		grpc.WithIdleTimeout(0),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage)),
	)
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }() // likewise
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return r.listen(ctx, client) })
	group.Go(func() error { return r.report(ctx, client) })
	return group.Wait()
}

// listen takes what a server says.
func (r *Relay) listen(ctx context.Context, client grpc.ClientConnInterface) error {
	s, err := discovery.NewAggregatedDiscoveryServiceClient(client).DeltaAggregatedResources(ctx)
	if err != nil {
		return err
	}
	for _, of := range seam.Types() {
		err := s.Send(&discovery.DeltaDiscoveryRequest{
			Node: &core.Node{Id: "relay"}, TypeUrl: of, ResourceNamesSubscribe: []string{"*"}, InitialResourceVersions: r.store.versions(of),
		})
		if err != nil {
			return err
		}
	}
	for {
		in, err := s.Recv()
		if err != nil {
			return err
		}
		ack := &discovery.DeltaDiscoveryRequest{TypeUrl: in.GetTypeUrl(), ResponseNonce: in.GetNonce()}
		if err := r.take(in); err != nil {
			ack.ErrorDetail = status.New(codes.InvalidArgument, err.Error()).Proto()
		}
		if err := s.Send(ack); err != nil {
			return err
		}
	}
}

// take takes one answer of a server.
func (r *Relay) take(in *discovery.DeltaDiscoveryResponse) error {
	var set []Resource
	var gone []Key
	for _, one := range in.GetResources() {
		if one.GetResource().GetTypeUrl() != in.GetTypeUrl() || one.GetName() == "" {
			return fmt.Errorf("%q is no %s", one.GetName(), in.GetTypeUrl())
		}
		set = append(set, Resource{Key{in.GetTypeUrl(), one.GetName()}, one.GetVersion(), one.GetResource()})
	}
	for _, name := range in.GetRemovedResources() {
		gone = append(gone, Key{in.GetTypeUrl(), name})
	}
	if len(r.store.apply(set, gone)) > 0 {
		ring(r.bell)
	}
	return nil
}
