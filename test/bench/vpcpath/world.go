package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"

	"github.com/berth-ecs/berth/node/network/netspace"
	"github.com/berth-ecs/berth/node/network/router"
	"github.com/berth-ecs/berth/nodeconf"
)

// world is an installation with a VPC of two subnets, with network ACLs and groups, and a plain pair of links beside it.
type world struct {
	cfg     router.Config
	r       *router.Routers
	conf    nodeconf.Config
	plain   [2]netns.NsHandle // connected by a plain pair
	large   [2]netns.NsHandle // and by one that takes segments as large as an interface does
	address netip.Addr        // of the server of either
}

const (
	manyRules     = 30000
	largeSegments = 192 << 10
)

func build(ctx context.Context) (*world, error) {
	var b [3]byte
	_, _ = rand.Read(b[:]) // it does not fail
	dir, err := os.MkdirTemp("", "vpcpath")
	if err != nil {
		return nil, fmt.Errorf("run directory: %w", err)
	}
	w := &world{cfg: router.Config{Name: "v" + hex.EncodeToString(b[:]), RunDir: dir, PublicPool: netip.MustParsePrefix("198.19.255.0/28")}}
	if w.r, err = router.Open(ctx, w.cfg); err != nil {
		return w, fmt.Errorf("open: %w", err)
	}
	w.describe()
	if err := w.apply(ctx); err != nil {
		return w, err
	}
	w.address = netip.MustParseAddr("10.9.0.2")
	return w, errors.Join(pair(&w.plain, 0), pair(&w.large, largeSegments))
}

func (w *world) close(ctx context.Context) error {
	var err error
	if w.r != nil {
		err = w.r.Destroy(ctx)
	}
	for _, ns := range slices.Concat(w.plain[:], w.large[:]) {
		if ns > 0 {
			_ = ns.Close()
		}
	}
	return errors.Join(err, os.RemoveAll(w.cfg.RunDir))
}

func prefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }

// describe is the configuration: the ACLs have a few entries that do not match, and the groups a few rules.
func (w *world) describe() {
	entry := func(number, proto, from, to int32, cidr string, allow bool) nodeconf.Entry {
		return nodeconf.Entry{Number: number, Match: nodeconf.Match{Protocol: proto, From: from, To: to}, CIDR: prefix(cidr), Allow: allow}
	}
	entries := []nodeconf.Entry{
		entry(10, 6, 22, 22, "192.0.2.0/24", false), entry(20, 17, 53, 53, "192.0.2.0/24", false),
		entry(100, 6, 1, 65535, "10.0.0.0/8", true), entry(200, -1, -1, -1, "0.0.0.0/0", true),
	}
	acl := nodeconf.ACL{ID: "acl-1", VPC: "vpc-1", Ingress: entries, Egress: entries}
	w.conf = nodeconf.Config{Version: 1, Resources: nodeconf.Resources{
		VPCs: map[string]nodeconf.VPC{"vpc-1": {ID: "vpc-1", Net: 0xbe, CIDRs: []netip.Prefix{prefix("10.0.0.0/16")}}},
		Subnets: map[string]nodeconf.Subnet{
			"a": {ID: "a", VPC: "vpc-1", CIDR: prefix("10.0.1.0/24"), Gateway: netip.MustParseAddr("10.0.1.1"), ACL: "acl-1", RouteTable: "rtb-1"},
			"b": {ID: "b", VPC: "vpc-1", CIDR: prefix("10.0.2.0/24"), Gateway: netip.MustParseAddr("10.0.2.1"), ACL: "acl-1", RouteTable: "rtb-1"},
		},
		ACLs:        map[string]nodeconf.ACL{"acl-1": acl},
		RouteTables: map[string]nodeconf.RouteTable{"rtb-1": {ID: "rtb-1", VPC: "vpc-1"}},
		Groups: map[string]nodeconf.Group{
			"sg-few": group("sg-few", 10), "sg-many": group("sg-many", manyRules), "sg-turn": group("sg-turn", 10),
		},
		Interfaces: map[string]nodeconf.Interface{},
	}}
	w.iface("client", "a", 10, "sg-few")
	w.iface("few", "b", 10, "sg-few")
	w.iface("again", "b", 13, "sg-few")
	w.iface("many", "b", 11, "sg-many")
	w.iface("turn", "b", 12, "sg-turn", "sg-many")
}

