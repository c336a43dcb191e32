package tables

import (
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
	"github.com/berth-ecs/berth/vpc"
)

var us = vpc.Home{Account: "000000000000", Region: "us-east-1"}

func open(t *testing.T) store.Store {
	t.Helper()
	s := mem.Open(Schema(), mem.Options{})
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func update(t *testing.T, s store.Store, fn func(tx store.Tx) error) {
	t.Helper()
	if err := s.Update(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

func view(t *testing.T, s store.Store, fn func(tx store.Tx)) {
	t.Helper()
	if err := s.View(t.Context(), store.Fresh, func(tx store.Tx) error { fn(tx); return nil }); err != nil {
		t.Fatal(err)
	}
}

var zones = []string{"us-east-1a", "us-east-1b", "us-east-1c"}

// A home's first need makes what AWS's accounts have; many at once make it once, and what was deleted stays so.
func TestBaseIsMadeOnce(t *testing.T) {
	s := open(t)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if err := s.Update(t.Context(), func(tx store.Tx) error { return EnsureBase(tx, us, zones) }); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	view(t, s, func(tx store.Tx) {
		v, ok := DefaultVPC(tx, us)
		if !ok || v.Primary() != vpc.DefaultBlock || v.Net != 1 || !v.DNSSupport || !v.DNSHostnames || v.Blocks[0].Association == "" {
			t.Fatalf("%+v", v)
		}
		subnets := Of(tx, SubnetsByVPC, v.ID)
		if len(subnets) != len(zones) {
			t.Fatalf("%d subnets", len(subnets))
		}
		for _, sub := range subnets {
			if got, _ := DefaultSubnet(tx, us, sub.Zone); got != sub || !sub.MapPublic || sub.CIDR.Bits() != 20 || !vpc.DefaultBlock.Overlaps(sub.CIDR) {
				t.Errorf("%+v", sub)
			}
		}
		igw := Of(tx, GatewaysByVPC, v.ID)
		table, _ := RouteTables.Peek(tx, Key(us, v.MainTable))
		if len(igw) != 1 || len(table.Routes) != 1 || table.Routes[0].Target != igw[0].ID || table.Routes[0].Destination != vpc.Everywhere {
			t.Errorf("%+v, %+v", igw, table)
		}
		acl, _ := ACLs.Peek(tx, Key(us, v.MainACL))
		if !acl.Default || len(acl.Ingress) != 1 || !slices.Equal(acl.Ingress, acl.Egress) || acl.Ingress[0].Number != 100 {
			t.Errorf("%+v", acl)
		}
		options, _ := DHCPOptions.Peek(tx, Key(us, v.DHCPOptions))
		if options == nil || options.Options[0].Values[0] != "ec2.internal" {
			t.Errorf("%+v", options)
		}
		checkDefaultGroup(t, tx, v)
	})
	update(t, s, func(tx store.Tx) error {
		v, _ := DefaultVPC(tx, us)
		VPCs.Delete(tx, Key(us, v.ID))
		return nil
	})
	update(t, s, func(tx store.Tx) error { return EnsureBase(tx, us, zones) })
	view(t, s, func(tx store.Tx) {
		if v, ok := DefaultVPC(tx, us); ok {
			t.Errorf("it came back: %+v", v)
		}
	})
}

func checkDefaultGroup(t *testing.T, tx store.Tx, v *vpc.VPC) {
	t.Helper()
	group, err := Group(tx, us, v.DefaultGroup)
	if err != nil || group.Name != "default" || group.VPC != v.ID {
		t.Fatalf("%+v %v", group, err)
	}
	rules := map[bool]*vpc.Rule{}
	for _, r := range Rules.List(tx, At(us).Prefix(group.ID), "") {
		rules[r.Egress] = r
	}
	if in, out := rules[false], rules[true]; in == nil || in.Peer.Group != group.ID || in.Match != vpc.AllTraffic || out == nil || out.Peer.CIDR != vpc.Everywhere {
		t.Errorf("%+v, %+v", in, out)
	}
}

// No two VPCs of the installation have the same number, whoever makes them at the same time.
func TestNumbersAreUnique(t *testing.T) {
	s := open(t)
	var all sync.WaitGroup
	for i := range 12 {
		h := vpc.Home{Account: "00000000000" + strconv.Itoa(i%3), Region: "us-east-1"}
		all.Go(func() {
			if err := s.Update(t.Context(), func(tx store.Tx) error {
				MakeVPC(tx, &vpc.VPC{Home: h, Blocks: []vpc.Block{{CIDR: netip.MustParsePrefix("10.0.0.0/16")}}})
				return nil
			}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	view(t, s, func(tx store.Tx) {
		seen := map[uint32]bool{}
		for _, v := range VPCs.List(tx, "", "") {
			seen[v.Net] = true
		}
		if len(seen) != 12 || seen[0] {
			t.Errorf("numbers %v", seen)
		}
	})
}

func TestGetSaysWhatEC2Says(t *testing.T) {
	s := open(t)
	view(t, s, func(tx store.Tx) {
		for want, ask := range map[string]func() error{
			`InvalidVpcID.Malformed: Invalid id: "vpc-1" (expecting "vpc-...")`:                       func() error { _, err := VPC(tx, us, "vpc-1"); return err },
			"InvalidVpcID.NotFound: The vpc ID 'vpc-01234567' does not exist":                         func() error { _, err := VPC(tx, us, "vpc-01234567"); return err },
			"InvalidGroup.NotFound: The security group 'sg-01234567' does not exist":                  func() error { _, err := Group(tx, us, "sg-01234567"); return err },
			"NatGatewayNotFound: NatGateway nat-01234567 was not found":                               func() error { _, err := NATGateway(tx, us, "nat-01234567"); return err },
			"InvalidSubnetID.NotFound: The subnet ID 'subnet-01234567' does not exist":                func() error { _, err := Subnet(tx, us, "subnet-01234567"); return err },
			"InvalidRouteTableID.NotFound: The routeTable ID 'rtb-01234567' does not exist":           func() error { _, err := RouteTable(tx, us, "rtb-01234567"); return err },
			"InvalidInternetGatewayID.NotFound: The internetGateway ID 'igw-01234567' does not exist": func() error { _, err := InternetGateway(tx, us, "igw-01234567"); return err },
		} {
			if err := ask(); err == nil || err.Error() != want {
				t.Errorf("%v, want %s", err, want)
			}
		}
	})
}

func TestDefaultSubnets(t *testing.T) {
	if got := vpc.DefaultSubnets(3); got[2] != netip.MustParsePrefix("172.31.32.0/20") {
		t.Errorf("%v", got)
	}
	if got := vpc.DefaultSubnets(40); len(got) != 16 || got[15] != netip.MustParsePrefix("172.31.240.0/20") {
		t.Errorf("%v", got)
	}
}
