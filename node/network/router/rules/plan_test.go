package rules

import (
	"fmt"
	"maps"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/berth-ecs/berth/node/network/router/ruleset"
	"github.com/berth-ecs/berth/nodeconf"
)

var prefixes = rapid.SampledFrom([]netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("10.0.1.0/24"), netip.MustParsePrefix("8.8.8.8/32"),
	netip.MustParsePrefix("160.0.0.0/3"),
})

func sometimes[K comparable, V any](key *rapid.Generator[K], value func(*rapid.T, K) V) *rapid.Generator[map[K]V] {
	return rapid.Custom(func(t *rapid.T) map[K]V {
		m := map[K]V{}
		for _, k := range rapid.SliceOfN(key, 0, 4).Draw(t, "keys") {
			m[k] = value(t, k)
		}
		return m
	})
}

// pick is an address of those, "" for none.
func pick(t *rapid.T, of ...string) netip.Addr {
	a, _ := netip.ParseAddr(rapid.SampledFrom(of).Draw(t, "address"))
	return a
}

// resources are a configuration whose parts may not fit together: ones contradict others, or are half of what they should be.
func resources(t *rapid.T) *nodeconf.Resources {
	vpc := rapid.SampledFrom([]string{"v1", "v2"})
	id := func(prefix string) *rapid.Generator[string] {
		return rapid.Map(rapid.IntRange(1, 3), func(n int) string { return fmt.Sprint(prefix, n) })
	}
	match := rapid.Custom(func(t *rapid.T) nodeconf.Match {
		return nodeconf.Match{Protocol: rapid.SampledFrom([]int32{-1, 1, 6, 17, 47}).Draw(t, "protocol"), From: rapid.Int32Range(-1, 9).Draw(t, "from"), To: 20}
	})
	allows := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) nodeconf.Allow {
		a := nodeconf.Allow{Match: match.Draw(t, "match")}
		if rapid.Bool().Draw(t, "group?") {
			a.Group = id("sg-").Draw(t, "group")
			return a
		}
		a.First, a.Last = prefixOf(prefixes.Draw(t, "peer"))
		return a
	}), 0, 3)
	entries := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) nodeconf.Entry {
		return nodeconf.Entry{Match: match.Draw(t, "match"), CIDR: prefixes.Draw(t, "cidr"), Allow: rapid.Bool().Draw(t, "allow")}
	}), 0, 2)
	routes := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) nodeconf.Route {
		kind := rapid.SampledFrom([]string{nodeconf.ToInternet, nodeconf.ToNAT, nodeconf.ToInterface, nodeconf.Blackhole}).Draw(t, "kind")
		target := map[string]string{nodeconf.ToNAT: "nat-1", nodeconf.ToInterface: "eni-1"}[kind]
		return nodeconf.Route{Destination: prefixes.Draw(t, "destination"), Kind: kind, Target: target}
	}), 0, 3)
	public := netip.MustParseAddr("198.18.0.1")
	return &nodeconf.Resources{
		VPCs: sometimes(vpc, func(_ *rapid.T, id string) nodeconf.VPC {
			return nodeconf.VPC{ID: id, CIDRs: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/16")}}
		}).Draw(t, "VPCs"),
		Subnets: sometimes(id("subnet-"), func(t *rapid.T, s string) nodeconf.Subnet {
			return nodeconf.Subnet{ID: s, VPC: "v1", CIDR: rapid.SampledFrom([]netip.Prefix{netip.MustParsePrefix("10.0." + s[7:] + ".0/24"), netip.MustParsePrefix("10.0.9.0/24"), {}}).Draw(t, "subnet's range"), ACL: id("acl-").Draw(t, "acl"), RouteTable: id("rtb-").Draw(t, "rtb")}
		}).Draw(t, "subnets"),
		Interfaces: sometimes(id("eni-"), func(t *rapid.T, s string) nodeconf.Interface {
			i := nodeconf.Interface{
				ID: s, VPC: vpc.Draw(t, "vpc"), Subnet: id("subnet-").Draw(t, "subnet"), MAC: "02:00:00:00:00:0" + s[4:],
				Addresses: []netip.Addr{netip.MustParseAddr("10.0.1.1" + s[4:])}, SourceCheck: rapid.Bool().Draw(t, "check"),
				Groups: rapid.SliceOfNDistinct(id("sg-"), 1, 2, func(s string) string { return s }).Draw(t, "groups"),
			}
			if rapid.Bool().Draw(t, "public?") {
				i.Public = []nodeconf.Public{{Private: i.Addresses[0], Public: public}}
			}
			return i
		}).Draw(t, "interfaces"),
		Groups: sometimes(id("sg-"), func(t *rapid.T, s string) nodeconf.Group {
			return nodeconf.Group{ID: s, VPC: "v1", Ingress: allows.Draw(t, "in"), Egress: allows.Draw(t, "out")}
		}).Draw(t, "groups"),
		Members: sometimes(rapid.Map(id("sg-"), func(g string) string { return g + "/10.0.9.9" }), func(_ *rapid.T, key string) nodeconf.Member {
			return nodeconf.Member{Group: key[:4], Addr: netip.MustParseAddr("10.0.9.9")}
		}).Draw(t, "members"),
		ACLs: sometimes(id("acl-"), func(t *rapid.T, s string) nodeconf.ACL {
			return nodeconf.ACL{ID: s, VPC: "v1", Ingress: entries.Draw(t, "in"), Egress: entries.Draw(t, "out")}
		}).Draw(t, "ACLs"),
		RouteTables: sometimes(id("rtb-"), func(t *rapid.T, s string) nodeconf.RouteTable {
			return nodeconf.RouteTable{ID: s, VPC: "v1", Routes: routes.Draw(t, "routes")}
		}).Draw(t, "tables"),
		NATs: sometimes(id("nat-"), func(t *rapid.T, s string) nodeconf.NAT {
			return nodeconf.NAT{ID: s, VPC: "v1", Subnet: id("subnet-").Draw(t, "subnet"),
				Private: pick(t, "10.0.1.20"+s[4:], "10.0.1.209", ""), Public: pick(t, "198.18.0.2"+s[4:], "198.18.0.29", "")}
		}).Draw(t, "NATs"),
	}
}

