// Package elb holds the records and rules of Elastic Load Balancing: load balancers, listeners, rules, target groups and their targets.
//
// Guarantees:
//
//   - It is pure: no I/O, no clock, no randomness.
//   - A record has one writer. What a load balancer should be, what became of it, who is a target of a group and how that target is are records of their own.
//   - Nothing counts: what a load balancer or target group is used by is derived.
package elb

import (
	"net/netip"
	"time"
)

// LoadBalancer is an application or network load balancer. The API writes it.
type LoadBalancer struct {
	Home
	ID             string // 16 hex digits, the last part of its ARN
	Name           string
	Type           string // application or network
	Scheme         string // internet-facing or internal
	VPC            string
	Zones          []Zone   // in order of Name
	SecurityGroups []string // of its interfaces; none for a network one that was made without
	IPAddressType  string   // ipv4
	DNSName        string   // <name>-<digits>.<region>.elb.amazonaws.com; "internal-" before it when it is
	CreatedAt      time.Time
}

// Zone is where a load balancer has a node: a hidden task with an interface in Subnet.
type Zone struct {
	Name       string
	Subnet     string
	Allocation string     `json:",omitempty"` // of an Elastic address; network and internet-facing only
	Private    netip.Addr `json:",omitzero"`  // that was asked for; network and internal only
}

// LoadBalancerStatus is what became of a load balancer. The loop of load balancers writes it.
type LoadBalancerStatus struct {
	Home
	LoadBalancer string // ID
	State        string // provisioning, active, active_impaired or failed
	Reason       string `json:",omitempty"`
	Nodes        []Node // in order of Zone, then Task
}

// Node is one of a load balancer's places: a hidden task, its interface, and the machine whose Envoy serves it.
type Node struct {
	Zone      string
	Subnet    string
	Task      string     // ARN
	Machine   string     // name of the berth node
	Interface string     // eni-...
	Private   netip.Addr // its primary address
	Public    netip.Addr `json:",omitzero"` // internet-facing only
	Serving   bool       // the task runs and its machine's proxy has acknowledged the listeners once; only such a node is in DNS
}

// Place is what the proxy of a machine says of one node of a load balancer. Who hears the nodes' reports writes it; the loop of load balancers
// makes Node.Serving of it, and deletes it when the interface is gone.
type Place struct {
	Home
	LoadBalancer string // ID
	Zone         string
	Interface    string
	Machine      string // name of the berth node that said it
	Serving      bool   // its listeners are open
	Error        string `json:",omitempty"` // why the proxy refused what it was last told; it goes on with what it had
	At           time.Time
}

// Attributes are what somebody set of a load balancer, listener or target group. The API writes them; what is not in Values has its default.
type Attributes struct {
	Home
	Of     string // ARN
	Values map[string]string
}

// Tags are the tags of any resource. The API writes them; they go with the resource.
type Tags struct {
	Home
	Of    string // ARN
	Pairs []Pair // in order of Key
}

// Listener is a port of a load balancer. The API writes it.
type Listener struct {
	Home
	LoadBalancer string // ID
	ID           string // 16 hex digits
	Port         int32
	Protocol     string   // HTTP, HTTPS or TCP
	Policy       string   `json:",omitempty"` // SSL policy, of HTTPS
	Certificate  string   `json:",omitempty"` // ARN of the default one, of HTTPS
	ALPN         []string `json:",omitempty"`
	Default      []Action // what no rule takes
	CreatedAt    time.Time
}

// Certificate is one more certificate of a listener, chosen by server name. The API writes it.
type Certificate struct {
	Home
	LoadBalancer string // ID
	Listener     string // ID
	ARN          string
}

// Rule is a rule of a listener, but for the default one. The API writes it.
type Rule struct {
	Home
	LoadBalancer string // ID
	Listener     string // ID
	ID           string // 16 hex digits
	Priority     int32  // 1 to 50000; no two rules of a listener have one
	Conditions   []Condition
	Actions      []Action
	CreatedAt    time.Time
}

// Condition is true of a request when one of its values is; all conditions of a rule must be.
type Condition struct {
	Field  string   // host-header, path-pattern, http-header, http-request-method, query-string or source-ip
	Header string   `json:",omitempty"` // of http-header
	Values []string `json:",omitempty"` // patterns with * and ?; methods; CIDRs
	Regex  []string `json:",omitempty"` // of host-header, path-pattern and http-header instead
	Query  []Pair   `json:",omitempty"` // of query-string: patterns; Key may be empty
}

