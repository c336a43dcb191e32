package rules

import (
	"maps"
	"net/netip"
	"slices"
	"testing"

	"github.com/berth-ecs/berth/nodeconf"
)

// Two interfaces with one address are a contradiction of these two: everything else of the VPC goes on, and the second one does when the
// first has let go. An address may move within one change.
func TestAddressHasOneOwner(t *testing.T) {
	t.Parallel()
	iface := func(id, private, public string) nodeconf.Interface {
		a := netip.MustParseAddr(private)
		return nodeconf.Interface{
			ID: id, VPC: "vpc-1", Subnet: "subnet-1", MAC: "02:00:00:00:00:01", Addresses: []netip.Addr{a}, SourceCheck: true,
			Public: []nodeconf.Public{{Private: a, Public: netip.MustParseAddr(public)}},
		}
	}
	cidr := netip.MustParsePrefix("10.0.0.0/16")
	c := &nodeconf.Resources{
		VPCs:    map[string]nodeconf.VPC{"vpc-1": {ID: "vpc-1", CIDRs: []netip.Prefix{cidr}}},
		Subnets: map[string]nodeconf.Subnet{"subnet-1": {ID: "subnet-1", VPC: "vpc-1", CIDR: cidr}},
		Interfaces: map[string]nodeconf.Interface{
			"eni-a": iface("eni-a", "10.0.0.10", "198.18.0.1"),
			"eni-b": iface("eni-b", "10.0.0.11", "198.18.0.1"),
			"eni-c": iface("eni-c", "10.0.0.10", "198.18.0.3"),
			"eni-d": iface("eni-d", "10.0.0.13", "198.18.0.4"),
		},
	}
	p := NewPlan("vpc-1")
	failing := func(touched ...nodeconf.Key) []string {
		t.Helper()
		change := p.Update(c, touched)
		return slices.Sorted(maps.Keys(change.Failed))
	}
	key := func(id string) nodeconf.Key { return nodeconf.Key{Kind: "Interfaces", ID: id} }
	if got := failing(Everything(c)...); !slices.Equal(got, []string{"eni-b", "eni-c"}) {
		t.Errorf("fail: %v", got)
	}
	delete(c.Interfaces, "eni-a")
	if got := failing(key("eni-a")); len(got) > 0 {
		t.Errorf("after the first let go: %v", got)
	}
	c.Interfaces["eni-d"], c.Interfaces["eni-b"] = iface("eni-d", "10.0.0.11", "198.18.0.1"), iface("eni-b", "10.0.0.13", "198.18.0.4")
	if got := failing(key("eni-d"), key("eni-b")); len(got) > 0 {
		t.Errorf("two that exchange their addresses: %v", got)
	}
}
