// Package cloudmap holds the records and rules of AWS Cloud Map: namespaces, services, instances, their health, and operations.
//
// Guarantees:
//
//   - It is pure: no I/O, no clock, no randomness.
//   - An instance's registration and its health are records of their own, so that who registers and who judges do not conflict.
//   - Nothing counts: how many instances a service has is derived, and its revision is the store's of its Changes.
package cloudmap

import "time"

// Namespace is a set of services under one name. It is written by the loop of operations.
type Namespace struct {
	Home
	ID               string // ns-...
	Name             string
	HTTPName         string // what DiscoverInstances calls it; the name, unless another namespace had that first
	Type             string // HTTP, DNS_PRIVATE or DNS_PUBLIC
	VPC              string `json:",omitempty"` // of DNS_PRIVATE
	Zone             string `json:",omitempty"` // id of the hosted zone, unless HTTP
	SOATTL           int64  `json:",omitempty"` // of the zone's SOA record: how long a resolver remembers that there is no name
	Description      string `json:",omitempty"`
	CreatorRequestID string `json:",omitempty"`
	CreatedAt        time.Time
}

// Service is what instances are registered in. It is written by the API, and changed by the loop of operations.
type Service struct {
	Home
	ID               string // srv-...
	Namespace        string // ID
	Name             string
	Type             string // HTTP: found by DiscoverInstances only; DNS_HTTP: by names too
	Description      string `json:",omitempty"`
	CreatorRequestID string `json:",omitempty"`
	CreatedAt        time.Time

	Routing string   `json:",omitempty"` // MULTIVALUE or WEIGHTED; empty when there are no Records
	Records []Record `json:",omitempty"` // what names answer
	Check   *Check   `json:",omitempty"` // by Route 53
	Custom  *Custom  `json:",omitempty"` // by whoever calls UpdateInstanceCustomHealthStatus
}

// Record is a kind of DNS records that instances of a service get.
type Record struct {
	Type string // A, AAAA, SRV or CNAME
	TTL  int64  // seconds
}

// Check is a health check that berth makes for each instance of a service.
type Check struct {
	Type      string // HTTP, HTTPS or TCP
	Path      string `json:",omitempty"` // of HTTP and HTTPS
	Threshold int32  // checks in a row before the health changes
}

// Custom is a health that is told.
type Custom struct {
	Threshold int32 `json:",omitempty"` // how many times 30 s pass before what is told counts; 0: none was asked for
}

// Instance is the registration of one instance. It is written by the loop of operations, or by the wing that owns it.
type Instance struct {
	Home
	Service          string // ID
	ID               string
	Attributes       map[string]string
	CreatorRequestID string `json:",omitempty"`
	Owner            string `json:",omitempty"` // whatever of another wing it stands for; a client's has none
	RegisteredAt     time.Time
}

// InstanceHealth is what is known of an instance's health: without one, nobody has judged yet. It is written by whom the service's
// configuration makes the judge.
type InstanceHealth struct {
	Home
	Service  string // ID
	Instance string // ID
	Status   string // HEALTHY or UNHEALTHY
	At       time.Time
	Next     string    `json:",omitempty"` // what a client told, until Due
	Due      time.Time `json:",omitzero"`
}

// Attributes are what a service says of itself. Only the API writes them.
type Attributes struct {
	Home
	Service string // ID
	Values  map[string]string
}

// Tags are the tags of a namespace or service. Only the API writes them; they go with the resource.
type Tags struct {
	Home
	Resource string // ID
	Pairs    []Pair // in order of Key
}

// Name is taken by a namespace, or by a service of one.
type Name struct {
	Home
	Parent string // HTTPNames, Domains, or the namespace's ID
	Name   string
	ID     string // whose it is
}

// What a namespace's name is taken among.
const (
	HTTPNames = "http" // what DiscoverInstances looks up
	Domains   = "zone" // of namespaces of one type, in one VPC: their names are prefixed by ZoneName
)

// Changes is written whenever a service gets or loses instances, or a namespace services. The store's revision of it is the revision that
// DiscoverInstances answers, and it lets a deletion find out that something was added meanwhile.
type Changes struct {
	Home
	Of string // ID
	By string // tells one change from another
}