// Action is what happens to a request. The last one of a rule forwards, redirects or responds.
type Action struct {
	Type     string     // forward, redirect or fixed-response
	Order    int32      `json:",omitempty"`
	Groups   []Weighted `json:",omitempty"` // of forward, at least one
	Sticky   int32      `json:",omitempty"` // of forward: seconds for which a client stays with a group; 0: it does not
	Redirect *Redirect  `json:",omitempty"`
	Fixed    *Fixed     `json:",omitempty"`
}

// Weighted is a target group and its share.
type Weighted struct {
	Group  string // ID
	Weight int32  // 0 to 999
}

// Redirect leads elsewhere; its parts may hold #{protocol}, #{host}, #{port}, #{path} and #{query}.
type Redirect struct {
	Protocol, Host, Port, Path, Query string
	Status                            string // HTTP_301 or HTTP_302
}

// Fixed is an answer of the load balancer's own.
type Fixed struct {
	Status      string // three digits
	ContentType string
	Body        string
}

// TargetGroup is where requests go. The API writes it.
type TargetGroup struct {
	Home
	ID        string // 16 hex digits
	Name      string
	Type      string // instance, ip or alb
	Protocol  string // HTTP, HTTPS or TCP
	Version   string `json:",omitempty"` // HTTP1, HTTP2 or GRPC; of HTTP and HTTPS
	Port      int32
	VPC       string
	Check     Check
	CreatedAt time.Time
}

// Check is how the targets of a group are looked at.
type Check struct {
	Enabled   bool
	Protocol  string // HTTP, HTTPS or TCP
	Port      string // digits, or traffic-port
	Path      string `json:",omitempty"` // of HTTP and HTTPS
	Interval  int32  // seconds
	Timeout   int32  // seconds
	Healthy   int32  // in a row
	Unhealthy int32  // in a row
	HTTPCodes string `json:",omitempty"` // of HTTP and HTTPS: 200, 200-299 or 200,202
	GRPCCodes string `json:",omitempty"` // of version GRPC
}

// Target is a registration. The API writes it, for a client, or the wing that owns it in a transaction of its own.
type Target struct {
	Home
	Group string // ID
	TargetKey
	Place        string `json:",omitempty"` // the zone it is in; none when that is beyond the VPC
	Owner        string `json:",omitempty"` // whatever of another wing it stands for, a task's ARN; a client's has none
	RegisteredAt time.Time
	// DrainingSince is when it was deregistered; zero while it is registered. A draining target gets no new requests; the loop of targets deletes
	// it when nothing of it is in flight on any load balancer node, or the group's deregistration delay is over.
	DrainingSince time.Time `json:",omitzero"`
}

// TargetKey names a target within its group.
type TargetKey struct {
	ID   string // an IPv4 address, i-..., or the ARN of a load balancer
	Port int32
	Zone string `json:",omitempty"` // all, when an address is beyond the VPC
}

// TargetHealth is what the node of a load balancer in one zone sees of a target at one of its addresses. Who hears the nodes' reports writes it;
// it counts while that node serves.
type TargetHealth struct {
	Home
	Group string // ID
	TargetKey
	Addr         netip.Addr // where it was looked at: an instance has one, a load balancer as many as it has nodes
	LoadBalancer string     // ID
	Zone         string     // whose node looked
	Interface    string     // of that node
	State        string     // initial, healthy or unhealthy; drained when nothing of a draining target is in flight there any more
	Reason       string     `json:",omitempty"` // Elb.InitialHealthChecking, Target.Timeout, ...
	Description  string     `json:",omitempty"`
	At           time.Time
}

// Name is the name of a load balancer or target group, which only one may have. The API writes it in the transaction that makes or deletes it.
type Name struct {
	Home
	Of   string // NamesOfLoadBalancers or NamesOfGroups
	Name string
	ID   string // of what has it
}

// Changes is written by whoever adds something to a load balancer, listener or target group, or begins to use it, in that transaction: so it never
// happens beside the deletion of what must be empty or unused, or beside another one that counts. Nobody reads it.
type Changes struct {
	Home
	Of string // ID
	By string
}