// group lets everything out, and in by a number of rules of which only the last matches: port 80 from the client.
func group(id string, rules int) nodeconf.Group {
	g := nodeconf.Group{ID: id, VPC: "vpc-1", Egress: []nodeconf.Allow{rule(-1, -1, "0.0.0.0", "255.255.255.255")}}
	for i := range rules - 1 {
		a := netip.AddrFrom4([4]byte{172, byte(16 + i>>16), byte(i >> 8), byte(i)}).String()
		g.Ingress = append(g.Ingress, rule(6, int32(1000+i%100), a, a))
	}
	g.Ingress = append(g.Ingress, rule(6, 80, "10.0.1.0", "10.0.1.255"))
	return g
}

func rule(proto, port int32, first, last string) nodeconf.Allow {
	return nodeconf.Allow{Match: nodeconf.Match{Protocol: proto, From: port, To: port}, First: netip.MustParseAddr(first), Last: netip.MustParseAddr(last)}
}

func (w *world) iface(id, subnet string, host byte, groups ...string) {
	b := w.conf.Subnets[subnet].CIDR.Addr().As4()
	b[3] = host
	w.conf.Interfaces[id] = nodeconf.Interface{
		ID: id, VPC: "vpc-1", Subnet: subnet, MAC: fmt.Sprintf("02:00:00:00:%02x:%02x", b[2], host), MTU: 9001,
		Addresses: []netip.Addr{netip.AddrFrom4(b)}, Groups: groups, SourceCheck: true,
	}
}

func (w *world) apply(ctx context.Context) error {
	w.conf.Version++
	report, err := w.r.ApplyConfig(ctx, &w.conf)
	for id, why := range report.Failed {
		err = errors.Join(err, fmt.Errorf("%s: %w", id, why))
	}
	return err
}

// change is apply for what a server sends: the change alone.
func (w *world) change(ctx context.Context, set nodeconf.Resources, gone ...nodeconf.Key) error {
	d := nodeconf.Delta{From: w.conf.Version, To: w.conf.Version + 1, Set: set, Gone: gone}
	if err := w.conf.Apply(d); err != nil {
		return fmt.Errorf("change: %w", err)
	}
	report, err := w.r.Apply(ctx, d)
	for id, why := range report.Failed {
		err = errors.Join(err, fmt.Errorf("%s: %w", id, why))
	}
	return err
}

// pair connects two namespaces by nothing but a link.
func pair(spaces *[2]netns.NsHandle, segments uint32) error {
	if err := pairOf(spaces, "eth0", 9001, segments); err != nil {
		return err
	}
	for i, ns := range spaces {
		if err := address(ns, "eth0", netip.AddrFrom4([4]byte{10, 9, 0, byte(i + 1)})); err != nil {
			return err
		}
	}
	return nil
}

func pairOf(spaces *[2]netns.NsHandle, name string, mtu int, segments uint32) error {
	for i := range spaces {
		ns, err := netspace.New(func(netns.NsHandle) error { return nil })
		if err != nil {
			return fmt.Errorf("plain namespace: %w", err)
		}
		spaces[i] = ns
	}
	h, err := netlink.NewHandleAt(spaces[0])
	if err != nil {
		return fmt.Errorf("netlink: %w", err)
	}
	defer h.Close()
	veth := &netlink.Veth{
		LinkAttrs: netlink.LinkAttrs{Name: name, MTU: mtu, TxQLen: -1, GSOIPv4MaxSize: segments},
		PeerName:  name, PeerMTU: uint32(mtu), PeerNamespace: netlink.NsFd(spaces[1]),
	}
	if err := h.LinkAdd(veth); err != nil {
		return fmt.Errorf("plain pair: %w", err)
	}
	return nil
}

func address(ns netns.NsHandle, name string, a netip.Addr) error {
	h, err := netlink.NewHandleAt(ns)
	if err != nil {
		return fmt.Errorf("netlink: %w", err)
	}
	defer h.Close()
	link, err := h.LinkByName(name)
	if err == nil {
		err = h.LinkSetUp(link)
	}
	if err == nil {
		var n *netlink.Addr
		if n, err = netlink.ParseAddr(a.String() + "/24"); err == nil {
			err = h.AddrAdd(link, n)
		}
	}
	if err != nil {
		return fmt.Errorf("plain link: %w", err)
	}
	return nil
}

func path(ns netns.NsHandle) string { return fmt.Sprintf("/proc/self/fd/%d", int(ns)) }
