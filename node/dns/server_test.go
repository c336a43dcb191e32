package dns

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/berth-ecs/berth/node/dns/view"
	"github.com/berth-ecs/berth/node/hold"
	"github.com/berth-ecs/berth/nodeconf"
)

func TestServerAnswers(t *testing.T) {
	t.Parallel()
	w := start(t, Config{})
	for _, c := range []struct{ vpc, network, question, want string }{
		{"vpc-a", "udp", "ip-10-0-0-5.ec2.internal A", "NOERROR | ip-10-0-0-5.ec2.internal. 60 IN A 10.0.0.5"},
		{"vpc-b", "tcp", "5.0.0.10.in-addr.arpa PTR", "NOERROR | 5.0.0.10.in-addr.arpa. 60 IN PTR ip-10-0-0-5.eu-west-1.compute.internal."},
		{"vpc-a", "udp", "www.Example.com A", "NOERROR | www.Example.com. 60 IN A 192.0.2.7"},
		{"vpc-a", "tcp", "www.example.com A", "NOERROR | www.example.com. 60 IN A 192.0.2.7"},
		{"vpc-a", "udp", "none.example.com A", "NXDOMAIN"},
		{"vpc-a", "udp", "out.prod.local A", "NOERROR | out.prod.local. 30 IN CNAME www.example.com. | www.example.com. 60 IN A 192.0.2.7"},
		{"vpc-b", "tcp", "out.prod.local A", "NOERROR | out.prod.local. 60 IN A 192.0.2.7"}, // not its zone
		{"vpc-a", "udp", "7.0.9.10.in-addr.arpa PTR", "NXDOMAIN"},
	} {
		if got := w.ask(t, c.vpc, c.network, c.question); got != c.want {
			t.Errorf("%s by %s in %s: %s, want %s", c.question, c.network, c.vpc, got, c.want)
		}
	}
	asked := w.upstream.all()
	for _, name := range asked {
		if strings.HasSuffix(name, ".arpa.") || strings.HasSuffix(name, ".internal.") {
			t.Errorf("%s was asked outside", name)
		}
	}
	if n := len(slices.DeleteFunc(slices.Clone(asked), func(n string) bool { return n != "www.example.com." })); n != 1 {
		t.Errorf("one name was asked %d times outside", n)
	}
}

func TestLongAnswersGoByTCP(t *testing.T) {
	t.Parallel()
	w := start(t, Config{})
	for question, whole := range map[string]int{"big.prod.local TXT": 4, "long.example.com A": 60} {
		short, err := w.exchange(t.Context(), "vpc-a", "udp", question)
		if err != nil || !short.Truncated || len(short.Answer) == 0 || len(short.Answer) >= whole {
			t.Errorf("%s by UDP: %v, %v", question, short, err)
		}
		all, err := w.exchange(t.Context(), "vpc-a", "tcp", question)
		if err != nil || all.Truncated || len(all.Answer) != whole {
			t.Errorf("%s by TCP: %v, %v", question, all, err)
		}
	}
}

// alone is a server that is told of no VPC at first, asked at one address by the id of what it answers as.
func alone(t *testing.T, id string, c Config) *world {
	t.Helper()
	w := &world{ports: newPorts(), upstream: newUpstream(t)}
	c.Listen, c.Upstream = w.ports.listen, func() []netip.AddrPort { return []netip.AddrPort{w.upstream.addr} }
	c.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	w.Server = New(c)
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := w.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.ports.mu.Lock()
	w.ports.at["vpc-m 10.0.0.2"] = w.ports.at[id+" 169.254.170.2"] // where ask looks
	w.ports.mu.Unlock()
	return w
}

var aside = netip.MustParseAddrPort("169.254.170.2:53")

// The machine's resolver answers from its beginning: at first what others know, then what its VPC's does.
func TestMachineIsAnswered(t *testing.T) {
	t.Parallel()
	w := alone(t, view.Machine, Config{Machine: aside})
	if got, want := w.ask(t, "vpc-m", "udp", "web.prod.local A"), "NOERROR | web.prod.local. 60 IN A 192.0.2.7"; got != want {
		t.Errorf("at first: %s, want %s", got, want)
	}
	r := vpcs()
	r.Homes = map[string]nodeconf.Home{"0/us-east-1": {VPC: r.VPCs["vpc-a"]}}
	delete(r.VPCs, "vpc-a")
	for version := range int64(2) {
		if err := w.Apply(t.Context(), nodeconf.Delta{To: version + 1, Set: r}); err != nil {
			t.Fatal(err)
		}
	}
	for _, network := range []string{"udp", "tcp"} {
		if got, want := w.ask(t, "vpc-m", network, "ip-10-0-0-5.ec2.internal A"), "NOERROR | ip-10-0-0-5.ec2.internal. 60 IN A 10.0.0.5"; got != want {
			t.Errorf("by %s: %s, want %s", network, got, want)
		}
		if got, want := w.ask(t, "vpc-m", network, "out.prod.local A"), "NOERROR | out.prod.local. 30 IN CNAME www.example.com. | www.example.com. 60 IN A 192.0.2.7"; got != want {
			t.Errorf("by %s: %s, want %s", network, got, want)
		}
	}
}

