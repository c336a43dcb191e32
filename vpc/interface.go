package vpc

import (
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Interface is an elastic network interface (ENI).
type Interface struct {
	Home
	ID            string
	VPC           string
	Subnet        string
	Zone          string
	MAC           string // "0a:..", unique in the VPC
	Description   string
	Type          string // "interface", "branch", "nat_gateway", "network_load_balancer", ...
	Private       []Private
	IPv6          []netip.Addr
	SourceCheck   bool // drop what it sends or gets that is not of its own addresses
	Groups        []string
	Requester     string // RequesterId when another service made it; it is then RequesterManaged
	Owner         string // the record it was made for (a task's ARN, a NAT gateway's id); "" for a client's. It goes when that goes
	Instance      string // EC2 instance it is attached to, as it is shown; "" for none
	Attachment    string // "eni-attach-..."; "" when it is attached to nothing
	DeviceIndex   int32
	DeleteOnEnd   bool   // of the attachment
	Node          string // node that it must be on; "" for nowhere yet
	AttachedAt    time.Time
	CreatedAt     time.Time
	ClientToken   string // as it was made with
	PublicDNSName string // kept only when it is set by hand
	ServiceTags   []Pair // that the service gave it that made it ("aws:ecs:..."), in order of Key; clients' own are Tags
}

// AllTags are the tags that an interface is shown with: its service's and the clients' own, in order of their keys.
func (i *Interface) AllTags(own []Pair) []Pair {
	if len(i.ServiceTags) == 0 {
		return own
	}
	all := slices.Concat(i.ServiceTags, own)
	slices.SortFunc(all, func(a, b Pair) int { return strings.Compare(a.Key, b.Key) })
	return all
}

// Private is a private address of an interface. The first is the primary one.
type Private struct {
	Addr   netip.Addr
	Public netip.Addr // 1:1 with Addr; the zero Addr for none
	// Elastic is the allocation id of Public ("eipalloc-..."), "" for one that was assigned with the interface and goes with it.
	Elastic     string
	Association string // "eipassoc-..."
}

// Address says who has, or last had, an address of a subnet. It stays for a while after the address was freed, so that what still sends to
// the address does not reach a stranger.
type Address struct {
	Home
	Subnet    string
	Addr      netip.Addr
	Interface string    // "" when it is free and rests
	FreedAt   time.Time // when it became so
}

// PublicAddress says who has an address of the pool of public addresses. The pool is the installation's, not an account's.
type PublicAddress struct {
	Addr    netip.Addr
	Home              // of Owner
	Owner   string    // interface id or allocation id; "" when it rests
	FreedAt time.Time // when it became so
}

// Elastic is a public address that an account keeps until it releases it.
type Elastic struct {
	Home
	ID   string // "eipalloc-..."
	Addr netip.Addr
	// Interface and Private say where it is associated; "" for nowhere. Interface.Private is written in the same transaction.
	Interface   string
	Private     netip.Addr
	Association string
	AllocatedAt time.Time
}
