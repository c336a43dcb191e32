package router

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	mrand "math/rand/v2"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/berth-ecs/berth/node/network/netspace/spacetest"
	"github.com/berth-ecs/berth/nodeconf"
	"github.com/berth-ecs/berth/test/audit/inventory"
)

const (
	patience = 30 * time.Second
	moment   = 250 * time.Millisecond // long enough for what would arrive
)

// needRoot skips what only a real kernel can answer.
func needRoot(t testing.TB) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root: makes namespaces, links and nftables rules")
	}
}

// testConfig is an installation of the test's own: name, pool and run directory.
func testConfig(t testing.TB) Config {
	t.Helper()
	needRoot(t)
	var b [3]byte
	if _, err := rand.Read(b[:]); err != nil {
		t.Fatal(err)
	}
	pool := netip.PrefixFrom(netip.AddrFrom4([4]byte{198, 19, byte(mrand.IntN(256)), byte(mrand.IntN(16) * 16)}), 28)
	return Config{Name: "r" + hex.EncodeToString(b[:]), RunDir: t.TempDir(), PublicPool: pool, Log: slog.New(slog.NewTextHandler(t.Output(), nil))}
}

// open starts the routers of a new installation and destroys them after the test.
func open(t testing.TB) *Routers {
	t.Helper()
	return openWith(t, testConfig(t))
}

func openWith(t testing.TB, c Config) *Routers {
	t.Helper()
	for range 20 { // another test may have the pool
		r, err := Open(t.Context(), c)
		if err == nil {
			t.Cleanup(func() { destroy(t, r) })
			return r
		}
		if !strings.Contains(err.Error(), "overlaps") {
			t.Fatal(err)
		}
		c.PublicPool = testConfig(t).PublicPool
	}
	t.Fatal("no pool is free")
	return nil
}

// destroy removes the installation and has the independent audit confirm that nothing of it stays.
func destroy(t testing.TB, r *Routers) {
	t.Helper()
	_ = r.Close()
	if err := Remove(context.Background(), r.cfg); err != nil {
		t.Errorf("remove: %v", err)
	}
	for _, finding := range inventory.Empty(audit(t, r)) {
		t.Error(finding)
	}
}