// Who is in no VPC is answered zones, never asks others through us, and gets no datagram longer than a packet.
func TestEverythingIsAnswered(t *testing.T) {
	t.Parallel()
	w := alone(t, view.Everything, Config{Everything: aside})
	if got := w.ask(t, "vpc-m", "udp", "out.prod.local A"); got != "REFUSED" {
		t.Errorf("at first: %s", got)
	}
	r := vpcs()
	r.VPCs = nil
	for i := range 8 {
		r.Values["long"+strconv.Itoa(i)] = nodeconf.Value{Zone: "z", Name: "long.prod.local", Type: "TXT", TTL: 30, Value: long(i)}
	}
	if err := w.Apply(t.Context(), nodeconf.Delta{To: 1, Set: r}); err != nil {
		t.Fatal(err)
	}
	for question, want := range map[string]string{
		"out.prod.local A": "NOERROR | out.prod.local. 30 IN CNAME www.example.com.", "none.prod.local A": "NXDOMAIN", "www.example.com A": "REFUSED",
		"5.0.0.10.in-addr.arpa PTR": "REFUSED", "prod.local AXFR": "REFUSED",
	} {
		if got := w.ask(t, "vpc-m", "udp", question); got != want {
			t.Errorf("%s: %s, want %s", question, got, want)
		}
	}
	if asked := w.upstream.all(); len(asked) > 0 {
		t.Errorf("asked others: %v", asked)
	}
	m := new(dns.Msg)
	m.SetQuestion("long.prod.local.", dns.TypeTXT)
	m.SetEdns0(65000, false)
	c := &dns.Client{UDPSize: 65000}
	reply, _, err := c.Exchange(m, w.ports.resolver("vpc-m", "10.0.0.2"))
	if err != nil || !reply.Truncated || reply.Len() > maxOutside {
		t.Errorf("%v of %d bytes, %v", reply, reply.Len(), err)
	}
}

// Go's own resolver, which asks for A and AAAA at a time and takes TCP when told to.
func TestGoResolves(t *testing.T) {
	t.Parallel()
	w := start(t, Config{})
	r := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, w.ports.resolver("vpc-a", "169.254.169.253"))
	}}
	for host, want := range map[string]string{
		"ip-10-0-0-5.ec2.internal.": "[10.0.0.5]", "out.prod.local.": "[192.0.2.7]", "localhost.localhost.": "[127.0.0.1 ::1]",
	} {
		addrs, err := r.LookupNetIP(t.Context(), "ip", host)
		slices.SortFunc(addrs, netip.Addr.Compare)
		if got := fmt.Sprint(addrs); err != nil || got != want {
			t.Errorf("%s: %s %v, want %s", host, got, err, want)
		}
	}
	names, err := r.LookupAddr(t.Context(), "10.0.0.5")
	if err != nil || fmt.Sprint(names) != "[ip-10-0-0-5.ec2.internal.]" {
		t.Errorf("reverse: %v %v", names, err)
	}
	if txt, err := r.LookupTXT(t.Context(), "big.prod.local."); err != nil || len(txt) != 4 {
		t.Errorf("TXT: %d %v", len(txt), err)
	}
	_, err = r.LookupHost(t.Context(), "none.prod.local.")
	if e, ok := errors.AsType[*net.DNSError](err); !ok || !e.IsNotFound {
		t.Errorf("a name that is not there: %v", err)
	}
}

// Questions of one connection are answered when their answers are known, not in their order.
func TestPipelinedQuestions(t *testing.T) {
	t.Parallel()
	w := start(t, Config{})
	w.upstream.mu.Lock()
	w.upstream.hold = make(chan struct{})
	hold := w.upstream.hold
	w.upstream.mu.Unlock()
	c, err := net.Dial("tcp", w.ports.resolver("vpc-a", "10.0.0.2"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for i, name := range []string{"slow.example.com.", "ip-10-0-0-1.ec2.internal.", "ip-10-0-0-2.ec2.internal."} {
		m := new(dns.Msg)
		m.SetQuestion(name, dns.TypeA)
		m.Id = uint16(i)
		raw, err := m.Pack()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(raw))), raw...)); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []uint16{1, 2, 0} {
		if want == 0 {
			close(hold)
		}
		got, err := (&dns.Conn{Conn: c}).ReadMsg()
		if err != nil || got.Id != want || len(got.Answer) != 1 {
			t.Fatalf("%v %v, want the answer to %d", got, err, want)
		}
	}
}

