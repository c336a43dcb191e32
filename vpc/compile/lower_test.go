package compile

import (
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/berth-ecs/berth/nodeconf"
	"github.com/berth-ecs/berth/vpc"
)

// packet is what a rule looks at. a and b are ports (b unused), or an ICMP type and code.
type packet struct {
	protocol int32
	peer     netip.Addr
	member   string // the peer is a member of the group
	a, b     int32
}

// meant is what a rule's match means, in the plainest words.
func meant(m vpc.Match, p packet) bool {
	switch {
	case m.Protocol == -1:
		return true
	case m.Protocol != p.protocol:
		return false
	case m.Protocol == 6 || m.Protocol == 17:
		return m.From == -1 || m.To == -1 || m.From <= p.a && p.a <= m.To
	case m.Protocol == 1 || m.Protocol == 58:
		return m.From == -1 || m.From == p.a && (m.To == -1 || m.To == p.b)
	}
	return true
}

func allowedBy(r *vpc.Rule, p packet) bool {
	if !meant(r.Match, p) {
		return false
	}
	switch {
	case r.Peer.Group != "":
		return r.Peer.Group == p.member
	case r.Peer.PrefixList != "":
		for _, c := range lists("", r.Peer.PrefixList) {
			if c.Contains(p.peer) {
				return true
			}
		}
		return false
	}
	return r.Peer.CIDR.Contains(p.peer)
}

// in tells whether a packet is in a range, and in a group.
func in(a nodeconf.Allow, p packet) bool {
	if !meant(vpc.Match(a.Match), p) {
		return false
	}
	if a.Group != "" {
		return a.Group == p.member
	}
	return a.First.BitLen() == p.peer.BitLen() && a.First.Compare(p.peer) <= 0 && p.peer.Compare(a.Last) <= 0
}

// packets are one of each kind that the rules of a world can tell apart.
func packets() []packet {
	var out []packet
	for _, peer := range []string{"0.0.0.0", "9.255.255.255", "10.0.0.0", "10.0.1.3", "10.0.1.4", "10.0.1.5", "10.0.1.6", "10.0.2.0", "11.0.0.0", "203.0.113.7",
		"255.255.255.255", "::", "fd00::1", "fd00:0:0:1::", "fd00:1::9", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"} {
		for _, protocol := range []int32{1, 6, 17, 50, 58} {
			for a := range int32(8) {
				for b := range int32(3) {
					out = append(out, packet{protocol, netip.MustParseAddr(peer), "", a, b})
				}
			}
		}
	}
	return append(out, packet{6, netip.MustParseAddr("10.9.0.1"), "sg-1", 3, 0}, packet{1, netip.MustParseAddr("10.9.0.1"), "sg-2", 2, 1})
}

// A packet is in a range exactly when a rule allows it, and of one protocol never in two.
func TestLowerMeansTheSame(t *testing.T) {
	all := packets()
	rapid.Check(t, func(t *rapid.T) {
		w := world{t}
		var rules []*vpc.Rule
		for range rapid.IntRange(2, 14).Draw(t, "rules") {
			rules = append(rules, &vpc.Rule{Match: w.match(), Peer: w.peer()})
		}
		lowered := Lower(rules, func(id string) []netip.Prefix { return lists("", id) })
		for _, p := range all {
			want := slices.ContainsFunc(rules, func(r *vpc.Rule) bool { return allowedBy(r, p) })
			got, times := false, map[[2]any]int{}
			for _, a := range lowered {
				if in(a, p) {
					got = true
					if times[[2]any{a.Protocol, a.Group}]++; times[[2]any{a.Protocol, a.Group}] > 1 {
						t.Fatalf("%+v is in two ranges of\n%+v", p, lowered)
					}
				}
			}
			if got != want {
				t.Fatalf("%+v: %v, want %v, by\n%+v\nof\n%+v", p, got, want, lowered, rules)
			}
		}
	})
}

func cidrRule(protocol, from, to int32, cidr string) *vpc.Rule {
	return &vpc.Rule{Match: vpc.Match{Protocol: protocol, From: from, To: to}, Peer: vpc.Peer{CIDR: netip.MustParsePrefix(cidr)}}
}

func TestLowerIsShort(t *testing.T) {
	group := func(protocol, from, to int32) *vpc.Rule {
		return &vpc.Rule{Match: vpc.Match{Protocol: protocol, From: from, To: to}, Peer: vpc.Peer{Group: "sg-1"}}
	}
	var neighbours, many, hosts []*vpc.Rule
	for i := range 256 {
		host := netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}).String() + "/32"
		neighbours = append(neighbours, cidrRule(6, 80, 80, host))
		many = append(many, cidrRule(6, int32(i), int32(i), "0.0.0.0/0"))
		many = append(many, cidrRule(6, 0, 65535, netip.AddrFrom4([4]byte{10, 0, byte(i), 7}).String()+"/32"))
		hosts = append(hosts, cidrRule(6, int32(i), int32(i)+2, netip.AddrFrom4([4]byte{10, byte(i), 0, 7}).String()+"/32"))
	}
	for name, c := range map[string]struct {
		rules []*vpc.Rule
		most  int
	}{
		"neighbours join":                        {neighbours, 1},
		"ports that touch join":                  {[]*vpc.Rule{cidrRule(6, 80, 80, "10.0.0.0/8"), cidrRule(6, 81, 90, "10.0.0.0/8")}, 1},
		"what lies inside vanishes":              {[]*vpc.Rule{cidrRule(6, 80, 90, "10.0.0.0/8"), cidrRule(6, 81, 82, "10.0.1.0/24")}, 1},
		"protocol -1 covers":                     {[]*vpc.Rule{cidrRule(-1, -1, -1, "10.0.0.0/8"), cidrRule(6, 81, 82, "10.0.1.0/24"), cidrRule(1, -1, -1, "10.0.0.0/8")}, 1},
		"both halves":                            {[]*vpc.Rule{cidrRule(17, 53, 53, "0.0.0.0/1"), cidrRule(17, 53, 53, "128.0.0.0/1")}, 1},
		"a code of a type":                       {[]*vpc.Rule{cidrRule(1, 3, 4, "0.0.0.0/0"), cidrRule(1, 3, -1, "0.0.0.0/0")}, 1},
		"groups":                                 {[]*vpc.Rule{group(6, 80, 80), group(6, 81, 81), group(17, 5, 5)}, 2},
		"a group covered":                        {[]*vpc.Rule{group(6, 80, 80), group(-1, -1, -1)}, 1},
		"ranges do not cross":                    {hosts, len(hosts)},
		"many ports for all, all ports for many": {many, 4 * len(many)},
		"nothing":                                {[]*vpc.Rule{cidrRule(6, 90, 80, "10.0.0.0/8")}, 0},
	} {
		if got := Lower(c.rules, nil); len(got) > c.most {
			t.Errorf("%s: %d ranges of %d rules, want at most %d: %.300v", name, len(got), len(c.rules), c.most, got)
		}
	}
}
