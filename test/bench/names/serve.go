package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"syscall"
	"time"

	resolver "github.com/berth-ecs/berth/node/dns"
	"github.com/berth-ecs/berth/nodeconf"
)

const (
	services  = 1250
	instances = 8   // of each
	churn     = 500 // a second

	zonesKept = 200
	namesKept = 250 // in each
)

func serviceName(i int) string { return fmt.Sprintf("service-%d.prod.local", i) }

func address(i, k int) string { return fmt.Sprintf("10.%d.%d.%d", 1+k, i/250, 1+i%250) }

func vpcOf() map[string]nodeconf.VPC {
	return map[string]nodeconf.VPC{"vpc": {ID: "vpc", Region: "us-east-1", CIDRs: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, DNSSupport: true, DNSHostnames: true}}
}

func zoneOf(id, name string) nodeconf.Zone {
	return nodeconf.Zone{ID: id, Name: name, VPCs: []string{"vpc"}, SOA: nodeconf.SOA{Server: "ns-1536.awsdns-00.co.uk", Mailbox: "awsdns-hostmaster.amazon.com", TTL: 15}}
}

func value(i, k int) (string, nodeconf.Value) {
	name := serviceName(i)
	return nodeconf.ValueKey("ns-0123456789abcdef", name, "A", fmt.Sprintf("srv-%016x/%032x", i, k)),
		nodeconf.Value{Zone: "ns-0123456789abcdef", Name: name, Type: "A", TTL: 60, Value: address(i, k)}
}

// resources are the names of 10,000 instances.
func resources() nodeconf.Resources {
	r := nodeconf.Resources{VPCs: vpcOf(), Zones: map[string]nodeconf.Zone{"ns-0123456789abcdef": zoneOf("ns-0123456789abcdef", "prod.local")}, Values: map[string]nodeconf.Value{}}
	for i := range services {
		for k := range instances {
			key, v := value(i, k)
			r.Values[key] = v
		}
	}
	return r
}

// manyZones are 50,000 names in 200 zones.
func manyZones() nodeconf.Resources {
	r := nodeconf.Resources{VPCs: vpcOf(), Zones: map[string]nodeconf.Zone{}, Values: map[string]nodeconf.Value{}}
	for z := range zonesKept {
		id := fmt.Sprintf("ns-%016x", z)
		r.Zones[id] = zoneOf(id, fmt.Sprintf("zone-%d.local", z))
		for n := range namesKept {
			name := fmt.Sprintf("service-%d.zone-%d.local", n, z)
			r.Values[nodeconf.ValueKey(id, name, "A", fmt.Sprintf("srv-%016x/%032x", z*namesKept+n, n))] = nodeconf.Value{Zone: id, Name: name, Type: "A", TTL: 60, Value: address(n, z)}
		}
	}
	return r
}

func server(ctx context.Context, what string, port int) error {
	s := resolver.New(resolver.Config{
		Listen: func(_ context.Context, _, network string, _ netip.AddrPort) (io.Closer, error) {
			return socket(network, port)
		},
		Log: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
	defer func() { _ = s.Close() }()
	r := resources()
	if what == "memory" {
		r = manyZones()
	}
	conf := &nodeconf.Config{} // as the node keeps it beside
	d := nodeconf.Delta{To: 1, Set: r}
	if err := conf.Apply(d); err != nil {
		return err
	}
	if err := s.Apply(ctx, d); err != nil {
		return err
	}
	begin, end := make(chan os.Signal, 1), make(chan os.Signal, 1)
	signal.Notify(begin, syscall.SIGUSR1)
	signal.Notify(end, syscall.SIGUSR2)
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-begin:
			if err := change(ctx, s, conf, end); err != nil {
				return err
			}
		}
	}
}

// change lets instances go and come back, each a change of its own, until it is told to end.
func change(ctx context.Context, s *resolver.Server, conf *nodeconf.Config, end <-chan os.Signal) error {
	tick := time.NewTicker(time.Second / churn)
	defer tick.Stop()
	for n := 0; ; n++ {
		key, v := value(n/2*7%services, n/2%instances)
		d := nodeconf.Delta{From: conf.Version, To: conf.Version + 1}
		if n%2 == 0 {
			d.Gone = []nodeconf.Key{{Kind: "Values", ID: key}}
		} else {
			d.Set.Values = map[string]nodeconf.Value{key: v}
		}
		if err := conf.Apply(d); err != nil {
			return err
		}
		if err := s.Apply(ctx, d); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-end:
			if n%2 == 1 { // all are there
				return nil
			}
		case <-tick.C:
		}
	}
}

var used = map[string]bool{}

// socket is the one at the port for the first address of a VPC's resolver, and any for its others.
func socket(network string, port int) (io.Closer, error) {
	if used[network] {
		port = 0
	}
	used[network] = true
	if network == "udp" {
		return net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
	}
	return net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
}
