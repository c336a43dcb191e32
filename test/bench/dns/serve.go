package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"

	"github.com/miekg/dns"

	resolver "github.com/berth-ecs/berth/node/dns"
	"github.com/berth-ecs/berth/nodeconf"
)

func server(ctx context.Context, name string, port int) error {
	if name == "plain" {
		return plain(port)
	}
	s := resolver.New(resolver.Config{
		Listen: func(_ context.Context, _, network string, _ netip.AddrPort) (io.Closer, error) {
			return socket(network, port)
		},
		Log: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
	defer func() { _ = s.Close() }()
	err := s.Apply(ctx, nodeconf.Delta{To: 1, Set: nodeconf.Resources{VPCs: map[string]nodeconf.VPC{"vpc": {
		ID: "vpc", Region: "us-east-1", CIDRs: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/16")}, DNSSupport: true, DNSHostnames: true,
	}}}})
	if err != nil {
		return err
	}
	<-ctx.Done()
	return nil
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

// plain is the least that the library's own server does.
func plain(port int) error {
	addrs := map[string]net.IP{}
	for i := range names {
		addr, name := host(i)
		addrs[name] = net.ParseIP(addr)
	}
	h := dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg)
		m.SetReply(q)
		if a := addrs[q.Question[0].Name]; a != nil {
			m.Answer = []dns.RR{&dns.A{Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 60}, A: a}}
		}
		_ = w.WriteMsg(m) // who asked has gone
	})
	return (&dns.Server{Addr: fmt.Sprintf("127.0.0.1:%d", port), Net: "udp", Handler: h}).ListenAndServe()
}
