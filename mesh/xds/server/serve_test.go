package server

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/berth-ecs/berth/mesh/xds"
	"github.com/berth-ecs/berth/mesh/xds/seam"
	"github.com/berth-ecs/berth/proxyconf"
)

type heard struct {
	reports chan proxyconf.Report
	left    chan Node
	ctx     chan context.Context // of the last report
}

func (h heard) Report(ctx context.Context, _ Node, r proxyconf.Report) {
	select {
	case <-h.ctx:
	default:
	}
	h.ctx <- ctx
	h.reports <- r
}
func (h heard) Left(n Node) { h.left <- n }

// running is a server over a book, and how a node connects to it.
func running(t testing.TB, b *Book) (heard, func(n Node) *grpc.ClientConn) {
	t.Helper()
	h := heard{make(chan proxyconf.Report, 10), make(chan Node, 10_000), make(chan context.Context, 1)}
	s := New(Config{Source: b, Sink: h, Log: slog.New(slog.DiscardHandler)})
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { cancel(); wg.Wait() })
	return h, func(n Node) *grpc.ClientConn {
		dial := func(context.Context, string) (net.Conn, error) {
			mine, its := net.Pipe()
			wg.Go(func() { _ = s.Serve(ctx, its, n) })
			return mine, nil
		}
		conn, err := grpc.NewClient("passthrough:node", grpc.WithContextDialer(dial), grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		return conn
	}
}

// ask opens a stream and asks for everything.
func ask(t testing.TB, conn *grpc.ClientConn) discovery.AggregatedDiscoveryService_DeltaAggregatedResourcesClient {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	s, err := discovery.NewAggregatedDiscoveryServiceClient(conn).DeltaAggregatedResources(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range seam.Types() {
		if err := s.Send(&discovery.DeltaDiscoveryRequest{TypeUrl: kind, ResourceNamesSubscribe: []string{"*"}}); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// until reads to the first message that pleases.
func until(t testing.TB, s discovery.AggregatedDiscoveryService_DeltaAggregatedResourcesClient, please func(*discovery.DeltaDiscoveryResponse) bool) {
	t.Helper()
	for {
		m, err := s.Recv()
		if err != nil {
			t.Fatal(err)
		}
		if please(m) {
			return
		}
	}
}

func of(kind string) func(*discovery.DeltaDiscoveryResponse) bool {
	return func(m *discovery.DeltaDiscoveryResponse) bool { return m.GetTypeUrl() == kind }
}

func TestANodeThatIsSlowDelaysNoOther(t *testing.T) {
	b := NewBook()
	slow, quick := Node{"1", "r", "slow"}, Node{"1", "r", "quick"}
	if err := b.Tell(News{Parts: []NodePart{{slow, onePart()}, {quick, onePart()}}, Endpoints: []proxyconf.Endpoints{hosts(1)}}); err != nil {
		t.Fatal(err)
	}
	_, connect := running(t, b)
	behind := ask(t, connect(slow)) // it reads nothing
	ahead := ask(t, connect(quick))
	until(t, ahead, of(seam.TypeListener))
	big := hosts(1)
	for range 2000 {
		big.Hosts = append(big.Hosts, big.Hosts[0])
	}
	for i := range 200 { // of 30 KB, far more than fits on the way to who does not read
		big.Hosts[0] = hosts(byte(i)).Hosts[0]
		if err := b.Tell(News{Endpoints: []proxyconf.Endpoints{big}}); err != nil {
			t.Fatal(err)
		}
		until(t, ahead, of(seam.TypeEndpoint))
	}
	if err := b.Tell(News{Endpoints: []proxyconf.Endpoints{hosts(9)}}); err != nil {
		t.Fatal(err)
	}
	want, err := item(xds.Endpoints(hosts(9)))
	if err != nil {
		t.Fatal(err)
	}
	until(t, behind, func(m *discovery.DeltaDiscoveryResponse) bool {
		return m.GetTypeUrl() == seam.TypeEndpoint && len(m.GetResources()) == 1 && m.GetResources()[0].GetVersion() == want.Version
	})
}

func TestReportsAreHeardOfWhoWasAdmitted(t *testing.T) {
	h, connect := running(t, NewBook())
	conn := connect(here)
	say, err := seam.Say(context.Background(), conn)
	if err != nil {
		t.Fatal(err)
	}
	if err := say(proxyconf.Report{Whole: true, Parts: []proxyconf.PartState{{Part: "p", Serving: true}}}); err != nil {
		t.Fatal(err)
	}
	if r := <-h.reports; !r.Whole || len(r.Parts) != 1 || !r.Parts[0].Serving {
		t.Errorf("heard %+v", r)
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	if n := <-h.left; n != here {
		t.Errorf("%v has left, not %v", n, here)
	}
	<-(<-h.ctx).Done() // a report that could not be written yet is not written over a newer one
}
