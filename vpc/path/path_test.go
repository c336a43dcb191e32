package path

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/vpc/compile"
)

var home = vpc.Home{Account: "000000000000", Region: "us-east-1"}

func cidr(s string) netip.Prefix { return netip.MustParsePrefix(s) }
func addr(s string) netip.Addr   { return netip.MustParseAddr(s) }

func entry(n, protocol, from, to int32, peer string, allow bool) vpc.ACLEntry {
	return vpc.ACLEntry{Number: n, Match: vpc.Match{Protocol: protocol, From: from, To: to}, CIDR: cidr(peer), Allow: allow}
}

func rule(id, group string, egress bool, m vpc.Match, p vpc.Peer) *vpc.Rule {
	return &vpc.Rule{Home: home, ID: id, Group: group, Egress: egress, Match: m, Peer: p}
}

func eni(id, vpcID, subnet, private, public string, groups ...string) *vpc.Interface {
	i := &vpc.Interface{Home: home, ID: id, VPC: vpcID, Subnet: subnet, Node: "n1", SourceCheck: true, Groups: groups, Private: []vpc.Private{{Addr: addr(private)}}}
	if public != "" {
		i.Private[0].Public = addr(public)
	}
	return i
}

// region has a public subnet with a web server, a private one with a database behind a strict ACL and a NAT gateway, and another VPC of the same range.
func region(more ...any) *compile.Records {
	r := compile.NewRecords()
	all, everything := vpc.Match{Protocol: -1, From: -1, To: -1}, vpc.Peer{CIDR: cidr("0.0.0.0/0")}
	open := []vpc.ACLEntry{entry(100, -1, -1, -1, "0.0.0.0/0", true)}
	for _, v := range []string{"vpc-1", "vpc-2"} {
		r.Apply(compile.Change{New: &vpc.VPC{Home: home, ID: v, Blocks: []vpc.Block{{CIDR: cidr("10.0.0.0/16")}}, MainTable: "rtb-" + v, MainACL: "acl-" + v}})
		r.Apply(compile.Change{New: &vpc.ACL{Home: home, ID: "acl-" + v, VPC: v, Ingress: open, Egress: open}})
		r.Apply(compile.Change{New: &vpc.Subnet{Home: home, ID: "public-" + v, VPC: v, CIDR: cidr("10.0.0.0/24")}})
		r.Apply(compile.Change{New: &vpc.InternetGateway{Home: home, ID: "igw-" + v, VPC: v}})
		r.Apply(compile.Change{New: &vpc.RouteTable{Home: home, ID: "rtb-" + v, VPC: v, Routes: []vpc.Route{{Destination: cidr("0.0.0.0/0"), Target: "igw-" + v}}}})
	}
	for _, rec := range append([]any{
		&vpc.Subnet{Home: home, ID: "private", VPC: "vpc-1", CIDR: cidr("10.0.1.0/24")},
		&vpc.RouteTable{Home: home, ID: "rtb-private", VPC: "vpc-1", Routes: []vpc.Route{{Destination: cidr("0.0.0.0/0"), Target: "nat-1"}, {Destination: cidr("203.0.113.0/24"), Target: "pcx-1"}}},
		&vpc.Association{Home: home, ID: "a1", Kind: "route-table", Subnet: "private", Target: "rtb-private"},
		&vpc.Association{Home: home, ID: "a2", Kind: "network-acl", Subnet: "private", Target: "acl-private"},
		&vpc.ACL{Home: home, ID: "acl-private", VPC: "vpc-1",
			Ingress: []vpc.ACLEntry{entry(100, 6, 5432, 5432, "10.0.0.0/16", true), entry(110, 6, 1024, 65535, "0.0.0.0/0", true)},
			Egress:  []vpc.ACLEntry{entry(90, 6, 40000, 40009, "10.0.0.0/24", false), entry(100, 6, 1024, 65535, "10.0.0.0/16", true), entry(110, 6, 443, 443, "0.0.0.0/0", true)}},
		&vpc.NATGateway{Home: home, ID: "nat-1", VPC: "vpc-1", Subnet: "public-vpc-1", Connectivity: "public", Addresses: []vpc.NATAddress{{Private: addr("10.0.0.9"), Public: addr("198.18.0.9")}}},
		rule("sgr-web-in", "sg-web", false, vpc.Match{Protocol: 6, From: 80, To: 80}, everything),
		rule("sgr-web-out", "sg-web", true, all, everything),
		rule("sgr-db-in", "sg-db", false, vpc.Match{Protocol: 6, From: 5432, To: 5432}, vpc.Peer{Group: "sg-web"}),
		rule("sgr-db-out", "sg-db", true, vpc.Match{Protocol: 6, From: 443, To: 443}, everything),
		rule("sgr-other", "sg-other", true, all, everything),
		eni("eni-web", "vpc-1", "public-vpc-1", "10.0.0.4", "198.18.0.4", "sg-web"),
		eni("eni-twin", "vpc-1", "public-vpc-1", "10.0.0.5", "", "sg-web"),
		eni("eni-db", "vpc-1", "private", "10.0.1.4", "", "sg-db"),
		eni("eni-other", "vpc-2", "public-vpc-2", "10.0.0.4", "198.18.0.5", "sg-other"),
	}, more...) {
		r.Apply(compile.Change{New: rec})
	}
	return r
}

