package tables

import (
	"math"
	"net/netip"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
)

// HasBase says whether a home has its default VPC and DHCP options, or had them.
func HasBase(tx store.Tx, h vpc.Home) bool {
	_, ok := Bases.Peek(tx, At(h).Key(base))
	return ok
}

// EnsureBase makes what a home has before anybody asked for anything, once: a default VPC with a subnet in each zone, and DHCP options.
// Writes 14 keys and one more for each zone; none when it was made before.
func EnsureBase(tx store.Tx, h vpc.Home, zones []string) error {
	if _, ok := Bases.Get(tx, At(h).Key(base)); ok {
		return nil
	}
	b := &vpc.Base{Home: h, DHCPOptions: vpc.KindDHCPOptions.NewID(tx.NewID()), MadeAt: tx.Now()}
	Bases.Put(tx, b)
	DHCPOptions.Put(tx, vpc.DefaultDHCPOptions(h, b.DHCPOptions))
	_, err := MakeDefaultVPC(tx, h, zones)
	return err
}

// OptionsOf are the DHCP options that new VPCs of a home get.
func OptionsOf(tx store.Tx, h vpc.Home) string {
	b, ok := Bases.Get(tx, At(h).Key(base))
	if !ok {
		return NoOptions
	}
	if _, ok := DHCPOptions.Get(tx, Key(h, b.DHCPOptions)); !ok {
		return NoOptions
	}
	Use(tx, h, b.DHCPOptions)
	return b.DHCPOptions
}

// NoOptions is what a VPC without DHCP options names.
const NoOptions = "default"

// DefaultVPC answers a home's default VPC.
func DefaultVPC(tx store.Tx, h vpc.Home) (*vpc.VPC, bool) {
	for _, v := range VPCs.List(tx, All(h), "") {
		if v.Default {
			return v, true
		}
	}
	return nil, false
}

// DefaultSubnet answers a zone's default subnet.
func DefaultSubnet(tx store.Tx, h vpc.Home, zone string) (*vpc.Subnet, bool) {
	v, ok := DefaultVPC(tx, h)
	if !ok {
		return nil, false
	}
	for _, s := range SubnetsByVPC.List(tx, v.ID, "") {
		if s.Default && s.Zone == zone {
			return s, true
		}
	}
	return nil, false
}

// MakeDefaultVPC makes a home's default VPC, which it must not have: with a subnet in each zone whose interfaces get public addresses, and
// a way out of it. Writes 12 keys and one more for each zone.
func MakeDefaultVPC(tx store.Tx, h vpc.Home, zones []string) (*vpc.VPC, error) {
	v := &vpc.VPC{Home: h, Default: true, DNSHostnames: true, Blocks: []vpc.Block{{CIDR: vpc.DefaultBlock}}}
	MakeVPC(tx, v)
	igw := &vpc.InternetGateway{Home: h, ID: vpc.KindInternetGateway.NewID(tx.NewID()), VPC: v.ID}
	InternetGateways.Put(tx, igw)
	RouteTables.Put(tx, &vpc.RouteTable{Home: h, ID: v.MainTable, VPC: v.ID, Routes: []vpc.Route{
		{Destination: vpc.Everywhere, Target: igw.ID, Origin: vpc.ByCreateRoute},
	}})
	for i, cidr := range vpc.DefaultSubnets(len(zones)) {
		putDefaultSubnet(tx, v, zones[i], cidr)
	}
	return v, nil
}

// putDefaultSubnet writes a zone's default subnet. Writes 1 key.
func putDefaultSubnet(tx store.Tx, v *vpc.VPC, zone string, cidr netip.Prefix) *vpc.Subnet {
	s := &vpc.Subnet{
		Home: v.Home, ID: vpc.KindSubnet.NewID(tx.NewID()), VPC: v.ID, Zone: zone, CIDR: cidr, Default: true, MapPublic: true,
		HostnameBy: vpc.NamedByAddress, CreatedAt: tx.Now(),
	}
	Subnets.Put(tx, s)
	return s
}

// MakeDefaultSubnet makes a zone's default subnet, which it must not have, in the first range that is free; false when none is. Writes 2 keys.
func MakeDefaultSubnet(tx store.Tx, v *vpc.VPC, zone string) (*vpc.Subnet, bool) {
	there := Of(tx, SubnetsByVPC, v.ID)
	for _, cidr := range vpc.DefaultSubnets(math.MaxInt) {
		if _, taken := vpc.Overlaps(cidr, there); !taken {
			Changed(tx, v.Home, v.ID)
			return putDefaultSubnet(tx, v, zone, cidr), true
		}
	}
	return nil, false
}

