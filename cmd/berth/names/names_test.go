package names

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/berth-ecs/berth/cloudmap"
	"github.com/berth-ecs/berth/cloudmap/tables"
	"github.com/berth-ecs/berth/elb"
	elbtables "github.com/berth-ecs/berth/elb/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
)

var home = cloudmap.Home{Account: "000000000000", Region: "us-east-1"}

func update(t *testing.T, s store.Store, fn func(store.Tx)) {
	t.Helper()
	if err := s.Update(t.Context(), func(tx store.Tx) error { fn(tx); return nil }); err != nil {
		t.Fatal(err)
	}
}

func register(id, address string) func(store.Tx) {
	return func(tx store.Tx) {
		tables.Instances.Put(tx, &cloudmap.Instance{Home: home, Service: "srv-1", ID: id, Attributes: map[string]string{cloudmap.AttrIPv4: address}})
	}
}

// freeAddress is one that is free by both protocols, as far as anybody can tell.
func freeAddress(t *testing.T) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).AddrPort()
}

// Names are answered as the records say, after an address was somebody else's too, and until the server ends.
func TestServe(t *testing.T) {
	s := mem.Open(slices.Concat(tables.Schema(), elbtables.Schema()), mem.Options{})
	t.Cleanup(func() { _ = s.Close() })
	update(t, s, func(tx store.Tx) {
		tables.Namespaces.Put(tx, &cloudmap.Namespace{Home: home, ID: "ns-1", Name: "prod.local", Type: "DNS_PRIVATE", VPC: "vpc-1", SOATTL: 15})
		tables.Services.Put(tx, &cloudmap.Service{Home: home, ID: "srv-1", Namespace: "ns-1", Name: "web", Routing: "MULTIVALUE", Records: []cloudmap.Record{{Type: "A", TTL: 10}}})
		register("a", "10.0.0.4")(tx)
	})
	ctx, stop := context.WithCancel(t.Context())
	at := freeAddress(t)
	done := make(chan error, 1)
	go func() {
		done <- Serve(ctx, Config{Store: s, Listen: at, Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	}()
	for _, network := range []string{"udp", "tcp"} {
		answers(t, network, at, "10.0.0.4")
	}
	update(t, s, register("b", "10.0.0.5"))
	answers(t, "udp", at, "10.0.0.4", "10.0.0.5")
	update(t, s, func(tx store.Tx) { tables.Instances.Delete(tx, tables.InstanceKey(home, "srv-1", "a")) })
	answers(t, "udp", at, "10.0.0.5")
	l := &elb.LoadBalancer{Home: elb.Home(home), ID: "1", Scheme: "internet-facing", VPC: "vpc-1", DNSName: "Web-1.us-east-1.elb.amazonaws.com"}
	node := elb.Node{Interface: "eni-1", Private: netip.MustParseAddr("10.0.0.7"), Public: netip.MustParseAddr("198.18.0.7"), Serving: true}
	update(t, s, func(tx store.Tx) {
		elbtables.LoadBalancers.Put(tx, l)
		elbtables.Statuses.Put(tx, &elb.LoadBalancerStatus{Home: l.Home, LoadBalancer: l.ID, Nodes: []elb.Node{node}})
	})
	resolves(t, "udp", at, "web-1.us-east-1.elb.amazonaws.com.", "198.18.0.7") // who is in no VPC gets public addresses
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func answers(t *testing.T, network string, at netip.AddrPort, want ...string) {
	t.Helper()
	resolves(t, network, at, "web.prod.local.", want...)
}

// resolves waits until a name has the addresses.
func resolves(t *testing.T, network string, at netip.AddrPort, name string, want ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	r := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, at.String())
	}}
	for {
		got, err := r.LookupHost(ctx, name)
		if slices.Sort(got); err == nil && slices.Equal(got, want) {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%v %v, want %v", got, err, want)
		case <-time.After(5 * time.Millisecond):
		}
	}
}