func TestExplain(t *testing.T) {
	elsewhere := eni("eni-lost", "vpc-1", "private", "10.0.1.8", "", "sg-db")
	elsewhere.Node = ""
	for _, c := range []struct {
		name, from, to string
		protocol       int32
		port, source   int32
		open           bool
		last           string // of the texts of the hops
		more           []any
	}{
		{"in a subnet", "eni-web", "eni-twin", TCP, 80, 0, true, "sgr-web-in", nil},
		{"the group says no", "eni-web", "eni-twin", TCP, 81, 0, false, "no inbound rule allows tcp port 81 from 10.0.0.4", nil},
		{"a member of the group", "eni-web", "eni-db", TCP, 5432, 39999, true, "acl-vpc-1 of public-vpc-1: inbound entry 100 allows", nil},
		{"the answer's port is denied", "eni-web", "eni-db", TCP, 5432, 40001, false, "outbound entry 90 denies tcp port 40001", nil},
		{"some of the ports that a client may choose are denied", "eni-web", "eni-db", TCP, 5432, 0, false, "outbound entry 90 denies tcp port 40000", nil},
		{"the ACL says no", "eni-web", "eni-db", TCP, 80, 0, false, "inbound entry * denies tcp port 80", nil},
		{"out by the NAT gateway", "eni-db", "internet", TCP, 443, 50000, true, "inbound entry 110 allows tcp port 50000 from 198.51.100.1", nil},
		{"the outbound rule says no", "eni-db", "internet", TCP, 80, 50000, false, "no outbound rule", nil},
		{"a blackhole", "eni-db", "203.0.113.7", TCP, 443, 50000, false, "203.0.113.0/24 leads to pcx-1, which cannot be used", nil},
		{"no public address", "eni-twin", "internet", TCP, 443, 0, false, "has no public address", nil},
		{"out by the internet gateway", "eni-web", "internet", TCP, 443, 0, true, "inbound entry 100 allows", nil},
		{"no gateway", "eni-web", "internet", TCP, 443, 0, false, "blackhole", []any{&vpc.InternetGateway{Home: home, ID: "igw-vpc-1"}}},
		{"from the internet", "internet", "198.18.0.4", TCP, 80, 0, true, "rtb-vpc-1 of public-vpc-1: 0.0.0.0/0 leads to igw-vpc-1", nil},
		{"from the internet to a private address", "internet", "eni-db", TCP, 5432, 0, false, "has no public address", nil},
		{"to another VPC, by its public address", "eni-other", "eni-web", TCP, 80, 0, true, "acl-vpc-2", nil},
		{"to another VPC's private address", "eni-web", "eni-db", TCP, 5432, 40000, false, "", []any{eni("eni-web", "vpc-2", "public-vpc-2", "10.0.0.7", "198.18.0.7", "sg-web")}},
		{"an answer by way of a NAT gateway meets its subnet's ACL", "internet", "198.18.0.8", TCP, 5432, 50000, false, "acl-vpc-1 of public-vpc-1: inbound entry * denies tcp port 50000 from 10.0.1.8", []any{
			eni("eni-shown", "vpc-1", "private", "10.0.1.8", "198.18.0.8", "sg-shown"), rule("sgr-shown", "sg-shown", false, vpc.Match{Protocol: 6, From: 5432, To: 5432}, vpc.Peer{CIDR: cidr("0.0.0.0/0")}),
			&vpc.ACL{Home: home, ID: "acl-private", VPC: "vpc-1", Ingress: []vpc.ACLEntry{entry(1, -1, -1, -1, "0.0.0.0/0", true)}, Egress: []vpc.ACLEntry{entry(1, -1, -1, -1, "0.0.0.0/0", true)}},
			&vpc.ACL{Home: home, ID: "acl-vpc-1", VPC: "vpc-1", Egress: []vpc.ACLEntry{entry(1, -1, -1, -1, "0.0.0.0/0", true)}}}},
		{"a NAT gateway takes nothing", "eni-web", "198.18.0.9", TCP, 80, 0, false, "takes no connections", nil},
		{"an address that nobody has", "eni-web", "10.0.0.77", TCP, 80, 0, false, "no interface has it", nil},
		{"the resolver", "eni-db", "10.0.0.2", UDP, 53, 0, true, "resolver", nil},
		{"the machine's metadata", "eni-web", "169.254.169.254", TCP, 80, 0, false, "link-local", nil},
		{"an interface on no node", "eni-web", "eni-lost", TCP, 5432, 0, false, "on no node", []any{elsewhere}},
		{"ICMP has no ports", "eni-web", "eni-twin", ICMP, 0, 0, false, "no inbound rule allows icmp echo", nil},
		{"an echo, and its reply", "eni-web", "eni-twin", ICMP, 0, 0, true, "sgr-ping", []any{rule("sgr-ping", "sg-web", false, vpc.Match{Protocol: 1, From: 8, To: -1}, vpc.Peer{CIDR: cidr("10.0.0.0/8")})}},
		{"a route to an interface", "eni-web", "internet", TCP, 80, 0, false, "source/destination check", []any{
			&vpc.RouteTable{Home: home, ID: "rtb-vpc-1", VPC: "vpc-1", Routes: []vpc.Route{{Destination: cidr("0.0.0.0/0"), Target: "eni-twin"}}}}},
	} {
		r := region(c.more...)
		at := Scope{Home: home}
		from, err := Resolve(r, at, c.from)
		if err != nil {
			t.Fatal(err)
		}
		to, err := Resolve(r, at, c.to)
		if err != nil {
			t.Fatal(err)
		}
		got := Explain(r, compile.Settings{}, Query{From: from, To: to, Protocol: c.protocol, Port: c.port, SourcePort: c.source})
		if got.Open != c.open || len(got.Hops) == 0 || !strings.Contains(got.Hops[len(got.Hops)-1].Text, c.last) {
			t.Errorf("%s:\n%swant open %v, at last %q", c.name, got.Text(), c.open, c.last)
		}
	}
}

