package vpc

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestPrivateName(t *testing.T) {
	for region, want := range map[string]string{"us-east-1": "ip-10-0-0-5.ec2.internal", "eu-west-1": "ip-10-0-0-5.eu-west-1.compute.internal"} {
		if got := PrivateName(region, netip.MustParseAddr("10.0.0.5")); got != want {
			t.Errorf("%s: %s, want %s", region, got, want)
		}
	}
}

func TestWhatDHCPOptionsSay(t *testing.T) {
	v := &VPC{Blocks: []Block{{CIDR: netip.MustParsePrefix("10.1.0.0/16")}}}
	d := &DHCPOptions{Options: []DHCPOption{
		{Key: "domain-name", Values: []string{"a.example b.example"}}, {Key: "domain-name-servers", Values: []string{"AmazonProvidedDNS", "192.0.2.1"}},
	}}
	if diff := cmp.Diff([]string{"a.example", "b.example"}, d.Search()); diff != "" {
		t.Error(diff)
	}
	servers := []netip.Addr{netip.MustParseAddr("10.1.0.2"), netip.MustParseAddr("192.0.2.1")}
	if diff := cmp.Diff(servers, d.Servers(v), cmpopts.EquateComparable(netip.Addr{})); diff != "" {
		t.Error(diff)
	}
	if got := (&DHCPOptions{}).Servers(v); got != nil {
		t.Errorf("nobody is named: %v", got)
	}
	if got := (&Subnet{CIDR: netip.MustParsePrefix("10.1.16.0/20")}).Router().String(); got != "10.1.16.1/20" {
		t.Error(got)
	}
}
