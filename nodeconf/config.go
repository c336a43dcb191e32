package nodeconf

import "net/netip"

// Config is everything one node must be. Keys of the maps are the ids of the resources unless it says otherwise.
type Config struct {
	Version   int64 // the store's revision it was compiled from; it only grows
	Resources       // inlined
}

// Resources are the parts of a configuration, or of a change of it.
type Resources struct {
	VPCs        map[string]VPC        `json:",omitempty"`
	Subnets     map[string]Subnet     `json:",omitempty"`
	Interfaces  map[string]Interface  `json:",omitempty"` // of this node
	Groups      map[string]Group      `json:",omitempty"` // security groups that Interfaces have
	Members     map[string]Member     `json:",omitempty"` // by MemberKey: of the groups that rules of Groups refer to
	ACLs        map[string]ACL        `json:",omitempty"`
	RouteTables map[string]RouteTable `json:",omitempty"`
	NATs        map[string]NAT        `json:",omitempty"`
	Remotes     map[string]Remote     `json:",omitempty"` // interfaces of the VPCs here that are on other nodes, by id
	Homes       map[string]Home       `json:",omitempty"` // by HomeKey
	Zones       map[string]Zone       `json:",omitempty"`
	Values      map[string]Value      `json:",omitempty"` // by ValueKey: of Zones
}

// VPC is a network that the node takes part in: it has a router namespace for it.
type VPC struct {
	ID           string
	Net          uint32         // number of the VPC in the installation; VXLAN's network identifier
	Account      string         `json:",omitempty"`
	Region       string         // for the names of interfaces
	CIDRs        []netip.Prefix // the first is the primary one
	CIDRs6       []netip.Prefix `json:",omitempty"`
	DNSSupport   bool           // the resolver at the primary CIDR's base + 2, 169.254.169.253 and fd00:ec2::253 answers
	DNSHostnames bool           // public names are answered
	Domain       string         // DHCP options' domain-name: what tasks search
	Resolvers    []netip.Addr   `json:",omitempty"` // DHCP options' domain-name-servers; empty for AmazonProvidedDNS: the VPC's own
	Gateway      string         `json:",omitempty"` // the internet gateway that is attached, "" for none
}

// Home is the VPC that the machine itself counts as in, whether the node has interfaces in it or not: tasks that share the machine's network, or
// its bridge, are answered as that VPC's are. It has no router for that.
type Home struct {
	VPC // inlined
}

// HomeKey is the key of a home.
func HomeKey(account, region string) string { return account + "/" + region }

// Subnet is a subnet in which the node has an interface, or one that a NAT gateway of NATs is in.
type Subnet struct {
	ID         string
	VPC        string
	CIDR       netip.Prefix
	CIDR6      netip.Prefix `json:",omitzero"`
	Gateway    netip.Addr   // the subnet's first address
	ACL        string
	RouteTable string
}

// Interface is an interface that the node has: one end in the VPC's router, the other eth0 of a namespace of its own.
type Interface struct {
	ID          string
	VPC         string
	Subnet      string
	MAC         string
	MTU         int
	Addresses   []netip.Addr // private IPv4 addresses; the first is the primary one
	Addresses6  []netip.Addr `json:",omitempty"`
	Public      []Public     `json:",omitempty"`
	Groups      []string
	Open        bool `json:",omitempty"` // it has no groups, and everything passes; without, nothing does
	SourceCheck bool
	Owner       string `json:",omitempty"` // what it is for: a task's ARN
}

// Public is a public address and the private one it stands for.
type Public struct{ Private, Public netip.Addr }

// Group is what a security group allows. Ranges of one direction are disjoint: of one protocol no packet is in two of them.
type Group struct {
	ID      string
	VPC     string
	Ingress []Allow `json:",omitempty"`
	Egress  []Allow `json:",omitempty"`
}

// Allow allows a protocol and a range to or from a peer: addresses First to Last, or the members of Group.
type Allow struct {
	Match
	First netip.Addr `json:",omitzero"`
	Last  netip.Addr `json:",omitzero"`
	Group string     `json:",omitempty"`
}

// Match is a protocol and a range of what it has: ports, or ICMP's types and codes.
type Match struct {
	Protocol int32 // IANA number; -1 for every protocol
	From     int32 // first port, or ICMP type; -1 for all
	To       int32 // last port, or ICMP code; -1 for all
}

// Member is an address of an interface that has a group, on whichever node.
type Member struct {
	Group string
	Addr  netip.Addr
}

// MemberKey is the key of a member.
func MemberKey(group string, a netip.Addr) string { return group + "/" + a.String() }

// ACL is a network ACL. Entries are in order; the first that matches decides, and what none matches is dropped.
type ACL struct {
	ID      string
	VPC     string
	Ingress []Entry `json:",omitempty"`
	Egress  []Entry `json:",omitempty"`
}

// Entry is an entry of an ACL.
type Entry struct {
	Number int32
	Match
	CIDR  netip.Prefix
	Allow bool
}

// RouteTable is where packets of subnets go that leave the VPC's own ranges; those stay inside.
type RouteTable struct {
	ID     string
	VPC    string
	Routes []Route `json:",omitempty"` // in order of Destination, one for each
}

// Kinds of routes.
const (
	ToInternet  = "internet"  // the internet gateway: for addresses that have a public one
	ToNAT       = "nat"       // NATs[Target]
	ToInterface = "interface" // the interface Target, whatever the packet's destination
	Blackhole   = "blackhole" // the target is gone
)

// Route is a route of a table. The longest prefix wins.
type Route struct {
	Destination netip.Prefix
	Kind        string
	Target      string `json:",omitempty"`
}

// NAT is a NAT gateway: sources become its address, ports are translated.
type NAT struct {
	ID      string
	VPC     string
	Subnet  string // whose route table and ACL hold for what it sends
	Private netip.Addr
	Public  netip.Addr `json:",omitzero"` // none for a private one
}

// Remote is an interface on another node that is known to be reached at an address.
type Remote struct {
	ID        string
	VPC       string
	MAC       string
	Addresses []netip.Addr
	Node      netip.Addr `json:",omitzero"` // the other node's address on the machines' network
}

// Zone is a part of the name space that the resolvers of VPCs answer by Values alone.
type Zone struct {
	ID      string
	Name    string   // without a dot at its end
	VPCs    []string `json:",omitempty"` // whose resolvers answer it
	Public  bool     `json:",omitempty"` // all answer it, but for those that have a zone of the same name to themselves
	SOA     SOA
	Servers []string `json:",omitempty"` // its name servers; empty: SOA.Server
}

// SOA is what a zone says of itself.
type SOA struct {
	Server, Mailbox string
	TTL             uint32 // seconds that it may be kept, and "there is no such name" too
}

// Value is one record of a name. It is apart from the name's others, so that one that comes or goes is a change of that size.
type Value struct {
	Zone      string
	Name      string // without a dot at its end
	Type      string // A, AAAA, SRV, CNAME, TXT, ...
	TTL       uint32 // seconds
	Value     string // as in a zone file
	Weighted  bool   `json:",omitempty"` // one of the name's values is drawn; not: all are answered, up to eight, in an order of their own
	Unhealthy bool   `json:",omitempty"` // it is answered when all of the name's are
}

// ValueKey is the key of a value; id is unique among the values of its name and type.
func ValueKey(zone, name, kind, id string) string { return zone + "/" + name + "/" + kind + "/" + id }
