package doctor

import (
	"github.com/berth-ecs/berth/internal/config"
)

// Facts is everything the checks look at.
type Facts struct {
	Settings config.Settings
	Root     bool
	Running  bool // the installation's region runs

	Kernel       string          // release
	KernelConfig map[string]bool // CONFIG_X -> built in or a module; nil: not known
	Filesystems  string          // /proc/filesystems
	ProcCgroup   string          // /proc/self/cgroup
	Mounts       string          // /proc/self/mounts
	Routes       string          // /proc/net/route

	Tools      map[string]Tool
	PortError  error    // of listening on the endpoint's address
	AgentError error    // of listening on the agents' address
	Drops      []string // chains of others that drop forwarded packets
	DropsErr   error    // why Drops is not known
	DiskFree   uint64   // bytes under the data directory
	DiskSize   int64    // bytes of its file system
	DiskErr    error
	Joined     string // what this machine is of another's region: "" for none
	Etcd       string // how the etcd that the servers share is
	EtcdErr    error  // why it cannot be used
	Proxy      string // version of the Envoy that the node runs
	ProxyErr   error  // why it runs none
	StorageErr error  // why FARGATE's tasks cannot have storage; nil when they can
}

// Tool is a program that berth runs.
type Tool struct {
	Path    string // empty: not found
	Version string // empty: it did not say
}