// The fragments after any sequence of changes are those of the last configuration.
func TestChangesAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		plan, have, conf := NewPlan("v1"), map[string]ruleset.Fragment{}, nodeconf.Config{}
		for step := range rapid.IntRange(1, 5).Draw(t, "steps") {
			next := nodeconf.Config{Version: int64(step) + 1, Resources: *resources(t)}
			change := plan.Update(&next.Resources, Keys(nodeconf.Diff(&conf, &next)))
			for _, k := range change.Gone {
				delete(have, k)
			}
			maps.Copy(have, change.Set)
			conf = next
			fresh := NewPlan("v1").Update(&conf.Resources, Everything(&conf.Resources))
			if diff := cmp.Diff(sorted(fresh.Set), sorted(have)); diff != "" {
				t.Fatalf("step %d (-at once +by changes):\n%s", step, diff)
			}
			if diff := cmp.Diff(names(fresh.Failed), names(change.Failed)); diff != "" {
				t.Fatalf("step %d, failed (-at once +by changes):\n%s", step, diff)
			}
		}
	})
}

// What fragments refer to is in one of them: the kernel refuses a transaction otherwise.
func TestNothingRefersToNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := resources(t)
		change := NewPlan("v1").Update(c, Everything(c))
		sets, chains, keys := map[string]bool{}, map[string]bool{}, map[string]bool{}
		for _, f := range change.Set {
			for _, s := range f.Sets {
				sets[s.Name] = true
			}
			for _, c := range f.Chains {
				chains[c.Name] = true
			}
		}
		for _, f := range change.Set {
			for _, e := range f.Elements {
				if !sets[e.Set] || (e.Jump != "" && !chains[e.Jump]) {
					t.Fatalf("%q refers to what is not there", e)
				}
				if key := e.Set + "\x00" + e.Key; keys[key] && e.Set[:3] != "in-" && e.Set[:4] != "out-" {
					t.Fatalf("two elements are %q", e)
				} else {
					keys[key] = true
				}
			}
		}
	})
}

func sorted(m map[string]ruleset.Fragment) map[string]string {
	out := map[string]string{}
	for k, f := range m {
		out[k] = fmt.Sprintf("%v", f.Elements)
		for _, s := range f.Sets {
			out[k] += "\nset " + s.Name
		}
		for _, c := range f.Chains {
			out[k] += "\nchain " + c.Name
			for _, r := range c.Rules {
				out[k] += "\n "
				for _, e := range r {
					out[k] += fmt.Sprintf(" %+v", e)
				}
			}
		}
	}
	return out
}

func names(m map[string]error) map[string]string {
	out := map[string]string{}
	for k, err := range m {
		out[k] = err.Error()
	}
	return out
}

// The longest prefix wins, whatever the order.
func TestFlatten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var routes []nodeconf.Route
		for _, p := range rapid.SliceOfDistinct(prefixes, func(p netip.Prefix) netip.Prefix { return p }).Draw(t, "prefixes") {
			routes = append(routes, nodeconf.Route{Destination: p, Kind: rapid.SampledFrom([]string{nodeconf.ToInternet, nodeconf.Blackhole}).Draw(t, "kind")})
		}
		spans := flatten(routes)
		b := rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "address")
		a := netip.AddrFrom4([4]byte(b))
		want := ""
		best := -1
		for _, r := range routes {
			if r.Destination.Contains(a) && r.Destination.Bits() > best {
				best, want = r.Destination.Bits(), r.Kind
			}
		}
		for _, p := range never {
			if p.Contains(a) {
				want = ""
			}
		}
		if want == nodeconf.Blackhole {
			want = ""
		}
		got := ""
		for _, s := range spans {
			if s.first <= Mark(a) && Mark(a) <= s.last {
				if got != "" {
					t.Fatal("ranges overlap")
				}
				got = s.route.Kind
			}
		}
		if got != want {
			t.Fatalf("%s goes to %q, want %q", a, got, want)
		}
	})
}
