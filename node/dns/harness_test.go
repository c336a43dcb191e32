package dns

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/berth-ecs/berth/nodeconf"
)

// vpcs are two with the same range, and a zone of the first.
func vpcs() nodeconf.Resources {
	ten := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/16")}
	r := nodeconf.Resources{
		VPCs: map[string]nodeconf.VPC{
			"vpc-a": {ID: "vpc-a", Region: "us-east-1", DNSSupport: true, DNSHostnames: true, CIDRs: ten},
			"vpc-b": {ID: "vpc-b", Region: "eu-west-1", DNSSupport: true, CIDRs: ten},
		},
		Zones: map[string]nodeconf.Zone{"z": {ID: "z", Name: "prod.local", VPCs: []string{"vpc-a"}, SOA: nodeconf.SOA{Server: "ns", Mailbox: "m", TTL: 15}}},
		Values: map[string]nodeconf.Value{
			"out": {Zone: "z", Name: "out.prod.local", Type: "CNAME", TTL: 30, Value: "www.example.com"},
		},
	}
	for i := range 4 {
		r.Values["big"+strconv.Itoa(i)] = nodeconf.Value{Zone: "z", Name: "big.prod.local", Type: "TXT", TTL: 30, Value: long(i)}
	}
	return r
}

func long(i int) string { return `"` + strconv.Itoa(i) + strings.Repeat("x", 249) + `"` }

// ports opens sockets on the loopback instead of in VPCs: UDP and TCP of one address at one port.
type ports struct {
	mu    sync.Mutex
	at    map[string]int
	spare map[string]io.Closer // opened with the other protocol's, and not asked for yet
}

func newPorts() *ports { return &ports{at: map[string]int{}, spare: map[string]io.Closer{}} }

func (p *ports) listen(_ context.Context, vpc, network string, at netip.AddrPort) (io.Closer, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	k := vpc + " " + at.Addr().String()
	if c := p.spare[k+network]; c != nil {
		delete(p.spare, k+network)
		return c, nil
	}
	for range 50 { // the port may be somebody's in the other protocol
		u, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			return nil, err
		}
		p.at[k] = u.LocalAddr().(*net.UDPAddr).Port
		l, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: p.at[k]})
		switch {
		case err != nil:
			_ = u.Close()
		case network == "udp":
			p.spare[k+"tcp"] = l
			return u, nil
		default:
			p.spare[k+"udp"] = u
			return l, nil
		}
	}
	return nil, fmt.Errorf("no port for %s", k)
}

// resolver is where the resolver of a VPC is asked.
func (p *ports) resolver(vpc, addr string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return fmt.Sprintf("127.0.0.1:%d", p.at[vpc+" "+addr])
}

type world struct {
	*Server
	ports    *ports
	upstream *upstream
}

func start(t testing.TB, c Config) *world {
	t.Helper()
	w := &world{ports: newPorts(), upstream: newUpstream(t)}
	if c.Listen == nil {
		c.Listen = w.ports.listen
	}
	if c.Upstream == nil {
		c.Upstream = func() []netip.AddrPort { return []netip.AddrPort{w.upstream.addr} }
	}
	c.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	w.Server = New(c)
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := w.Apply(t.Context(), nodeconf.Delta{To: 1, Set: vpcs()}); err != nil {
		t.Fatal(err)
	}
	return w
}

// upstream is a server that knows everything: 192.0.2.7. It waits while it is held.
type upstream struct {
	addr netip.AddrPort
	hold chan struct{} // nil: does not wait

	mu    sync.Mutex
	asked []string
}

func newUpstream(t testing.TB) *upstream {
	t.Helper()
	u := &upstream{}
	p := newPorts()
	c, err := p.listen(t.Context(), "", "udp", netip.AddrPort{})
	if err != nil {
		t.Fatal(err)
	}
	pc := c.(*net.UDPConn)
	var l net.Listener
	for _, c := range p.spare {
		l = c.(net.Listener)
	}
	u.addr = pc.LocalAddr().(*net.UDPAddr).AddrPort()
	for _, s := range []*dns.Server{{PacketConn: pc, Handler: u}, {Listener: l, Handler: u}} {
		up := make(chan struct{})
		s.NotifyStartedFunc = func() { close(up) }
		go func() { _ = s.ActivateAndServe() }()
		<-up
		t.Cleanup(func() { _ = s.Shutdown() })
	}
	return u
}

// ServeDNS implements dns.Handler.
func (u *upstream) ServeDNS(w dns.ResponseWriter, q *dns.Msg) {
	u.mu.Lock()
	u.asked = append(u.asked, q.Question[0].Name)
	hold := u.hold
	u.mu.Unlock()
	if hold != nil {
		<-hold
	}
	m := new(dns.Msg)
	m.SetReply(q)
	name := q.Question[0].Name
	switch {
	case strings.HasPrefix(name, "none."):
		m.Rcode = dns.RcodeNameError
		m.Ns = append(m.Ns, record(name+" 30 IN SOA ns. m. 1 2 3 4 30"))
	case strings.HasPrefix(name, "long."):
		for i := range 60 {
			m.Answer = append(m.Answer, record(fmt.Sprintf("%s 60 IN A 192.0.2.%d", name, i)))
		}
		if w.LocalAddr().Network() == "udp" {
			m.Truncate(512)
		}
	case q.Question[0].Qtype == dns.TypeA:
		m.Answer = append(m.Answer, record(name+" 60 IN A 192.0.2.7"))
	}
	_ = w.WriteMsg(m)
}

func (u *upstream) all() []string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.Clone(u.asked)
}

func record(s string) dns.RR {
	rr, err := dns.NewRR(s)
	if err != nil {
		panic(err)
	}
	return rr
}

// ask asks the resolver at base + 2 of a VPC, by another library's client.
func (w *world) ask(t testing.TB, vpc, network, question string) string {
	t.Helper()
	m, err := w.exchange(t.Context(), vpc, network, question)
	if err != nil {
		t.Fatalf("%s: %v", question, err)
	}
	parts := []string{dns.RcodeToString[m.Rcode]}
	if m.Truncated {
		parts = append(parts, "truncated")
	}
	for _, rr := range m.Answer {
		parts = append(parts, strings.Join(strings.Fields(rr.String()), " "))
	}
	return strings.Join(parts, " | ")
}

func (w *world) exchange(ctx context.Context, vpc, network, question string) (*dns.Msg, error) {
	name, kind, _ := strings.Cut(question, " ")
	m := new(dns.Msg)
	m.SetQuestion(dns.Fqdn(name), dns.StringToType[kind])
	c := &dns.Client{Net: network, Timeout: time.Minute}
	got, _, err := c.ExchangeContext(ctx, m, w.ports.resolver(vpc, "10.0.0.2"))
	return got, err
}
