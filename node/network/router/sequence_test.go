package router

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/node/network/netspace"
	"github.com/berth-ecs/berth/node/network/router/inner"
	"github.com/berth-ecs/berth/nodeconf"
)

// mutate changes a few things of a configuration.
func (n *net4) mutate(r *rand.Rand, public netip.Addr) {
	vpcs := slices.Sorted(maps.Keys(n.VPCs))
	pick := func(s []string) string { return s[r.IntN(len(s))] }
	entry := func(number int32) nodeconf.Entry {
		return nodeconf.Entry{Number: number, Match: nodeconf.Match{Protocol: 6, From: r.Int32N(100), To: 100}, CIDR: netip.MustParsePrefix(pick([]string{anywhere, "10.0.1.0/24"})), Allow: r.IntN(2) == 0}
	}
	for range 1 + r.IntN(4) {
		vpc := pick(vpcs)
		id := fmt.Sprintf("eni-%s-%d", vpc, r.IntN(4))
		switch r.IntN(9) {
		case 0:
			if len(n.VPCs) < 2 {
				n.addVPC("vpc-2", "10.0.0.0/16")
			}
		case 1, 2:
			if _, exists := n.Interfaces[id]; !exists {
				n.iface(id, vpc+pick([]string{"a", "b"}), "sg-"+vpc)
			}
		case 3:
			delete(n.Interfaces, id)
		case 4:
			n.group(vpc, "sg-"+vpc, allow(6, r.Int32N(100), 100, pick([]string{anywhere, "10.0.2.0/24", "sg-" + vpc, "sg-more-" + vpc})), allow(17, -1, -1, anywhere))
		case 5:
			if i, exists := n.Interfaces[id]; exists {
				n.group(vpc, "sg-more-"+vpc, allow(1, 8, -1, anywhere), allow(6, 7, 7, "sg-"+vpc))
				i.Groups = []string{"sg-" + vpc, "sg-more-" + vpc}
				i.SourceCheck = r.IntN(2) == 0
				n.Interfaces[id] = i
			}
		case 6:
			for other, i := range n.Interfaces {
				i.Public = nil
				n.Interfaces[other] = i
			}
			if _, exists := n.Interfaces[id]; exists {
				n.public(id, public)
			}
		case 7:
			n.ACLs["acl-"+vpc] = nodeconf.ACL{ID: "acl-" + vpc, VPC: vpc, Ingress: []nodeconf.Entry{entry(1), entry(2)}, Egress: []nodeconf.Entry{entry(1)}}
		case 8:
			n.RouteTables["rtb-"+vpc] = nodeconf.RouteTable{ID: "rtb-" + vpc, VPC: vpc, Routes: []nodeconf.Route{
				{Destination: netip.MustParsePrefix(pick([]string{anywhere, "8.0.0.0/7"})), Kind: pick([]string{nodeconf.ToInternet, nodeconf.Blackhole})},
				{Destination: netip.MustParsePrefix("9.0.0.0/8"), Kind: nodeconf.ToInterface, Target: id},
			}}
		}
	}
}

// Whatever configurations came before, the kernel has what the last one says: after changes, after a restart, and when it comes first.
func TestSequencesEndInTheSame(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	r := open(t)
	for range 5 {
		n := newNet("vpc-1", "10.0.0.0/16")
		for range 5 {
			n.mutate(rnd, pool(r, 1))
			n.apply(t, r)
		}
		changed := picture(t, r)
		r = reopen(t, r)
		n.apply(t, r)
		if diff := cmp.Diff(changed, picture(t, r)); diff != "" {
			t.Fatalf("-after changes +after a restart:\n%s", diff)
		}
		empty := &net4{Config: nodeconf.Config{Version: n.Version}}
		empty.apply(t, r)
		if left := picture(t, r); len(left) > 0 {
			t.Fatalf("after a configuration of nothing: %v", left)
		}
		n.Version = empty.Version
		n.apply(t, r)
		if diff := cmp.Diff(changed, picture(t, r)); diff != "" {
			t.Fatalf("-after changes +at once:\n%s", diff)
		}
		empty.Version = n.Version
		empty.apply(t, r)
	}
}