func audit(t testing.TB, r *Routers) inventory.Inventory {
	t.Helper()
	v, err := inventory.Take(context.Background(), inventory.Options{Name: r.cfg.Name, RunDir: r.cfg.RunDir, DataDir: r.cfg.RunDir + "/data"})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// settle returns when every link that was to be deleted is.
func settle(t testing.TB, r *Routers) {
	t.Helper()
	if err := r.dispose(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// net4 is a configuration in the making.
type net4 struct {
	nodeconf.Config
	serial int
}

const anywhere = "0.0.0.0/0"

// newNet has a VPC with two subnets whose ACL lets everything pass, and an internet gateway.
func newNet(vpc string, cidr string) *net4 {
	n := &net4{}
	n.Version = 1
	n.VPCs, n.Subnets, n.Interfaces = map[string]nodeconf.VPC{}, map[string]nodeconf.Subnet{}, map[string]nodeconf.Interface{}
	n.Groups, n.Members, n.ACLs = map[string]nodeconf.Group{}, map[string]nodeconf.Member{}, map[string]nodeconf.ACL{}
	n.RouteTables, n.NATs = map[string]nodeconf.RouteTable{}, map[string]nodeconf.NAT{}
	n.addVPC(vpc, cidr)
	return n
}

func (n *net4) addVPC(vpc, cidr string) {
	p := netip.MustParsePrefix(cidr)
	n.VPCs[vpc] = nodeconf.VPC{ID: vpc, Net: uint32(len(n.VPCs) + 1), Region: "us-east-1", CIDRs: []netip.Prefix{p}, DNSSupport: true, Gateway: "igw-" + vpc}
	open := nodeconf.Entry{Number: 100, Match: nodeconf.Match{Protocol: -1, From: -1, To: -1}, CIDR: netip.MustParsePrefix(anywhere), Allow: true}
	n.ACLs["acl-"+vpc] = nodeconf.ACL{ID: "acl-" + vpc, VPC: vpc, Ingress: []nodeconf.Entry{open}, Egress: []nodeconf.Entry{open}}
	n.RouteTables["rtb-"+vpc] = nodeconf.RouteTable{ID: "rtb-" + vpc, VPC: vpc, Routes: []nodeconf.Route{
		{Destination: netip.MustParsePrefix(anywhere), Kind: nodeconf.ToInternet, Target: "igw-" + vpc}}}
	b := p.Addr().As4()
	for i, name := range []string{"a", "b"} {
		b[2] = byte(i + 1)
		cidr := netip.PrefixFrom(netip.AddrFrom4(b), 24)
		n.Subnets[vpc+name] = nodeconf.Subnet{ID: vpc + name, VPC: vpc, CIDR: cidr, Gateway: cidr.Addr().Next(), ACL: "acl-" + vpc, RouteTable: "rtb-" + vpc}
	}
	n.group(vpc, "sg-"+vpc, allow(-1, -1, -1, anywhere))
}

func allow(proto, from, to int32, peer string) nodeconf.Allow {
	a := nodeconf.Allow{Match: nodeconf.Match{Protocol: proto, From: from, To: to}}
	if strings.HasPrefix(peer, "sg-") {
		a.Group = peer
		return a
	}
	p := netip.MustParsePrefix(peer)
	b := p.Addr().As4()
	for i := p.Bits(); i < 32; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	a.First, a.Last = p.Addr(), netip.AddrFrom4(b)
	return a
}

// group lets everything out, and in what it is told.
func (n *net4) group(vpc, id string, in ...nodeconf.Allow) {
	n.Groups[id] = nodeconf.Group{ID: id, VPC: vpc, Ingress: in, Egress: []nodeconf.Allow{allow(-1, -1, -1, anywhere)}}
}

// iface adds an interface to subnet a or b of a VPC.
func (n *net4) iface(id, subnet string, groups ...string) nodeconf.Interface {
	s := n.Subnets[subnet]
	n.serial++
	b := s.CIDR.Addr().As4()
	b[3] = byte(9 + n.serial)
	if len(groups) == 0 {
		groups = []string{"sg-" + s.VPC}
	}
	i := nodeconf.Interface{
		ID: id, VPC: s.VPC, Subnet: subnet, MAC: fmt.Sprintf("02:00:00:00:%02x:%02x", len(n.VPCs), n.serial), MTU: 9001,
		Addresses: []netip.Addr{netip.AddrFrom4(b)}, Groups: groups, SourceCheck: true,
	}
	n.Interfaces[id] = i
	for _, g := range groups {
		n.member(g, i)
	}
	return i
}

func (n *net4) member(group string, i nodeconf.Interface) {
	for _, a := range i.Addresses {
		n.Members[nodeconf.MemberKey(group, a)] = nodeconf.Member{Group: group, Addr: a}
	}
}

// public gives an interface's first address a public one.
func (n *net4) public(id string, a netip.Addr) {
	i := n.Interfaces[id]
	i.Public = []nodeconf.Public{{Private: i.Addresses[0], Public: a}}
	n.Interfaces[id] = i
}

// apply brings the routers to the configuration by the change from the last one, and wants everything to work.
func (n *net4) apply(t testing.TB, r *Routers) {
	t.Helper()
	n.Version++
	report, err := r.ApplyConfig(t.Context(), &n.Config)
	if err != nil {
		t.Fatal(err)
	}
	for id, why := range report.Failed {
		t.Fatalf("%s: %v", id, why)
	}
}

func wait(t testing.TB, r *Routers, id string) Endpoint {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	e, err := r.Wait(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// wantAnswer fails the test unless name answers.
func wantAnswer(t testing.TB, e Endpoint, proto, addr, name string) (saw string) {
	t.Helper()
	got, saw, err := spacetest.Ask(e.Netns, proto, addr, patience)
	if err != nil || got != name {
		t.Fatalf("from %s, %s %s: answer %q, error %v; want %q", e.ID, proto, addr, got, err, name)
	}
	return saw
}

// wantSilence fails the test when somebody answers within a moment.
func wantSilence(t testing.TB, e Endpoint, proto, addr string) {
	t.Helper()
	got, _, err := spacetest.Ask(e.Netns, proto, addr, moment)
	if err == nil {
		t.Fatalf("from %s, %s %s: %q answered; want silence", e.ID, proto, addr, got)
	}
}

func at(e Endpoint, port int) string {
	return netip.AddrPortFrom(e.Addresses[0], uint16(port)).String()
}
