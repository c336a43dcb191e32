package vpc

import "net/netip"

// SecurityGroup is a stateful allow list of interfaces. Its rules are records beside it.
type SecurityGroup struct {
	Home
	ID          string
	VPC         string
	Name        string
	Description string
}

// Rule is one rule of a security group, with an id of its own.
type Rule struct {
	Home
	ID          string // "sgr-..."
	Group       string
	Egress      bool
	Match       Match
	Peer        Peer
	Description string
}

// Match is a protocol and a range of what it has: ports, or ICMP's types and codes.
type Match struct {
	Protocol int32 // IANA number; -1 for every protocol
	From     int32 // first port, or ICMP type; -1 for all
	To       int32 // last port, or ICMP code; -1 for all
}

// Peer is the other side of a rule: exactly one member is set.
type Peer struct {
	CIDR       netip.Prefix // IPv4 or IPv6
	Group      string       // the members of a security group
	PrefixList string       // "pl-..."
}

// ACL is a network ACL: the stateless filter of subnets. Entries are in order of Number; what none matches is denied.
type ACL struct {
	Home
	ID      string
	VPC     string
	Default bool
	Ingress []ACLEntry
	Egress  []ACLEntry
}

// ACLEntry is one numbered rule, 1 to 32766. IPv4 and IPv6 share the numbers.
type ACLEntry struct {
	Number int32
	Match  Match
	CIDR   netip.Prefix
	Allow  bool
}

// PrefixList is a named list of ranges. Only those of AWS ("com.amazonaws.<region>.s3") are here, made from nothing but their name.
type PrefixList struct {
	Home
	ID      string
	Name    string
	Family  string // "IPv4" or "IPv6"
	Entries []netip.Prefix
}