// MakeVPC makes a VPC with what every VPC has: a main route table, a network ACL and a security group. The caller says its Home and its
// Blocks, and what of it is not as usual. Writes 10 keys.
func MakeVPC(tx store.Tx, v *vpc.VPC) {
	v.ID, v.CreatedAt = vpc.KindVPC.NewID(tx.NewID()), tx.Now()
	v.Net, v.DNSSupport = NextNumber(tx, NetNumbers), true
	if v.Tenancy == "" {
		v.Tenancy = "default"
	}
	if v.DHCPOptions == "" {
		v.DHCPOptions = OptionsOf(tx, v.Home)
	}
	for i := range v.Blocks {
		v.Blocks[i].Association = vpc.KindVPCBlock.NewID(tx.NewID())
	}
	for i := range v.Blocks6 {
		v.Blocks6[i].Association = vpc.KindVPCBlock.NewID(tx.NewID())
	}
	v.MainTable, v.MainACL = vpc.KindRouteTable.NewID(tx.NewID()), vpc.KindACL.NewID(tx.NewID())
	v.DefaultGroup = vpc.KindGroup.NewID(tx.NewID())
	VPCs.Put(tx, v)
	RouteTables.Put(tx, &vpc.RouteTable{Home: v.Home, ID: v.MainTable, VPC: v.ID})
	ACLs.Put(tx, vpc.DefaultACL(v))
	makeDefaultGroup(tx, v)
	Changed(tx, v.Home, v.ID)
}

// everythingOut lets members of a VPC's default group reach a range. Writes 1 key.
func everythingOut(tx store.Tx, v *vpc.VPC, to netip.Prefix) {
	Rules.Put(tx, &vpc.Rule{Home: v.Home, ID: vpc.KindRule.NewID(tx.NewID()), Group: v.DefaultGroup, Egress: true, Match: vpc.AllTraffic, Peer: vpc.Peer{CIDR: to}})
}

// OpenIPv6 is for a VPC that gets its first IPv6 range: its default network ACL and group allow IPv6 as they do IPv4, unless somebody
// changed them. 4 keys.
func OpenIPv6(tx store.Tx, v *vpc.VPC) error {
	acl, err := ACL(tx, v.Home, v.MainACL)
	if err != nil {
		return err
	}
	ACLs.Put(tx, acl.WithIPv6())
	Changed(tx, v.Home, v.DefaultGroup) // as whoever changes its rules
	out := 0
	open := false
	for _, r := range RulesOf(tx, v.Home, v.DefaultGroup) {
		if r.Egress {
			out++
			open = r.Match == vpc.AllTraffic && r.Peer == vpc.Peer{CIDR: vpc.Everywhere}
		}
	}
	if out == 1 && open {
		everythingOut(tx, v, vpc.Everywhere6)
	}
	return nil
}

// makeDefaultGroup makes a VPC's security group: its members reach each other, and everything outside. Writes 3 keys, 4 with IPv6.
func makeDefaultGroup(tx store.Tx, v *vpc.VPC) {
	SecurityGroups.Put(tx, &vpc.SecurityGroup{
		Home: v.Home, ID: v.DefaultGroup, VPC: v.ID, Name: vpc.DefaultGroupName, Description: vpc.DefaultGroupDescription,
	})
	Rules.Put(tx, &vpc.Rule{Home: v.Home, ID: vpc.KindRule.NewID(tx.NewID()), Group: v.DefaultGroup, Match: vpc.AllTraffic, Peer: vpc.Peer{Group: v.DefaultGroup}})
	everythingOut(tx, v, vpc.Everywhere)
	if len(v.Blocks6) > 0 {
		everythingOut(tx, v, vpc.Everywhere6)
	}
}

// NetNumbers names the numbers of VPCs.
const NetNumbers = "net"

// NextNumber gives away a number of the installation, from 1. Writes 1 key.
func NextNumber(tx store.Tx, name string) uint32 {
	next := vpc.Numbers{Name: name, Last: 1}
	if n, ok := Numbers.Get(tx, store.Installation().Key(name)); ok {
		next.Last = n.Last + 1
	}
	Numbers.Put(tx, &next)
	return next.Last
}

// Changed notes that the parts of a VPC change: every other transaction that changed them at once runs again. Writes 1 key.
func Changed(tx store.Tx, h vpc.Home, id string) {
	next := vpc.Changes{Home: h, VPC: id, N: 1}
	if c, ok := Changes.Get(tx, Key(h, id)); ok {
		next.N = c.N + 1
	}
	Changes.Put(tx, &next)
}