// What another account has behind a public address is not told: neither its interfaces, groups and rules nor its gateways.
func TestAnotherAccountIsTheOutside(t *testing.T) {
	theirs := vpc.Home{Account: "111111111111", Region: "us-east-1"}
	shop := eni("eni-shop", "vpc-9", "subnet-9", "10.0.0.4", "198.18.0.77", "sg-shop")
	shop.Home = theirs
	r := region(shop, &vpc.NATGateway{Home: theirs, ID: "nat-shop", VPC: "vpc-9", Subnet: "subnet-9", Addresses: []vpc.NATAddress{{Public: addr("198.18.0.78")}}},
		&vpc.Rule{Home: theirs, ID: "sgr-shop", Group: "sg-shop", Match: vpc.Match{Protocol: 6, From: 80, To: 80}, Peer: vpc.Peer{CIDR: cidr("0.0.0.0/0")}})
	for _, to := range []string{"198.18.0.77", "198.18.0.78"} {
		from, err := Resolve(r, Scope{Home: home}, "eni-web")
		if err != nil {
			t.Fatal(err)
		}
		got := Explain(r, compile.Settings{}, Query{From: from, To: End{Addr: addr(to)}, Protocol: TCP, Port: 80})
		if strings.Contains(got.Text(), "shop") || !strings.Contains(got.Text(), "outside of this account's networks") {
			t.Error(got.Text())
		}
	}
}

func TestText(t *testing.T) {
	r := region()
	web, err := Resolve(r, Scope{Home: home}, "eni-web")
	if err != nil {
		t.Fatal(err)
	}
	db, _ := Resolve(r, Scope{Home: home}, "10.0.1.4")
	got := Explain(r, compile.Settings{}, Query{From: web, To: db, Protocol: TCP, Port: 5432, SourcePort: 40000}).Text()
	want := `out   ok    security group sg-web of eni-web: outbound rule sgr-web-out allows it (all to 0.0.0.0/0)
out   ok    network ACL acl-vpc-1 of public-vpc-1: outbound entry 100 allows tcp port 5432 to 10.0.1.4
out   ok    route: 10.0.1.4 is inside of vpc-1 (local)
in    ok    network ACL acl-private of private: inbound entry 100 allows tcp port 5432 from 10.0.0.4
in    ok    security group sg-db of eni-db: inbound rule sgr-db-in allows it (tcp 5432 from members of sg-web)
back  DROP  network ACL acl-private of private: outbound entry 90 denies tcp port 40000 to 10.0.0.4
closed: tcp port 5432 from 10.0.0.4 (eni-web) to 10.0.1.4 (eni-db)
`
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestResolve(t *testing.T) {
	task := eni("eni-task", "vpc-1", "private", "10.0.1.9", "", "sg-db")
	task.Owner = "arn:aws:ecs:us-east-1:000000000000:task/default/0123"
	r := region(task)
	for _, c := range []struct {
		name, vpc, want, wrong string
	}{
		{"0123", "", "eni-task", ""}, {task.Owner, "", "eni-task", ""}, {"198.18.0.5", "", "eni-other", ""}, {"10.0.0.4", "vpc-2", "eni-other", ""},
		{"192.0.2.1", "", "", ""}, {"internet", "", "", ""},
		{"10.0.0.4", "", "", "eni-other in vpc-2, eni-web in vpc-1"}, {"eni-none", "", "", "no interface, task or address"},
	} {
		got, err := Resolve(r, Scope{home, c.vpc}, c.name)
		id := ""
		if got.Interface != nil {
			id = got.Interface.ID
		}
		if id != c.want || (err == nil) != (c.wrong == "") || err != nil && !strings.Contains(err.Error(), c.wrong) {
			t.Errorf("%s: %+v, %v", c.name, got, err)
		}
	}
	if _, err := Resolve(r, Scope{Home: vpc.Home{Account: "1", Region: "us-east-1"}}, "eni-web"); err == nil {
		t.Error("another account's interface was found")
	}
}
