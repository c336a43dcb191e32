package rules

import (
	"net/netip"
	"testing"

	"github.com/berth-ecs/berth/nodeconf"
)

// Without groups nothing passes an interface, unless it is said that everything does.
func TestOpenInterfaces(t *testing.T) {
	c := &nodeconf.Resources{Subnets: map[string]nodeconf.Subnet{"s": {ID: "s", VPC: "v", CIDR: netip.MustParsePrefix("10.0.0.0/24"), ACL: "a"}}}
	i := nodeconf.Interface{ID: "eni-1", VPC: "v", Subnet: "s", MAC: "0a:00:00:00:00:01", Addresses: []netip.Addr{netip.MustParseAddr("10.0.0.4")}}
	leads := func(i nodeconf.Interface) map[string]string {
		f, err := Interface(c, i)
		if err != nil {
			t.Fatal(err)
		}
		to := map[string]string{}
		for _, e := range f.Elements {
			to[e.Set] = e.Jump
		}
		return to
	}
	if to := leads(i); to[groupsIn] != "" || to[groupsOut] != "" {
		t.Error(to)
	}
	i.Open = true
	if to := leads(i); to[groupsIn] != openChain || to[groupsOut] != openChain {
		t.Error(to)
	}
}
