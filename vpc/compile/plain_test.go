package compile

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/berth-ecs/berth/nodeconf"
	"github.com/berth-ecs/berth/vpc"
)

// plain says which resources a node needs, by looking through all records again and again, in the words of nodeconf.
func plain(h *history, node string) map[string]bool {
	r, told := h.x.records, func(node string) bool { return h.at[node].IsValid() }
	out := map[string]bool{}
	add := func(section, id string, there bool) {
		if there {
			out[section+" "+id] = true
		}
	}
	vpcs := map[string]bool{}
	subnet := func(s *vpc.Subnet) {
		add("Subnets", s.ID, true)
		add("ACLs", r.ACL(s), r.ACLs[r.ACL(s)] != nil)
	}
	for _, i := range r.Interfaces {
		s := r.Subnets[i.Subnet]
		if nodeOf(i) != node || s == nil || s.VPC != i.VPC || r.VPCs[i.VPC] == nil {
			continue
		}
		add("Interfaces", i.ID, true)
		add("VPCs", i.VPC, true)
		vpcs[i.VPC] = true
		subnet(s)
		if t := r.Tables[r.Table(s)]; t != nil && t.VPC == s.VPC {
			add("RouteTables", t.ID, true)
			for _, route := range r.Routes(t, settings) {
				if n := r.NATs[route.Target]; route.Kind == nodeconf.ToNAT {
					add("NATs", n.ID, true)
					in := r.Subnets[n.Subnet]
					subnet(in)
					add("RouteTables", r.Table(in), true)
				}
			}
		}
		for _, g := range i.Groups {
			add("Groups", g, r.Groups[g] != nil)
			for _, rule := range r.Rules[g] {
				if _, means := spanOf(rule.Match); !means || rule.Peer.Group == "" || r.Groups[g] == nil {
					continue
				}
				for _, m := range r.Interfaces {
					for _, a := range addresses(m) {
						add("Members", nodeconf.MemberKey(rule.Peer.Group, a), slices.Contains(m.Groups, rule.Peer.Group))
					}
				}
			}
		}
	}
	for _, i := range r.Interfaces {
		add("Remotes", i.ID, vpcs[i.VPC] && i.Node != "" && nodeOf(i) != node && told(nodeOf(i)))
	}
	plainNames(h, node, vpcs, add)
	return out
}

func keysOf(c *nodeconf.Config) map[string]bool {
	out := map[string]bool{}
	empty := &nodeconf.Config{}
	for _, k := range nodeconf.Diff(c, empty).Gone {
		out[k.Kind+" "+k.ID] = true
	}
	return out
}

// A node's configuration names what its interfaces need and nothing besides.
func TestOnlyWhatIsNeeded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := inOrder()
		for range rapid.IntRange(0, 12).Draw(t, "steps") {
			if err := h.apply(h.step(world{t})); err != nil {
				t.Fatal(err)
			}
		}
		for _, n := range nodes {
			want := plain(h, n)
			if got := keysOf(h.have[n]); !maps.Equal(got, want) {
				t.Fatalf("node %s has\n%s\nwant\n%s", n, lines(got), lines(want))
			}
		}
	})
}

func lines(m map[string]bool) string { return fmt.Sprintf("%q", slices.Sorted(maps.Keys(m))) }

// FuzzChanges reads any bytes as draws of records and steps: nothing panics, and changes lead to the whole.
func FuzzChanges(f *testing.F) {
	f.Fuzz(rapid.MakeFuzz(func(t *rapid.T) {
		h := newHistory()
		if rapid.Bool().Draw(t, "in order") {
			h = inOrder()
		}
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			if err := h.apply(h.step(world{t})); err != nil {
				t.Fatal(err)
			}
		}
		if err := h.check(); err != nil {
			t.Fatal(err)
		}
	}))
}
