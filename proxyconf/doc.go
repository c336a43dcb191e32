// Package proxyconf is what a proxy does, in words that are neither AWS's nor Envoy's: load balancers, and later Service Connect and App Mesh, are
// lowered to it, and xds makes Envoy's configuration of it.
//
// Guarantees: plain values, no I/O, no clock; the same values make the same configuration.
package proxyconf

import (
	"net/netip"
	"time"
)

// Part is what a proxy does for one thing: one load balancer in one zone. The Envoy of a machine does many parts, which have nothing in common
// but the process.
type Part struct {
	Name      string // unique in the installation: elb/<account>/<region>/<load balancer>/<zone>/<interface> (elb.Part): while a node is replaced, a zone has two
	Space     string // eni-...: the network namespace in which it listens and from which it connects
	Listeners []Listener
	Clusters  []Cluster
}

// Listener is a port of a part. Exactly one of HTTP and TCP is set.
type Listener struct {
	Name  string // unique in the part
	Port  uint16
	TLS   *TLS // nil: plain
	HTTP  *HTTP
	TCP   *TCP
	Logs  string // where its access log goes: a path below the node's directory of them; "": nowhere
	Label string // what the access log calls it: app/<name>/<id>
}

// TLS is how a listener proves who it is.
type TLS struct {
	Certificates []string // names of Secrets: the first is the one for clients that ask for no name or an unknown one
	Min, Max     string   // TLSv1.0 to TLSv1.3
	Ciphers      []string // OpenSSL's names, of TLS 1.2 and below
	ALPN         []string
}

// HTTP is a listener of requests. Its routes are tried in order; the last one takes everything.
type HTTP struct {
	Routes       []Route
	IdleTimeout  time.Duration // of requests without a byte
	KeepAlive    time.Duration // of connections without a request
	HTTP2        bool          // accepted of clients
	ForwardedFor string        // append, preserve or remove
	ClientPort   bool          // in X-Forwarded-For
	PreserveHost bool
	DropInvalid  bool   // header fields whose names are none
	Desync       string // monitor, defensive or strictest
	TLSHeaders   bool   // X-Amzn-Tls-Version and -Cipher-Suite
	// TLSVersionName and TLSCipherName are what those are called instead; "" is their own name.
	TLSVersionName, TLSCipherName string
	ServerHeader                  bool        // answers of its own say "Server: awselb/2.0", and those of targets keep theirs; else no answer has one
	Answer                        [][2]string // header fields of all answers, name and value: they replace those of targets
	WAFFailOpen                   bool        // stored for clients; nothing is behind it
}

// Route is one way that a request may take.
type Route struct {
	Name     string  // the rule's ARN
	Priority int     // the rule's, as the access log says it; 0 of the default one
	Matches  []Match // all of them; none takes every request
	Forward  []Weighted
	Sticky   time.Duration // for which a client stays with one of Forward
	Redirect *Redirect
	Fixed    *Fixed
}

// Match is true of a request when one of its values is.
type Match struct {
	Of      string // host, path, header, method, query or source
	Name    string // of header
	Globs   []string
	Regexes []string
	Sources []netip.Prefix
	Queries [][2]string // key (may be empty: any) and value, globs
}

// Weighted is a cluster and its share.
type Weighted struct {
	Cluster string
	Weight  uint32
}

// Redirect leads elsewhere. Its parts may hold #{protocol}, #{host}, #{port}, #{path} and #{query}.
type Redirect struct {
	Protocol, Host, Port, Path, Query string
	Status                            int
}

// Fixed is an answer of the proxy's own.
type Fixed struct {
	Status      int
	ContentType string
	Body        string
}

// TCP is a listener of connections.
type TCP struct {
	Forward     []Weighted
	IdleTimeout time.Duration
}

// Cluster is a target group as one part uses it.
type Cluster struct {
	Name          string // unique in the part: the group's ARN
	Endpoints     string // name of its Endpoints
	Space         string // where it connects from: the part's, or "" for the machine's own network (targets that are instances)
	Protocol      string // http1, http2 or tcp
	TLS           bool   // to targets; whom they are is not verified, as on AWS
	LeastRequests bool   // else round robin
	SlowStart     time.Duration
	Cookie        *Cookie
	StickySource  bool // who comes from one address stays with a target; of TCP
	ProxyV2       bool
	CloseOnEnd    bool // connections end when a target's deregistration is over; of TCP
	CloseOnFail   bool // connections end when a target becomes unhealthy; of TCP
	MinHealthy    int  // with fewer healthy targets, or fewer of a hundred than MinPercent, all targets get requests
	MinPercent    int  // 0: it does not count
	Check         *Check
}

// Cookie keeps clients with a target.
type Cookie struct {
	Name string // AWSALB, or AWSALBAPP-0 for one that follows the application's
	App  string // the application's cookie, of app_cookie
	For  time.Duration
}

// Check is how a node looks at targets: with exactly AWS's timing. Codes is what AWS calls a matcher.
type Check struct {
	Protocol           string // HTTP, HTTPS, TCP or GRPC
	Port               uint16 // 0: that of the target
	Path               string
	Interval, Timeout  time.Duration
	Healthy, Unhealthy int
	Codes              string
	HTTP2              bool
	TLS                bool // of HTTPS, and of GRPC where that is what targets speak
}

// Endpoints are the targets of a group. They change often, so they are known by themselves.
type Endpoints struct {
	Name  string // elb/<account>/<region>/<group>/<zones> (elb.Pool)
	Hosts []Host // in order of Addr
}

// Host is a target.
type Host struct {
	Addr     netip.AddrPort
	Zone     string
	Draining bool // no new requests
}

// Secret is a certificate and its key, both PEM. It never meets a log.
type Secret struct {
	Name       string // the certificate's ARN
	Chain, Key []byte
}
