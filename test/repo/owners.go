package repo

import "strings"

// owner says which packages may import a library. No directories: any package that is not pure.
type owner struct {
	library string // import path, or the beginning of one that ends at a slash
	dirs    []string
	why     string
}

// How many directories import a library is the best sign of how hard it would be to replace.
var owners = []owner{
	{"go.etcd.io/bbolt", []string{"node/agent/db"}, "the node's small database is one room"},
	{"go.etcd.io", []string{"store/etcd"}, "the store's port hides which database it is; storetest is the proof"},
	{"go.uber.org/zap", []string{"store/etcd"}, "embedded etcd logs with it; everything else uses log/slog"},
	{"github.com/coreos/go-semver", []string{"store/etcd"}, "it compares etcd's versions"},
	{"github.com/tidwall/btree", []string{"store"}, "indexes in memory are the store's own business"},

	{"github.com/containerd", []string{"node/runtime"}, "the runtime's port hides containerd from the agent"},
	{"github.com/opencontainers", []string{"node/runtime"}, "containers are described in our own words outside of the runtime"},
	{"github.com/moby", []string{"node/runtime"}, "Docker's defaults of a container are the runtime's business"},
	{"github.com/distribution/distribution", []string{"registry/ociapi"}, "the protocol's routes and errors are one room's; records and rules know nothing of them"},
	{"github.com/gorilla/mux", []string{"registry/ociapi"}, "distribution's routes are its"},
	{"github.com/elastic/go-seccomp-bpf", []string{"node/runtime"}, "the numbers of system calls are needed where their filters are made"},
	{"github.com/distribution/reference", []string{"node/runtime"}, "image names are resolved where images are pulled"},
	{"google.golang.org/protobuf", []string{"node/runtime", "node/proxy", "mesh/xds"}, "protocol buffers are containerd's and Envoy's language, not ours"},
	{"google.golang.org/grpc", []string{"node/runtime", "node/proxy", "mesh/xds", "store/etcd"}, "gRPC is containerd's, Envoy's and etcd's transport, not ours"},

	{"github.com/vishvananda", []string{"node/network", "test/audit"}, "one place programs the kernel's links"},
	{"github.com/google/nftables", []string{"node/network", "test/audit"}, "one place programs the kernel's firewall"},
	{"github.com/mdlayher", []string{"node/network"}, "one place talks netlink"},
	{"github.com/ti-mo/conntrack", []string{"node/network"}, "one place talks netlink"},
	{"github.com/cilium/ebpf", []string{"node/network"}, "one place programs the kernel"},
	{"github.com/miekg/dns", []string{"node/dns"}, "one resolver"},
	{"github.com/envoyproxy/go-control-plane", []string{"mesh/xds", "node/proxy"}, "one language for proxies, one place to look"},
	{"github.com/cncf/xds", []string{"mesh/xds"}, "a few of Envoy's messages are everybody's"},

	{"github.com/coder/websocket", []string{"session/hub", "session/link", "node/agent"}, "the two ends of the agent protocol; the rules in between know no sockets"},
	{"github.com/alecthomas/kong", []string{"cmd"}, "only the program knows its command line"},
	{"go.yaml.in/yaml", []string{"cmd"}, "only the program reads its file; internal/config gets keys and texts"},
	{"github.com/aws/aws-sdk-go-v2", []string{"cmd"}, "the SDK is a client: the program uses it like any user, the server never does"},
	{"github.com/google/go-containerregistry", []string{"cmd", "registry"}, "images are made for samples and tests only"},

	{"github.com/prometheus/client_golang", nil, "each room counts what it does"},
	{"golang.org/x/sync", nil, "the Go project's own"},
	{"golang.org/x/sys", nil, "the Go project's own"},
	{"golang.org/x/time", nil, "the Go project's own"},
	{"golang.org/x/net", nil, "the Go project's own"},
	{"golang.org/x/text", nil, "the Go project's own"},
}

func ownerOf(importPath string) (owner, bool) {
	for _, o := range owners {
		if importPath == o.library || strings.HasPrefix(importPath, o.library+"/") {
			return o, true
		}
	}
	return owner{}, false
}
