// Command xds measures how long a target that changes takes to reach every node whose proxies have its group, and what each is told: simulated nodes, each
// with a connection and a stream of delta discovery of its own, in this process, which share its processors with the server.
//
//	go run ./test/bench/xds; -nodes 1000 -changes 50
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"slices"
	"time"

	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/berth-ecs/berth/mesh/xds/seam"
	"github.com/berth-ecs/berth/mesh/xds/server"
	"github.com/berth-ecs/berth/proxyconf"
)

func main() {
	nodes := flag.Int("nodes", 1000, "nodes")
	changes := flag.Int("changes", 50, "targets that change, one after the other")
	flag.Parse()
	if err := run(*nodes, *changes); err != nil {
		fmt.Fprintln(os.Stderr, "xds:", err)
		os.Exit(1)
	}
}

// nobody hears what nodes say.
type nobody struct{}

func (nobody) Report(context.Context, server.Node, proxyconf.Report) {}
func (nobody) Left(server.Node)                                      {}

// arrival is a change that a node has.
type arrival struct {
	at    time.Time
	bytes int
}

func run(nodes, changes int) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	book := server.NewBook()
	news := server.News{Endpoints: []proxyconf.Endpoints{hosts(0)}}
	for i := range nodes {
		news.Parts = append(news.Parts, server.NodePart{Node: node(i), Part: part()})
	}
	if err := book.Tell(news); err != nil {
		return err
	}
	s := server.New(server.Config{Source: book, Sink: nobody{}, Log: slog.New(slog.DiscardHandler)})
	go func() { _ = s.Run(ctx) }()
	ready, got := make(chan error, nodes), make(chan arrival, nodes)
	for i := range nodes {
		go func() { ready <- follow(ctx, s, node(i), ready, got) }()
	}
	for range nodes {
		if err := <-ready; err != nil {
			return err
		}
	}
	var waits []time.Duration
	total := 0
	for n := range changes {
		began := time.Now()
		if err := book.Tell(server.News{Endpoints: []proxyconf.Endpoints{hosts(1 + n%200)}}); err != nil {
			return err
		}
		for range nodes {
			select {
			case a := <-got:
				waits = append(waits, a.at.Sub(began))
				total += a.bytes
			case err := <-ready:
				return err
			}
		}
	}
	slices.Sort(waits)
	at := func(share int) time.Duration { return waits[(len(waits)-1)*share/1000].Round(10 * time.Microsecond) }
	fmt.Printf("%d nodes, %d changes of one target: p50 %v, p99 %v, p99.9 %v, last %v; %d bytes of resources for each node and change\n",
		nodes, changes, at(500), at(990), at(999), at(1000), total/len(waits))
	return nil
}

func node(i int) server.Node {
	return server.Node{Account: "123456789012", Region: "us-east-1", Name: fmt.Sprint("node", i)}
}

func part() proxyconf.Part {
	return proxyconf.Part{
		Name: "elb/a", Space: "eni-1",
		Clusters: []proxyconf.Cluster{{Name: "group", Endpoints: "elb/group", Space: "eni-1", Protocol: "http1"}},
		Listeners: []proxyconf.Listener{{Name: "80", Port: 80, HTTP: &proxyconf.HTTP{
			Routes: []proxyconf.Route{{Name: "all", Forward: []proxyconf.Weighted{{Cluster: "group", Weight: 1}}}},
		}}},
	}
}

// hosts are ten targets of which one is another for each n.
func hosts(n int) proxyconf.Endpoints {
	e := proxyconf.Endpoints{Name: "elb/group"}
	for i := range 10 {
		last := byte(i)
		if i == 9 {
			last = byte(10 + n)
		}
		e.Hosts = append(e.Hosts, proxyconf.Host{Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, last}), 80)})
	}
	return e
}

// follow is a node: it says once that it has everything, and then each change. Its error is said in the end.
func follow(ctx context.Context, s *server.Server, n server.Node, ready chan<- error, got chan<- arrival) error {
	dial := func(context.Context, string) (net.Conn, error) {
		mine, its := net.Pipe()
		go func() { _ = s.Serve(ctx, its, n) }()
		return mine, nil
	}
	conn, err := grpc.NewClient("passthrough:node", grpc.WithContextDialer(dial), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	stream, err := discovery.NewAggregatedDiscoveryServiceClient(conn).DeltaAggregatedResources(ctx)
	if err != nil {
		return err
	}
	for _, kind := range seam.Types() {
		if err := stream.Send(&discovery.DeltaDiscoveryRequest{TypeUrl: kind, ResourceNamesSubscribe: []string{"*"}}); err != nil {
			return err
		}
	}
	whole := false
	for {
		m, err := stream.Recv()
		if err != nil {
			return err
		}
		switch at := time.Now(); {
		case m.GetTypeUrl() == seam.TypeListener && !whole:
			whole = true
			ready <- nil
		case m.GetTypeUrl() == seam.TypeEndpoint && whole:
			r := m.GetResources()[0].GetResource()
			got <- arrival{at, len(r.GetValue())}
		}
	}
}
