package router

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/node/network/netspace/spacetest"
	ec2 "github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/vpc/compile"
	"github.com/berth-ecs/berth/vpc/path"
)

// `berth vpc explain` says of random networks what the kernel does with them: a explained is answered exactly when it says "open".
func TestExplainAsTheKernelDoes(t *testing.T) {
	needRoot(t)
	open, closed := 0, 0
	for seed := range uint64(8) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			o, c := explainRound(t, rand.New(rand.NewPCG(seed, 5)))
			open, closed = open+o, closed+c
		})
	}
	t.Logf("%d probes were answered, %d were not", open, closed)
	if !t.Failed() && (open < 40 || closed < 40) {
		t.Errorf("%d probes were answered and %d were not: too few to say anything", open, closed)
	}
}

// drawn is a random region on one node.
type drawn struct {
	*rand.Rand
	pool    netip.Prefix
	records *compile.Records
	ifaces  []*ec2.Interface
}

var drawnHome = ec2.Home{Account: "000000000000", Region: "us-east-1"}

func (d *drawn) put(rec any)             { d.records.Apply(compile.Change{New: rec}) }
func (d *drawn) one(of ...string) string { return of[d.IntN(len(of))] }
func (d *drawn) chance(percent int) bool { return d.IntN(100) < percent }
func (d *drawn) cidr() netip.Prefix {
	return netip.MustParsePrefix(d.one("0.0.0.0/0", "0.0.0.0/0", "10.0.0.0/16", "10.0.1.0/24", "10.0.2.0/24", d.pool.String()))
}
func (d *drawn) publicAt(n int) (a netip.Addr) {
	a = d.pool.Addr()
	for range n {
		a = a.Next()
	}
	return a
}

// match is of the ports and types that probes use, and of those that clients choose.
func (d *drawn) match() ec2.Match {
	switch d.IntN(6) {
	case 0:
		return ec2.Match{Protocol: path.TCP, From: 7001, To: 7001}
	case 1:
		return ec2.Match{Protocol: path.TCP, From: int32(1024 + d.IntN(2)*44000), To: 65535}
	case 2:
		return ec2.Match{Protocol: path.UDP, From: -1, To: -1}
	case 3:
		return ec2.Match{Protocol: path.ICMP, From: int32(d.IntN(2) * 8), To: -1}
	}
	return ec2.Match{Protocol: -1, From: -1, To: -1}
}

func (d *drawn) network(v string, net uint32) {
	cidr := netip.MustParsePrefix
	d.put(&ec2.VPC{Home: drawnHome, ID: v, Net: net, Blocks: []ec2.Block{{CIDR: cidr("10.0.0.0/16")}}, MainTable: "rtb-a-" + v, MainACL: "acl-a-" + v, DNSSupport: true})
	if d.chance(90) {
		d.put(&ec2.InternetGateway{Home: drawnHome, ID: "igw-" + v, VPC: v})
	}
	d.put(&ec2.NATGateway{Home: drawnHome, ID: "nat-" + v, VPC: v, Subnet: "subnet-a-" + v, Connectivity: "public",
		Addresses: []ec2.NATAddress{{Private: netip.MustParseAddr("10.0.1.200"), Public: d.publicAt(10 + int(net))}}})
	for i, s := range []string{"a", "b"} {
		d.put(&ec2.Subnet{Home: drawnHome, ID: "subnet-" + s + "-" + v, VPC: v, CIDR: cidr(fmt.Sprintf("10.0.%d.0/24", i+1))})
		to := d.one("igw-", "igw-", "igw-", "nat-", "pcx-") + v
		if s == "a" && d.chance(80) {
			to = "igw-" + v
		}
		t := &ec2.RouteTable{Home: drawnHome, ID: "rtb-" + s + "-" + v, VPC: v}
		if d.chance(90) {
			t.Routes = append(t.Routes, ec2.Route{Destination: cidr(d.one("0.0.0.0/0", "0.0.0.0/0", d.pool.String())), Target: to})
		}
		d.put(t)
		d.put(d.acl("acl-"+s+"-"+v, v))
		d.put(&ec2.Association{Home: drawnHome, ID: "r" + s + v, Kind: "route-table", Subnet: "subnet-" + s + "-" + v, Target: t.ID})
		d.put(&ec2.Association{Home: drawnHome, ID: "a" + s + v, Kind: "network-acl", Subnet: "subnet-" + s + "-" + v, Target: "acl-" + s + "-" + v})
		d.group("sg-"+s+"-"+v, v)
	}
}

