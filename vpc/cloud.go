package vpc

import (
	"net/netip"
	"time"
)

// VPC is a network of its own. Its addresses may be those of any other VPC.
type VPC struct {
	Home
	ID           string
	Net          uint32  // number of the VPC in the installation, unique, from 1; names its overlay
	Blocks       []Block // IPv4; the first is the primary one
	Blocks6      []Block // IPv6
	Tenancy      string
	Default      bool
	DNSSupport   bool   // the resolver answers
	DNSHostnames bool   // interfaces with a public address get a public name
	NAUMetrics   bool   // kept and answered
	DHCPOptions  string // id, or "default" for none
	MainTable    string // route table of subnets that name none
	MainACL      string // the default network ACL
	DefaultGroup string // the default security group
	CreatedAt    time.Time
}

// Block is a range of a VPC or subnet and its association's id.
type Block struct {
	Association string // "vpc-cidr-assoc-...", "subnet-cidr-assoc-..."
	CIDR        netip.Prefix
}

// Subnet is a part of a VPC in one zone. Its route table and network ACL are records beside it (Association), or the VPC's.
type Subnet struct {
	Home
	ID          string
	VPC         string
	Zone        string // name
	CIDR        netip.Prefix
	Blocks6     []Block
	Default     bool   // the zone's default subnet
	MapPublic   bool   // interfaces made at the launch of a task or instance get a public address when nothing is said
	AssignIPv6  bool   // interfaces get an IPv6 address when nothing is said
	DNS64       bool   // kept and answered
	HostnameBy  string // NamedByAddress or NamedByResource
	ResourceA   bool   // EnableResourceNameDnsARecord, kept and answered
	ResourceAAA bool   // EnableResourceNameDnsAAAARecord, kept and answered
	CreatedAt   time.Time
}

// DHCPOptions are what interfaces are told of names: search domain and resolvers.
type DHCPOptions struct {
	Home
	ID      string
	Options []DHCPOption
}

// DHCPOption is one of domain-name, domain-name-servers, ntp-servers, netbios-name-servers, netbios-node-type and
// ipv6-address-preferred-lease-time.
type DHCPOption struct {
	Key    string
	Values []string
}

// How hosts of a subnet are named.
const (
	NamedByAddress  = "ip-name"
	NamedByResource = "resource-name"
)
