package config

import (
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Settings is everything that can be configured. The zero value is not valid; Load makes one.
type Settings struct {
	Name    string // of the installation; every kernel and containerd name derives from it
	DataDir string // what must survive a restart
	RunDir  string // sockets, namespace mounts, the pid file; emptied by a reboot
	BinDir  string // containerd, containerd-shim-runc-v2, ctr, runc

	Listen    string // host:port of the AWS endpoint, the health pages and the metrics
	DNSListen string // address:port that answers the region's names; "off" is none
	// AgentListen is host:port of the endpoint for agents of other machines, which speaks TLS; empty: none.
	AgentListen      string
	AgentNames       []string // what its certificate is for: host names and addresses
	AgentCertificate string   // a file; empty: one of the installation's own authority
	AgentKey         string
	Server           string   // URL of the server a node talks to; several by commas once the machine has joined with a ticket
	Join             string   // a ticket: this machine becomes part of the installation that made it
	ServerName       string   // of this server among several; empty: the host's
	PeerListen       string   // host:port for the other servers; empty: this is the only one
	PeerAddress      string   // host:port that they reach it at
	Etcd             []string // URLs of an existing etcd that keeps the records; none: the servers do
	EtcdCA           string   // a file: whom the etcd's certificate may be of; empty: whom the machine trusts
	EtcdCertificate  string   // a file: what the etcd asks of its clients
	EtcdKey          string
	EtcdPrefix       string     // of this installation's records in it
	NodeAddress      netip.Addr // of this machine on the network of the machines; the zero Addr: the way to others tells
	NodeMTU          int        // of the way between the machines; 0: that of the link that has the node's address
	Region           string     // of the node, and of berth's own commands
	Regions          []string   // that are answered for, Region among them; AnyRegion alone for every one
	Zones            []string   // of all regions; see ZonesOf
	Zone             string     // of the node, one of Zones; see ZoneIn
	Attributes       []string   // name=value, of the node's container instance; see NodeAttributes
	Account          string     // of the node, and of berth's own commands
	Accounts         []string   // that are answered for, Account among them
	AccessKey        string     // root keys of Account; empty: made at the first start
	SecretKey        string

	Cluster           string        // the node registers here
	ContainerdAddress string        // empty: the node supervises a containerd of its own
	BridgeSubnet      netip.Prefix  // of the bridge network mode
	PublicPool        netip.Prefix  // public addresses are taken from it
	PublicPoolRouted  bool          // others route the pool to this machine
	Fargate           bool          // the node's capacity is FARGATE's, too
	FargateStorage    int           // GiB of the disk for FARGATE tasks; 0: nine tenths of its size
	Introspection     string        // address of the agent's introspection API; "off" is none
	ImagePull         string        // when the node asks an image's registry: default, always, once, prefer-cached
	FargateRuntime    string        // what FARGATE tasks run on: auto, runsc, runc
	SandboxesAhead    int           // how many are kept ready; 0 is none
	AllowOldRunc      bool          // run tasks on a runc with known escapes
	TaskPids          int           // processes and threads that a task may have; 0 is no limit
	HealthyAfter      time.Duration // how long a task without a health check runs before it counts as healthy
	StoppedRetention  time.Duration // how long a stopped task stays describable

	RegistryRetention time.Duration // how long the registry keeps layers that no image has, and unfinished uploads
	DiskPressure      int           // percent of the disk; above it what nobody uses goes sooner

	ImageCleanupInterval time.Duration // how often the node looks for images to remove; 0: never
	ImageMinimumAge      time.Duration // how long an image is unused before the node removes it
	ImagesPerCleanup     int           // how many images the node removes at once

	ClockOffset time.Duration // how far this machine's clock is to be off

	LogLevel  string // debug, info, warn, error
	LogFormat string // text, json
}

// StorageGiB is how much of a disk of a size a node registers for the ephemeral storage of FARGATE tasks: what the settings say or, as with memory,
// what the machine has less a part for everything else.
func (s Settings) StorageGiB(size int64) int64 {
	if s.FargateStorage > 0 {
		return int64(s.FargateStorage)
	}
	return size / 10 * 9 >> 30
}

// IntrospectionOff is the value of Introspection that turns it off, and that of DNSListen.
const IntrospectionOff = "off"

// DNS is where the region's names are asked for; not valid: nowhere.
func (s Settings) DNS() netip.AddrPort {
	at, _ := netip.ParseAddrPort(s.DNSListen) // "off" is none
	return at
}

// Endpoint is the URL that clients on this machine use.
func (s Settings) Endpoint() string {
	host, port, err := net.SplitHostPort(s.Listen)
	if err != nil {
		return "http://" + s.Listen
	}
	if ip, err := netip.ParseAddr(host); host == "" || (err == nil && ip.IsUnspecified()) {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// AgentEndpoint is the URL that agents of other machines use; empty when they are not served. An agent verifies
// certificates only on the port that https has by itself, which is why that is left out.
func (s Settings) AgentEndpoint() string {
	if s.AgentListen == "" || len(s.AgentNames) == 0 {
		return ""
	}
	_, port, err := net.SplitHostPort(s.AgentListen)
	if err != nil {
		return ""
	}
	host := s.AgentNames[0]
	if port != "443" {
		return "https://" + net.JoinHostPort(host, port)
	}
	if ip, err := netip.ParseAddr(host); err == nil && ip.Is6() {
		host = "[" + host + "]"
	}
	return "https://" + host
}

// Servers are the URLs of Server.
func (s Settings) Servers() []string {
	return strings.FieldsFunc(s.Server, func(r rune) bool { return r == ',' || r == ' ' })
}

// PIDFile names the file that holds the process id of the region that `berth up` started.
func (s Settings) PIDFile() string { return filepath.Join(s.RunDir, "berth.pid") }

// LogFile names the file that a region in the background logs to.
func (s Settings) LogFile() string { return filepath.Join(s.DataDir, "berth.log") }

// Tool names a program in the installation's own tool directory.
func (s Settings) Tool(name string) string { return filepath.Join(s.BinDir, name) }

// AnyRegion among the regions means every one: for trying things out.
const AnyRegion = "any"

// EveryRegion says whether every region is answered for.
func (s Settings) EveryRegion() bool { return slices.Contains(s.Regions, AnyRegion) }

// ZonesOf are the availability zones of a region: those given, else a, b and c.
func (s Settings) ZonesOf(region string) []string {
	var out []string
	for _, z := range s.Zones {
		if strings.HasPrefix(z, region) {
			out = append(out, z)
		}
	}
	if len(out) == 0 {
		out = []string{region + "a", region + "b", region + "c"}
	}
	return out
}
