package config

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Key is one setting: its name and how a text becomes its value.
type Key struct {
	Name    string // as a flag (--name) and in the file
	Help    string // one line, lower case
	Default string
	Switch  bool // a flag without a value means "true"
	Secret  bool // never printed

	set  func(*Settings, string) error
	text func(*Settings) string
}

// Env is the name of the key's environment variable.
func (k Key) Env() string {
	return EnvPrefix + strings.ToUpper(strings.ReplaceAll(k.Name, "-", "_"))
}

// EnvPrefix begins every environment variable that is read as a setting.
const EnvPrefix = "BERTH_"

// Keys returns every setting in the order of the documentation.
func Keys() []Key {
	return []Key{
		text("name", "installation name: prefix of every kernel and containerd name", "berth", func(s *Settings) *string { return &s.Name }),
		text("data-dir", "directory of everything that survives a restart", "/var/lib/berth", func(s *Settings) *string { return &s.DataDir }),
		text("run-dir", "directory of sockets and namespace mounts", "/run/berth", func(s *Settings) *string { return &s.RunDir }),
		text("bin-dir", "directory of containerd, its shim, ctr and runc", "/opt/berth/bin", func(s *Settings) *string { return &s.BinDir }),
		text("listen", "address of the AWS endpoint, health pages and metrics", "127.0.0.1:4566", func(s *Settings) *string { return &s.Listen }),
		text("dns-listen", "address that answers the region's names to who is in no VPC, by UDP and TCP; off: none", "127.0.0.1:4553", func(s *Settings) *string { return &s.DNSListen }),
		text("agent-listen", "address of the TLS endpoint for amazon-ecs-agents of other machines, such as 192.0.2.7:443 (default: none)", "", func(s *Settings) *string { return &s.AgentListen }),
		list("agent-names", "host names and addresses in the TLS endpoint's certificate, comma-separated (default: the address)", func(s *Settings) *[]string { return &s.AgentNames }),
		text("agent-certificate", "file of the TLS endpoint's certificate chain (default: one of the installation's own authority)", "", func(s *Settings) *string { return &s.AgentCertificate }),
		text("agent-key", "file of that certificate's key", "", func(s *Settings) *string { return &s.AgentKey }),
		text("server", "URL of the server a node talks to, or of those that a machine with a ticket joins, comma-separated (default: the endpoint on this machine)", "", func(s *Settings) *string { return &s.Server }),
		secret(text("join", "ticket with which this machine becomes part of an installation (berth ticket makes one)", "", func(s *Settings) *string { return &s.Join })),
		text("server-name", "name of this server among several (default: the host's)", "", func(s *Settings) *string { return &s.ServerName }),
		text("peer-listen", "address for the other servers, such as 192.0.2.7:2380 (default: none, this is the only one)", "", func(s *Settings) *string { return &s.PeerListen }),
		text("peer-address", "address that the other servers reach this one at (default: peer-listen)", "", func(s *Settings) *string { return &s.PeerAddress }),
		list("etcd", "URLs of an existing etcd that keeps the records, comma-separated (default: none, the servers keep them)", func(s *Settings) *[]string { return &s.Etcd }),
		text("etcd-ca", "file of the authorities that the etcd's certificate may be of (default: those that the machine trusts)", "", func(s *Settings) *string { return &s.EtcdCA }),
		text("etcd-certificate", "file of the certificate chain that the etcd asks of its clients", "", func(s *Settings) *string { return &s.EtcdCertificate }),
		text("etcd-key", "file of that certificate's key", "", func(s *Settings) *string { return &s.EtcdKey }),
		text("etcd-prefix", "name of this installation's records in an etcd, which others may use too", "berth", func(s *Settings) *string { return &s.EtcdPrefix }),
		address("node-address", "address of this machine on the network of the machines (default: the one on the way to others)", func(s *Settings) *netip.Addr { return &s.NodeAddress }),
		number("node-mtu", "largest packet that the way between the machines takes (0: that of the link that has node-address)", "0", func(s *Settings) *int { return &s.NodeMTU }),
		text("region", "AWS region of the node and of berth's own commands", "us-east-1", func(s *Settings) *string { return &s.Region }),
		list("regions", "AWS regions this installation answers for, comma-separated, or any (default: region)", func(s *Settings) *[]string { return &s.Regions }),
		list("zones", "availability zones, comma-separated (default: a, b and c of the region)", func(s *Settings) *[]string { return &s.Zones }),
		text("zone", "availability zone of the node, one of zones (default: the region's first)", "", func(s *Settings) *string { return &s.Zone }),
		list("attributes", "attributes of the node's container instance, name=value, comma-separated", func(s *Settings) *[]string { return &s.Attributes }),
		text("account", "AWS account of the node and of berth's own commands", "000000000000", func(s *Settings) *string { return &s.Account }),
		list("accounts", "AWS accounts this installation answers for, comma-separated, each with root keys of its own (default: account)", func(s *Settings) *[]string { return &s.Accounts }),
		text("access-key", "access key id of the account's root (default: made at the first start)", "", func(s *Settings) *string { return &s.AccessKey }),
		secret(text("secret-key", "secret access key of the account's root", "", func(s *Settings) *string { return &s.SecretKey })),
		text("cluster", "cluster the node registers in", "default", func(s *Settings) *string { return &s.Cluster }),
		text("containerd-address", "socket of a containerd to use (default: the node runs its own)", "", func(s *Settings) *string { return &s.ContainerdAddress }),
		prefix("bridge-subnet", "subnet of the bridge network mode", "172.28.0.0/16", func(s *Settings) *netip.Prefix { return &s.BridgeSubnet }),
		prefix("public-pool", "public addresses of tasks and Elastic addresses; the default is known to this machine only", "198.18.0.0/15", func(s *Settings) *netip.Prefix { return &s.PublicPool }),
		toggle("public-pool-routed", "others route public-pool to this machine: they reach its addresses, and see them", func(s *Settings) *bool { return &s.PublicPoolRouted }),
		enabled(toggle("fargate", "offer the node's capacity to FARGATE, beside its container instance", func(s *Settings) *bool { return &s.Fargate })),
		number("fargate-storage", "GiB of the disk for the ephemeral storage of FARGATE tasks (0: nine tenths of the disk's size)", "0", func(s *Settings) *int { return &s.FargateStorage }),
		text("introspection", "address of the agent's introspection API; without a host it answers this machine and its containers, off: nobody", ":51678", func(s *Settings) *string { return &s.Introspection }),
		text("image-pull-behavior", "when to ask an image's registry: default (always, a cached image serves when that fails), always, once, prefer-cached", "default", func(s *Settings) *string { return &s.ImagePull }),
		text("fargate-runtime", "what FARGATE tasks run on: runsc (a gVisor sandbox each), runc, or auto (runsc where it is installed)", "auto", func(s *Settings) *string { return &s.FargateRuntime }),
		number("sandboxes-ahead", "how many gVisor sandboxes are kept ready for the next tasks, once one ran; at most one for each 2 GiB of memory (0: none)", "1", func(s *Settings) *int { return &s.SandboxesAhead }),
		toggle("allow-old-runc", "run tasks on a runc with known escapes", func(s *Settings) *bool { return &s.AllowOldRunc }),
		number("task-pids-limit", "processes and threads a task may have, as the agent's ECS_TASK_PIDS_LIMIT; 0 is no limit", "4096", func(s *Settings) *int { return &s.TaskPids }),
		duration("healthy-after", "how long a task without a health check runs before it counts as healthy (AWS: 40s)", "0s", func(s *Settings) *time.Duration { return &s.HealthyAfter }),
		duration("stopped-retention", "how long a stopped task stays describable", "24h", func(s *Settings) *time.Duration { return &s.StoppedRetention }),
		duration("registry-retention", "how long the registry keeps layers that no image has, and unfinished uploads", "24h", func(s *Settings) *time.Duration { return &s.RegistryRetention }),
		duration("image-cleanup-interval", "how often the node looks for unused images to remove (0s: never)", "30m", func(s *Settings) *time.Duration { return &s.ImageCleanupInterval }),
		duration("image-minimum-cleanup-age", "how long an image is unused before the node removes it", "1h", func(s *Settings) *time.Duration { return &s.ImageMinimumAge }),
		number("images-deleted-per-cycle", "how many images the node removes each time", "5", func(s *Settings) *int { return &s.ImagesPerCleanup }),
		number("disk-pressure", "percent of the disk in use above which unused images and layers go sooner", "85", func(s *Settings) *int { return &s.DiskPressure }),
		duration("clock-offset", "how far this machine's clock is to be off, for trying out what a wrong one does", "0s", func(s *Settings) *time.Duration { return &s.ClockOffset }),
		text("log-level", "debug, info, warn or error", "info", func(s *Settings) *string { return &s.LogLevel }),
		text("log-format", "text or json", "text", func(s *Settings) *string { return &s.LogFormat }),
	}
}

