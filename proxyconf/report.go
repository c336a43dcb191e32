package proxyconf

import "net/netip"

// Report is what a node says of its proxy. The first one of a connection says everything, with those that belong to it; later ones what changed.
type Report struct {
	Whole  bool
	More   bool        `json:",omitempty"` // the next report belongs to it: everything did not fit into one
	Parts  []PartState `json:",omitempty"`
	Health []Health    `json:",omitempty"`
	Counts []Count     `json:",omitempty"`
}

// PartState is how far a proxy is with a part.
type PartState struct {
	Part    string
	Serving bool   // its listeners are open
	Error   string `json:",omitempty"` // why the proxy refused what it was last told of it; it goes on with what it had
}

// Health is what a part sees of a target.
type Health struct {
	Part      string
	Endpoints string
	Addr      netip.AddrPort
	State     string // initial, healthy, unhealthy, or drained: a draining one of which nothing is in flight any more; "" is one that is gone
	Reason    string `json:",omitempty"` // Target.Timeout, ...
	Detail    string `json:",omitempty"`
}

// Count is what a part did with a cluster since the last time it was said.
type Count struct {
	Part, Cluster    string
	Requests, Errors int64 // Errors: answers of 5xx, and connections that failed
	Connections      int64
	LatencySum       float64 // seconds, of Requests
	Bytes            int64
}
