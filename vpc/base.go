package vpc

import (
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"slices"
	"time"
)

// Base is what a home has before anybody asked for anything: its default VPC and its DHCP options. It is made once; what of it is deleted
// later does not come back by itself.
type Base struct {
	Home
	DHCPOptions string // those that new VPCs get
	MadeAt      time.Time
}

// Changes counts how often the parts of a VPC changed: its subnets, tables, groups, gateways. Whoever adds or takes away one writes it, so
// that two transactions that do so at once run one after the other, and neither overlooks the other's part.
type Changes struct {
	Home
	VPC string
	N   int64
}

// Numbers is what numbers of the installation were given away last. A number is never given twice.
type Numbers struct {
	Name string // "net"
	Last uint32
}

// Token is a client token, and what was made with it.
type Token struct {
	Home
	Operation string
	Token     string // a hash of it
	Request   string // a hash of the request's parameters
	Resource  string // id of what was made
	At        time.Time
}

// TokenLife is how long a client token is remembered.
const TokenLife = 24 * time.Hour

// DeletedLife is how long a deleted NAT gateway is describable.
const DeletedLife = time.Hour

// The default VPC and its subnets, as AWS makes them.
var (
	DefaultBlock     = netip.MustParsePrefix("172.31.0.0/16")
	defaultSubnet    = 20 // bits
	maxDefaultSubnet = 1 << (defaultSubnet - DefaultBlock.Bits())
)

// DefaultSubnets are the ranges of the default VPC's subnets, one for each of a number of zones; zones that find no place get none.
func DefaultSubnets(zones int) []netip.Prefix {
	out := make([]netip.Prefix, min(zones, maxDefaultSubnet))
	for i := range out {
		b := DefaultBlock.Addr().As4()
		b[2] = byte(i << (24 - defaultSubnet))
		out[i] = netip.PrefixFrom(netip.AddrFrom4(b), defaultSubnet)
	}
	return out
}

// Domain is the domain that interfaces of a region search unless DHCP options say otherwise.
func Domain(region string) string {
	if region == "us-east-1" {
		return "ec2.internal"
	}
	return region + ".compute.internal"
}

// DefaultDHCPOptions are those that every account has.
func DefaultDHCPOptions(h Home, id string) *DHCPOptions {
	return &DHCPOptions{Home: h, ID: id, Options: []DHCPOption{
		{Key: "domain-name", Values: []string{Domain(h.Region)}}, {Key: "domain-name-servers", Values: []string{ProvidedDNS}},
	}}
}

// ProvidedDNS means the VPC's own resolver where resolvers are named.
const ProvidedDNS = "AmazonProvidedDNS"

// AllTraffic is every packet.
var AllTraffic = Match{Protocol: -1, From: -1, To: -1}

// Everywhere is every IPv4 address.
var Everywhere = netip.PrefixFrom(netip.IPv4Unspecified(), 0)

// Everywhere6 is every IPv6 address.
var Everywhere6 = netip.PrefixFrom(netip.IPv6Unspecified(), 0)

// DefaultACLNumber is the number of the entries of a default network ACL; IPv6 has the next one.
const DefaultACLNumber = 100

// openEntries are what a default network ACL has in each direction: everything is allowed.
func openEntries(six bool) []ACLEntry {
	all := []ACLEntry{{Number: DefaultACLNumber, Match: AllTraffic, CIDR: Everywhere, Allow: true}}
	if six {
		all = append(all, ACLEntry{Number: DefaultACLNumber + 1, Match: AllTraffic, CIDR: Everywhere6, Allow: true})
	}
	return all
}

// DefaultACL is the network ACL that a VPC begins with.
func DefaultACL(v *VPC) *ACL {
	all := openEntries(len(v.Blocks6) > 0)
	return &ACL{Home: v.Home, ID: v.MainACL, VPC: v.ID, Default: true, Ingress: all, Egress: all}
}

// WithIPv6 is a default network ACL after its VPC got IPv6: a direction that nobody changed allows it, one that somebody changed stays.
func (a *ACL) WithIPv6() *ACL {
	next := *a
	for _, direction := range []*[]ACLEntry{&next.Ingress, &next.Egress} {
		if slices.Equal(*direction, openEntries(false)) {
			*direction = openEntries(true)
		}
	}
	return &next
}

// The security group that every VPC has.
const (
	DefaultGroupName        = "default"
	DefaultGroupDescription = "default VPC security group"
)

// implied is the id of an association that has no record: of a VPC with its main table, of a subnet with its VPC's ACL. It changes when
// the target does.
func implied(k Kind, of, target string) string {
	sum := sha256.Sum256([]byte(of + "/" + target))
	return k.NewID(hex.EncodeToString(sum[:]))
}

// MainAssociation is the id of a VPC's association with its main route table.
func (v *VPC) MainAssociation() string { return implied(KindTableAssoc, v.ID, v.MainTable) }

// ACLAssociation is the id of a subnet's association with its VPC's default network ACL.
func (v *VPC) ACLAssociation(subnet string) string {
	return implied(KindACLAssociation, subnet, v.MainACL)
}

// The kinds of associations.
const (
	OfTable = "route-table"
	OfACL   = "network-acl"
)

// Primary is a VPC's first range.
func (v *VPC) Primary() netip.Prefix { return v.Blocks[0].CIDR }

// reserved is how many addresses of a subnet nobody gets: the network's, the gateway's, the resolver's, one for later and the last.
const reserved = 5

// Size is how many addresses of a range interfaces can have.
func Size(p netip.Prefix) int { return 1<<(p.Addr().BitLen()-p.Bits()) - reserved }

// Overlaps names the first of the subnets whose range overlaps p.
func Overlaps(p netip.Prefix, subnets []*Subnet) (*Subnet, bool) {
	for _, s := range subnets {
		if s.CIDR.Overlaps(p) {
			return s, true
		}
	}
	return nil, false
}