func (d *drawn) acl(id, v string) *ec2.ACL {
	a := &ec2.ACL{Home: drawnHome, ID: id, VPC: v}
	for _, side := range []*[]ec2.ACLEntry{&a.Ingress, &a.Egress} {
		for n := range d.IntN(3) {
			*side = append(*side, ec2.ACLEntry{Number: int32(10 + n), Match: d.match(), CIDR: d.cidr(), Allow: d.chance(50)})
		}
		if d.chance(85) {
			*side = append(*side, ec2.ACLEntry{Number: 100, Match: ec2.Match{Protocol: -1, From: -1, To: -1}, CIDR: netip.MustParsePrefix("0.0.0.0/0"), Allow: true})
		}
	}
	return a
}

func (d *drawn) group(id, v string) {
	d.put(&ec2.SecurityGroup{Home: drawnHome, ID: id, VPC: v})
	for n := range 7 {
		r := &ec2.Rule{Home: drawnHome, ID: fmt.Sprintf("sgr-%s-%d", id, n), Group: id, Egress: n%2 == 0, Match: d.match(), Peer: ec2.Peer{CIDR: d.cidr()}}
		if d.chance(25) {
			r.Peer = ec2.Peer{Group: d.one("sg-a-", "sg-b-") + v}
		}
		d.put(r)
	}
}

func (d *drawn) iface(n int) {
	v, s := d.one("vpc-1", "vpc-1", "vpc-2"), d.IntN(2)
	i := &ec2.Interface{
		Home: drawnHome, ID: fmt.Sprintf("eni-%d", n), VPC: v, Subnet: []string{"subnet-a-", "subnet-b-"}[s] + v, Node: "n1", MAC: fmt.Sprintf("0a:00:00:00:00:%02x", n+1),
		SourceCheck: true, Groups: []string{d.one("sg-a-", "sg-b-") + v},
		Private: []ec2.Private{{Addr: netip.AddrFrom4([4]byte{10, 0, byte(s + 1), byte(10 + n)})}},
	}
	if d.chance(30) {
		i.Groups = []string{"sg-a-" + v, "sg-b-" + v}
	}
	if d.chance(60) {
		i.Private[0].Public = d.publicAt(n + 1)
	}
	d.put(i)
	d.ifaces = append(d.ifaces, i)
}

func draw(r *rand.Rand, pool netip.Prefix) *drawn {
	d := &drawn{Rand: r, pool: pool, records: compile.NewRecords()}
	d.network("vpc-1", 1)
	d.network("vpc-2", 2)
	for n := range 6 {
		d.iface(n)
	}
	return d
}

// everything is all records, for the compiler.
func (d *drawn) everything() []any {
	var out []any
	r := d.records
	out = all(out, r.VPCs)
	out = all(out, r.Subnets)
	out = all(out, r.Interfaces)
	out = all(out, r.Groups)
	out = all(out, r.ACLs)
	out = all(out, r.Tables)
	out = all(out, r.Gateways)
	out = all(out, r.NATs)
	for _, rules := range r.Rules {
		out = all(out, rules)
	}
	for _, s := range r.Subnets {
		out = append(out, &ec2.Association{Home: drawnHome, ID: "r" + s.ID, Kind: "route-table", Subnet: s.ID, Target: r.Table(s)},
			&ec2.Association{Home: drawnHome, ID: "a" + s.ID, Kind: "network-acl", Subnet: s.ID, Target: r.ACL(s)})
	}
	return out
}

func all[T any](out []any, m map[string]*T) []any {
	for _, rec := range m {
		out = append(out, rec)
	}
	return out
}

func explainRound(t *testing.T, random *rand.Rand) (answers, silences int) {
	t.Helper()
	r := open(t)
	d := draw(random, r.cfg.PublicPool)
	x := compile.New(compile.Settings{})
	x.Load(slices.Values(d.everything()))
	c := x.Config(compile.NodeKey(drawnHome, "n1"))
	c.Version = 1
	report, err := r.ApplyConfig(t.Context(), &c)
	if err != nil || len(report.Failed) > 0 {
		t.Fatalf("%v %v", err, report.Failed)
	}
	at := map[string]string{"": ""}
	for _, i := range d.ifaces {
		e := wait(t, r, i.ID)
		at[i.ID] = e.Netns
		spacetest.Space(e.Netns).Serve(t, "tcp", ":7001", i.ID)
		spacetest.Space(e.Netns).Serve(t, "udp", ":7001", i.ID)
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	slots := make(chan struct{}, 24)
	for _, p := range d.probes() {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			trace := path.Explain(d.records, compile.Settings{}, p.Query)
			err := p.run(at, trace.Open)
			answered := err == nil
			mu.Lock()
			defer mu.Unlock()
			if answered != trace.Open {
				t.Errorf("to %s from port %d the kernel says answered %v (%v), explain says\n%s", p.dial, p.SourcePort, answered, err, trace.Text())
			}
			if answered {
				answers++
			} else {
				silences++
			}
		})
	}
	wg.Wait()
	return answers, silences
}