// One address has all its places taken: it waits, the others do not.
func TestOneCannotTakeAllPlaces(t *testing.T) {
	t.Parallel()
	w := start(t, Config{Limits: Limits{WaitingEach: 3, Waiting: 5}})
	hold := make(chan struct{})
	w.upstream.mu.Lock()
	w.upstream.hold = hold
	w.upstream.mu.Unlock()
	pc, err := net.Dial("udp", w.ports.resolver("vpc-a", "10.0.0.2"))
	if err != nil {
		t.Fatal(err)
	}
	defer pc.Close()
	for i := range 50 {
		m := new(dns.Msg)
		m.SetQuestion(fmt.Sprintf("n%d.example.com.", i), dns.TypeA)
		raw, err := m.Pack()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := pc.Write(raw); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.ask(t, "vpc-a", "udp", "ip-10-0-0-5.ec2.internal A"); !strings.HasPrefix(got, "NOERROR") { // read after all of them
		t.Error(got)
	}
	w.mu.Lock()
	places := w.vpcs["vpc-a"].waiting
	w.mu.Unlock()
	one, two := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	first, second, third := places.enter(one), places.enter(one), places.enter(two)
	if !first || !second || third {
		t.Errorf("places: %d of %v", places.n, places.by)
	}
	places.leave(netip.MustParseAddr("192.0.2.1"))
	places.leave(netip.MustParseAddr("192.0.2.1"))
	close(hold)
}

// A resolver whose upstream is itself says so instead of asking for ever.
func TestLoop(t *testing.T) {
	t.Parallel()
	var own atomic.Value
	w := start(t, Config{Upstream: func() []netip.AddrPort { return []netip.AddrPort{own.Load().(netip.AddrPort)} }})
	own.Store(netip.MustParseAddrPort(w.ports.resolver("vpc-a", "10.0.0.2")))
	if got := w.ask(t, "vpc-a", "udp", "www.example.com A"); got != "SERVFAIL" {
		t.Error(got)
	}
}

func TestWhatIsNoQuestion(t *testing.T) {
	t.Parallel()
	w := start(t, Config{})
	c, err := net.Dial("udp", w.ports.resolver("vpc-a", "10.0.0.2"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, p := range [][]byte{{}, {1, 2, 3}, make([]byte, 5000), append([]byte{9, 9, 0x80}, make([]byte, 20)...), {7, 7, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0}} {
		if _, err := c.Write(p); err != nil {
			t.Fatal(err)
		}
	}
	b := make([]byte, 512)
	if err := c.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	n, err := c.Read(b)
	if err != nil || n != 12 || b[0] != 7 || b[3]&15 != dns.RcodeFormatError {
		t.Errorf("%x %v: only the last is answered, with a format error", b[:n], err)
	}
	for _, change := range []struct {
		name string
		f    func(*dns.Msg)
		want int
	}{
		{"class", func(m *dns.Msg) { m.Question[0].Qclass = dns.ClassCHAOS }, dns.RcodeRefused},
		{"transfer", func(m *dns.Msg) { m.Question[0].Qtype = dns.TypeAXFR }, dns.RcodeRefused},
		{"opcode", func(m *dns.Msg) { m.Opcode = dns.OpcodeUpdate }, dns.RcodeNotImplemented},
		{"version", func(m *dns.Msg) { m.SetEdns0(1232, false); m.IsEdns0().SetVersion(1) }, dns.RcodeBadVers},
	} {
		m := new(dns.Msg)
		m.SetQuestion("example.com.", dns.TypeA)
		change.f(m)
		got, err := dns.Exchange(m, w.ports.resolver("vpc-a", "10.0.0.2"))
		if err != nil || got.Rcode != change.want {
			t.Errorf("%s: %v %v", change.name, got, err)
		}
	}
}

// A VPC whose DNS support is taken away is not answered; one that has it again is.
func TestSocketsFollowTheConfiguration(t *testing.T) {
	t.Parallel()
	w := start(t, Config{})
	set := func(to int64, change func(*nodeconf.VPC)) {
		t.Helper()
		v := vpcs().VPCs["vpc-a"]
		change(&v)
		d := nodeconf.Delta{From: to - 1, To: to, Set: nodeconf.Resources{VPCs: map[string]nodeconf.VPC{"vpc-a": v}}}
		if err := w.Apply(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	open := func() int {
		w.mu.Lock()
		defer w.mu.Unlock()
		return len(w.sockets)
	}
	if n := open(); n != 8 {
		t.Errorf("%d sockets of two VPCs", n)
	}
	set(2, func(v *nodeconf.VPC) { v.DNSSupport = false })
	if n := open(); n != 4 {
		t.Errorf("%d sockets of one VPC", n)
	}
	set(3, func(v *nodeconf.VPC) { v.CIDRs6 = []netip.Prefix{netip.MustParsePrefix("2001:db8::/56")} })
	if n := open(); n != 10 {
		t.Errorf("%d sockets, six of one VPC", n)
	}
	if got := w.ask(t, "vpc-a", "udp", "ip-10-0-0-5.ec2.internal A"); !strings.HasPrefix(got, "NOERROR") {
		t.Error(got)
	}
	if err := w.Apply(t.Context(), nodeconf.Delta{To: 4}); err != nil || open() != 0 || len(w.vpcs) != 0 {
		t.Errorf("of nothing: %v, %d sockets", err, open())
	}
}

// A socket that cannot be opened is told of, and opened by a later Sync; the others work meanwhile.
func TestSyncTriesAgain(t *testing.T) {
	t.Parallel()
	p, broken := newPorts(), true
	s := New(Config{Log: start(t, Config{}).c.Log, Listen: func(ctx context.Context, vpc, network string, at netip.AddrPort) (io.Closer, error) {
		if broken && vpc == "vpc-a" {
			return nil, errors.New("no namespace yet")
		}
		return p.listen(ctx, vpc, network, at)
	}})
	defer s.Close()
	if err := s.Apply(t.Context(), nodeconf.Delta{To: 1, Set: vpcs()}); err == nil || len(s.sockets) != 4 {
		t.Errorf("%v, %d sockets", err, len(s.sockets))
	}
	broken = false
	if err := s.Sync(t.Context()); err != nil || len(s.sockets) != 8 {
		t.Errorf("%v, %d sockets", err, len(s.sockets))
	}
}

// drawer keeps sockets as another process would: by their descriptors.
type drawer map[string]*os.File

func (d drawer) KeepSocket(_ context.Context, key string, s io.Closer) (err error) {
	d[key], err = s.(interface{ File() (*os.File, error) }).File()
	return err
}

func (d drawer) Socket(_ context.Context, key string) (io.Closer, error) {
	f := d[key]
	switch {
	case f == nil:
		return nil, nil
	case strings.Contains(key, "/udp/"):
		c, err := net.FilePacketConn(f)
		if err != nil {
			return nil, err
		}
		return c.(*net.UDPConn), nil
	}
	l, err := net.FileListener(f)
	if err != nil {
		return nil, err
	}
	return l.(*net.TCPListener), nil
}

func (d drawer) Forget(_ context.Context, key string) error {
	f := d[key]
	delete(d, key)
	return f.Close()
}

func (d drawer) Kept(context.Context) ([]string, error) { return slices.Collect(maps.Keys(d)), nil }

var _ Keeper = (*hold.Client)(nil)

// What is asked while the process is replaced is answered by the next one.
func TestKeptSockets(t *testing.T) {
	t.Parallel()
	d := drawer{}
	first := start(t, Config{Keeper: d})
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	m := new(dns.Msg)
	m.SetQuestion("ip-10-0-0-5.ec2.internal.", dns.TypeA)
	conns := map[string]*dns.Conn{}
	for _, network := range []string{"udp", "tcp"} {
		c, err := dns.DialTimeout(network, first.ports.resolver("vpc-a", "10.0.0.2"), time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := c.WriteMsg(m); err != nil {
			t.Fatal(err)
		}
		conns[network] = c
	}
	left, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer left.Close()
	for _, key := range []string{"dns/vpc-gone/udp/10.0.0.2:53", "metadata"} {
		if err := d.KeepSocket(t.Context(), key, left); err != nil {
			t.Fatal(err)
		}
	}
	second := start(t, Config{Keeper: d, Listen: func(context.Context, string, string, netip.AddrPort) (io.Closer, error) {
		return nil, errors.New("everything is kept")
	}})
	for network, c := range conns {
		if got, err := c.ReadMsg(); err != nil || len(got.Answer) != 1 {
			t.Errorf("%s: %v %v", network, got, err)
		}
	}
	if err := second.Apply(t.Context(), nodeconf.Delta{To: 2}); err != nil || len(d) != 1 || d["metadata"] == nil {
		t.Errorf("%v; %v are kept when nothing is wanted", err, d)
	}
}
