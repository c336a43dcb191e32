package compile

import (
	"fmt"
	"net/netip"
	"time"

	"pgregory.net/rapid"

	"github.com/berth-ecs/berth/vpc"
)

var home = vpc.Home{Account: "000000000000", Region: "eu-central-1"}

// world draws records whose ids come from few, so that they meet; some references lead nowhere.
type world struct{ t *rapid.T }

func (w world) pick(of ...string) string { return rapid.SampledFrom(of).Draw(w.t, "pick") }
func (w world) flip() bool               { return rapid.Bool().Draw(w.t, "flip") }
func (w world) upTo(n int) int           { return rapid.IntRange(0, n).Draw(w.t, "n") }
func (w world) vpc() string              { return w.pick("vpc-1", "vpc-2") }
func (w world) subnet() string           { return w.pick("subnet-1", "subnet-2", "subnet-3") }
func (w world) group() string            { return w.pick("sg-1", "sg-2", "sg-3") }
func (w world) table() string            { return w.pick("rtb-1", "rtb-2", "rtb-3") }
func (w world) acl() string              { return w.pick("acl-1", "acl-2") }
func (w world) node() string             { return w.pick("", "n1", "n2", "n3") }
func (w world) eni() string              { return w.pick("eni-1", "eni-2", "eni-3", "eni-4") }
func (w world) nat() string              { return w.pick("nat-1", "nat-2") }
func (w world) gateway() string          { return w.pick("igw-1", "igw-2") }

func (w world) prefix() netip.Prefix {
	return netip.MustParsePrefix(w.pick("0.0.0.0/0", "10.0.0.0/8", "10.0.1.0/24", "10.0.0.0/24", "10.0.1.4/32", "203.0.113.0/24", "255.0.0.0/8", "::/0", "fd00::/8", "fd00::/64", "fd00:1::/64"))
}

func (w world) addr() netip.Addr {
	return netip.MustParseAddr(w.pick("10.0.0.4", "10.0.0.5", "10.0.1.4", "10.0.1.5", "fd00::4"))
}

func (w world) match() vpc.Match {
	m := vpc.Match{Protocol: rapid.SampledFrom([]int32{6, 1, 17, -1, 58, 50}).Draw(w.t, "protocol"), From: -1, To: -1}
	switch m.Protocol {
	case 6, 17:
		m.From, m.To = rapid.Int32Range(-1, 6).Draw(w.t, "from"), rapid.Int32Range(-1, 6).Draw(w.t, "to")
	case 1, 58:
		m.From, m.To = rapid.Int32Range(-1, 2).Draw(w.t, "type"), rapid.Int32Range(-1, 1).Draw(w.t, "code")
	}
	return m
}

func (w world) peer() vpc.Peer {
	switch w.upTo(3) {
	case 0:
		return vpc.Peer{Group: w.group()}
	case 1:
		return vpc.Peer{PrefixList: w.pick("pl-1", "pl-none")}
	}
	return vpc.Peer{CIDR: w.prefix()}
}

func lists(_, id string) []netip.Prefix {
	if id != "pl-1" {
		return nil
	}
	return []netip.Prefix{netip.MustParsePrefix("10.0.1.4/31"), netip.MustParsePrefix("203.0.113.0/24")}
}

var settings = Settings{PrefixList: lists}

// record draws one record.
func (w world) record() any {
	switch w.upTo(11) {
	case 0:
		return &vpc.VPC{Home: home, ID: w.vpc(), Net: 7, Blocks: []vpc.Block{{CIDR: netip.MustParsePrefix("10.0.0.0/16")}}, MainTable: w.table(), MainACL: w.acl(), DHCPOptions: w.pick("default", "dopt-1"), Default: w.upTo(3) == 0}
	case 1:
		return &vpc.Subnet{Home: home, ID: w.subnet(), VPC: w.vpc(), CIDR: netip.MustParsePrefix("10.0.1.0/24")}
	case 2:
		return &vpc.DHCPOptions{Home: home, ID: "dopt-1", Options: []vpc.DHCPOption{{Key: "domain-name", Values: []string{w.pick("a", "b")}}}}
	case 3:
		return &vpc.SecurityGroup{Home: home, ID: w.group(), VPC: w.vpc()}
	case 4:
		return &vpc.Rule{Home: home, ID: w.pick("sgr-1", "sgr-2", "sgr-3"), Group: w.group(), Egress: w.flip(), Match: w.match(), Peer: w.peer()}
	case 5:
		return &vpc.ACL{Home: home, ID: w.acl(), VPC: w.vpc(), Ingress: []vpc.ACLEntry{{Number: 100, Match: w.match(), CIDR: w.prefix(), Allow: w.flip()}}}
	case 6:
		return w.routes()
	case 7:
		kind, target := "route-table", w.table()
		if w.flip() {
			kind, target = "network-acl", w.acl()
		}
		return &vpc.Association{Home: home, ID: "assoc", Kind: kind, Subnet: w.subnet(), Target: target}
	case 8:
		return &vpc.InternetGateway{Home: home, ID: w.gateway(), VPC: w.pick("", "vpc-1", "vpc-2")}
	case 9:
		n := &vpc.NATGateway{Home: home, ID: w.nat(), VPC: w.vpc(), Subnet: w.subnet(), Connectivity: "public"}
		if w.flip() {
			n.Addresses = []vpc.NATAddress{{Private: w.addr(), Public: netip.MustParseAddr("198.18.0.9")}}
		}
		if w.upTo(4) == 0 {
			n.DeletedAt = time.Unix(1, 0)
		}
		return n
	}
	return w.interf()
}

func (w world) routes() *vpc.RouteTable {
	t := &vpc.RouteTable{Home: home, ID: w.table(), VPC: w.vpc()}
	for range w.upTo(4) {
		r := vpc.Route{Destination: w.prefix(), Target: w.pick(w.gateway(), w.nat(), w.eni(), "pcx-1", "local")}
		if w.upTo(5) == 0 {
			r = vpc.Route{PrefixList: "pl-1", Target: r.Target}
		}
		t.Routes = append(t.Routes, r)
	}
	return t
}

func (w world) interf() *vpc.Interface {
	i := &vpc.Interface{Home: home, ID: w.eni(), VPC: w.vpc(), Subnet: w.subnet(), Node: w.node(), MAC: "0a:00:00:00:00:01"}
	for range w.upTo(2) {
		i.Private = append(i.Private, vpc.Private{Addr: w.addr()})
	}
	for range w.upTo(2) {
		i.Groups = append(i.Groups, w.group())
	}
	return i
}

// identity is what tells a record from others.
func identity(rec any) string {
	switch r := rec.(type) {
	case *vpc.VPC:
		return "vpc " + r.ID
	case *vpc.Subnet:
		return "subnet " + r.ID
	case *vpc.DHCPOptions:
		return "options " + r.ID
	case *vpc.SecurityGroup:
		return "group " + r.ID
	case *vpc.Rule:
		return "rule " + r.Group + " " + r.ID
	case *vpc.ACL:
		return "acl " + r.ID
	case *vpc.RouteTable:
		return "table " + r.ID
	case *vpc.Association:
		return "association " + r.Kind + " " + r.Subnet
	case *vpc.InternetGateway:
		return "gateway " + r.ID
	case *vpc.NATGateway:
		return "nat " + r.ID
	case *vpc.Interface:
		return "interface " + r.ID
	}
	panic(fmt.Sprintf("%T", rec))
}