// explained is a connection to try, and where it is dialled.
type explained struct {
	path.Query
	dial netip.Addr
}

// probes are from every interface, and from the machine, to every address of every interface. Each has a port of its own, so that no
// NAT gateway has to choose another, and outside of those that the machine gives its own connections.
func (d *drawn) probes() []explained {
	var out []explained
	machine := netip.MustParseAddr("169.254.64.1")
	for _, from := range append([]*ec2.Interface{nil}, d.ifaces...) {
		src := path.End{Addr: machine}
		if from != nil {
			src = path.End{Interface: from, Addr: from.Private[0].Addr}
		}
		for _, to := range d.ifaces {
			private, public := to.Private[0].Addr, to.Private[0].Public
			for _, protocol := range []int32{path.TCP, path.UDP, path.ICMP} {
				q := path.Query{From: src, Protocol: protocol, Port: 7001, SourcePort: int32(20000 + d.IntN(2)*41000 + len(out))}
				if from != nil && from.VPC == to.VPC && from.ID != to.ID {
					q.To = path.End{Interface: to, Addr: private}
					out = append(out, explained{q, private})
				}
				if public.IsValid() && (from == nil || from.VPC != to.VPC) {
					q.To = path.End{Interface: to, Addr: private}
					out = append(out, explained{q, public})
				}
				if public.IsValid() && from != nil && from.VPC == to.VPC {
					q.To = path.End{Addr: public} // by the gateway and back
					q.SourcePort += 1000
					out = append(out, explained{q, public})
				}
			}
		}
	}
	return out
}

// run tries: patiently when there should be an answer.
func (p explained) run(at map[string]string, patiently bool) error {
	timeout := moment
	if patiently {
		timeout = patience
	}
	id := ""
	if p.From.Interface != nil {
		id = p.From.Interface.ID
	}
	return spacetest.InPath(at[id], func() error {
		if p.Protocol == path.ICMP {
			return sendEcho(p.dial, uint16(p.SourcePort), timeout)
		}
		return p.connect(timeout)
	})
}

func (p explained) connect(timeout time.Duration) error {
	local, network := net.Addr(&net.TCPAddr{Port: int(p.SourcePort)}), "tcp4"
	if p.Protocol == path.UDP {
		local, network = &net.UDPAddr{Port: int(p.SourcePort)}, "udp4"
	}
	c, err := (&net.Dialer{LocalAddr: local, Timeout: timeout, Control: reuse}).Dial(network, netip.AddrPortFrom(p.dial, uint16(p.Port)).String())
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	b := make([]byte, 64)
	for until := time.Now().Add(timeout); ; {
		_ = c.SetDeadline(time.Now().Add(min(timeout, 500*time.Millisecond)))
		if p.Protocol == path.UDP {
			if _, err := c.Write([]byte("hello")); err != nil {
				return err
			}
		}
		if _, err = c.Read(b); err == nil || time.Now().After(until) {
			return err
		}
	}
}

// reuse takes a port that a connection of an earlier round had.
func reuse(_, _ string, c syscall.RawConn) error {
	var err error
	return errors.Join(c.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 1) }), err)
}

// sendEcho sends an ICMP echo and waits for its reply.
func sendEcho(to netip.Addr, id uint16, timeout time.Duration) error {
	c, err := net.ListenPacket("ip4:icmp", "0.0.0.0")
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	m := make([]byte, 8)
	m[0] = 8
	binary.BigEndian.PutUint16(m[4:], id)
	var sum uint32
	for i := 0; i < len(m); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(m[i:]))
	}
	binary.BigEndian.PutUint16(m[2:], ^uint16(sum+sum>>16))
	b := make([]byte, 1500)
	var again time.Time
	for until := time.Now().Add(timeout); ; {
		if now := time.Now(); now.After(again) {
			again = now.Add(500 * time.Millisecond)
			_ = c.SetReadDeadline(again)
			if _, err := c.WriteTo(m, &net.IPAddr{IP: to.AsSlice()}); err != nil {
				return err
			}
		}
		n, from, err := c.ReadFrom(b)
		switch {
		case err != nil && time.Now().After(until):
			return err
		case err != nil:
			continue
		}
		if n >= 8 && b[0] == 0 && binary.BigEndian.Uint16(b[4:]) == id && from.String() == to.String() {
			return nil
		}
	}
}