func address(name, help string, at func(*Settings) *netip.Addr) Key {
	return Key{
		Name: name, Help: help,
		set: func(s *Settings, v string) (err error) {
			if v == "" {
				return nil
			}
			if *at(s), err = netip.ParseAddr(v); err != nil {
				return fmt.Errorf("%q is not an address", v)
			}
			return nil
		},
		text: func(s *Settings) string {
			if !at(s).IsValid() {
				return ""
			}
			return at(s).String()
		},
	}
}

func text(name, help, def string, at func(*Settings) *string) Key {
	return Key{
		Name: name, Help: help, Default: def,
		set:  func(s *Settings, v string) error { *at(s) = v; return nil },
		text: func(s *Settings) string { return *at(s) },
	}
}

func secret(k Key) Key {
	k.Secret = true
	return k
}

func list(name, help string, at func(*Settings) *[]string) Key {
	return Key{
		Name: name, Help: help,
		set:  func(s *Settings, v string) error { *at(s) = splitList(v); return nil },
		text: func(s *Settings) string { return strings.Join(*at(s), ",") },
	}
}

func splitList(v string) []string {
	var out []string
	for part := range strings.SplitSeq(v, ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

func toggle(name, help string, at func(*Settings) *bool) Key {
	return Key{
		Name: name, Help: help, Default: "false", Switch: true,
		set: func(s *Settings, v string) error {
			b, err := strconv.ParseBool(v)
			if err != nil {
				return fmt.Errorf("%q is not true or false", v)
			}
			*at(s) = b
			return nil
		},
		text: func(s *Settings) string { return strconv.FormatBool(*at(s)) },
	}
}

// enabled is a switch that is on unless it is turned off.
func enabled(k Key) Key {
	k.Default = "true"
	return k
}

func duration(name, help, def string, at func(*Settings) *time.Duration) Key {
	return Key{
		Name: name, Help: help, Default: def,
		set: func(s *Settings, v string) error {
			d, err := time.ParseDuration(v)
			if err != nil {
				return fmt.Errorf("%q is not a duration such as 90s or 24h", v)
			}
			*at(s) = d
			return nil
		},
		text: func(s *Settings) string { return at(s).String() },
	}
}

func number(name, help, def string, at func(*Settings) *int) Key {
	return Key{
		Name: name, Help: help, Default: def,
		set: func(s *Settings, v string) error {
			n, err := strconv.Atoi(v)
			if err != nil {
				return fmt.Errorf("%q is not a number", v)
			}
			*at(s) = n
			return nil
		},
		text: func(s *Settings) string { return strconv.Itoa(*at(s)) },
	}
}

func prefix(name, help, def string, at func(*Settings) *netip.Prefix) Key {
	return Key{
		Name: name, Help: help, Default: def,
		set: func(s *Settings, v string) error {
			p, err := netip.ParsePrefix(v)
			if err != nil {
				return fmt.Errorf("%q is not a subnet such as 172.28.0.0/16", v)
			}
			*at(s) = p
			return nil
		},
		text: func(s *Settings) string { return at(s).String() },
	}
}