// picture is everything that the kernel has of an installation, apart from the namespaces that are kept ready.
func picture(t *testing.T, r *Routers) []string {
	t.Helper()
	settle(t, r)
	var out []string
	for _, id := range r.VPCs() {
		v := r.vpcs[id]
		out = append(out, rulesOf(t, r.cfg.vpcMount(id))...)
		links, err := netspace.Dump(v.nl.LinkList)
		if err != nil {
			t.Fatal(err)
		}
		names := map[int]string{}
		for _, l := range links {
			a := l.Attrs()
			names[a.Index] = a.Name
			if !strings.HasPrefix(a.Name, sparePrefix) {
				out = append(out, fmt.Sprintf("link %s %q %d %s", a.Name, a.Alias, a.MTU, a.OperState))
			}
		}
		routes, err := netspace.Dump(func() ([]netlink.Route, error) {
			return v.nl.RouteListFiltered(unix.AF_INET, &netlink.Route{Table: unix.RT_TABLE_UNSPEC}, netlink.RT_FILTER_TABLE)
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range routes {
			out = append(out, fmt.Sprintf("route %s %s via %s in %d, type %d", x.Dst, names[x.LinkIndex], x.Gw, x.Table, x.Type))
		}
		neighbours, err := netspace.Dump(func() ([]netlink.Neigh, error) { return v.nl.NeighList(0, unix.AF_INET) })
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range neighbours {
			if x.State&netlink.NUD_PERMANENT != 0 {
				out = append(out, fmt.Sprintf("neighbour %s %s %s", x.IP, x.HardwareAddr, names[x.LinkIndex]))
			}
		}
		policies, err := netspace.Dump(func() ([]netlink.Rule, error) { return v.nl.RuleList(unix.AF_INET) })
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range policies {
			out = append(out, fmt.Sprintf("policy %d %x %d", x.Priority, x.Mark, x.Table))
		}
		publics, err := v.routedHere()
		if err != nil {
			t.Fatal(err)
		}
		for a := range publics {
			out = append(out, fmt.Sprintf("public %s by %s", a, v.edge.name))
		}
		for id, p := range v.ports {
			out = append(out, insideOf(t, r, id, p)...)
		}
	}
	enis, err := netspace.Names(r.cfg.eniDir(), idRule.MatchString)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range enis {
		out = append(out, "interface "+id)
	}
	slices.Sort(out)
	return out
}

func insideOf(t *testing.T, r *Routers, id string, p *port) []string {
	t.Helper()
	h, eth0, done, err := inner.Enter(r.cfg.eniMount(id))
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	addrs, err := inner.AddressesOf(h, eth0)
	if err != nil {
		t.Fatal(err)
	}
	a := eth0.Attrs()
	return []string{fmt.Sprintf("eth0 of %s: %s %d %v", id, a.HardwareAddr, a.MTU, slices.SortedFunc(maps.Keys(addrs), netip.Addr.Compare))}
}

// rulesOf is the ruleset of a namespace, one line for each set, chain with its rules, and map.
func rulesOf(t *testing.T, path string) []string {
	t.Helper()
	text, err := exec.Command("nsenter", "--net="+path, "nft", "-j", "list", "ruleset").Output()
	if err != nil {
		t.Fatalf("nft: %v", err)
	}
	var all struct {
		Nftables []map[string]map[string]any `json:"nftables"`
	}
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	rules := map[string]string{}
	var out []string
	for _, item := range all.Nftables {
		for kind, x := range item {
			delete(x, "handle")
			if list, ok := x["elem"].([]any); ok {
				lines := make([]string, len(list))
				for i, e := range list {
					lines[i] = asJSON(t, e)
				}
				slices.Sort(lines)
				x["elem"] = lines
			}
			switch kind {
			case "metainfo":
			case "rule":
				rules[fmt.Sprint(x["family"], " ", x["chain"])] += "\n\t" + asJSON(t, x["expr"])
			default:
				out = append(out, kind+" "+asJSON(t, x))
			}
		}
	}
	for chain, lines := range rules {
		out = append(out, "rules of "+chain+lines)
	}
	return out
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
