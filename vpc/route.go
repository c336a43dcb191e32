package vpc

import (
	"net/netip"
	"time"
)

// RouteTable holds the routes of subnets. The routes to the VPC's own blocks ("local") are not among Routes: they follow the VPC.
type RouteTable struct {
	Home
	ID     string
	VPC    string
	Routes []Route
}

// Route leads a destination to a target. The longest prefix wins. A target that is gone makes the route a blackhole.
type Route struct {
	Destination netip.Prefix
	PrefixList  string // instead of Destination
	Target      string // id: "igw-...", "nat-...", "eni-...", "pcx-...", "local"
	Origin      string // "CreateRoute" or "CreateRouteTable"
}

// ByCreateRoute is the origin of a route that is not a table's first.
const ByCreateRoute = "CreateRoute"

// Local is the target of a VPC's own ranges.
const Local = "local"

// Association gives a subnet a route table or a network ACL other than its VPC's. One record for a subnet and kind; the
// main table's association of a VPC has no record.
type Association struct {
	Home
	ID     string // "rtbassoc-...", "aclassoc-..."
	Kind   string // "route-table" or "network-acl"
	Subnet string
	Target string // id of the table or ACL
}

// InternetGateway leads out of a VPC for interfaces that have a public address.
type InternetGateway struct {
	Home
	ID  string
	VPC string // "" while it is detached
}

// NATGateway leads out for interfaces that have none: it translates to its own address. It has an interface in its subnet (Owner is its id).
type NATGateway struct {
	Home
	ID           string
	VPC          string
	Subnet       string
	Connectivity string // "public" or "private"
	Interface    string
	Addresses    []NATAddress // the first is the primary one
	CreatedAt    time.Time
	DeletedAt    time.Time // it stays describable as deleted for an hour
	ClientToken  string
}

// NATAddress is an address a NAT gateway translates to.
type NATAddress struct {
	Private     netip.Addr
	Public      netip.Addr
	Elastic     string
	Association string
}
