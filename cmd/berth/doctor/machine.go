package doctor

import (
	"fmt"
	"net"
	"slices"
	"strings"
)

func user(f Facts) []Finding {
	if f.Root {
		return ok("user", "root")
	}
	return finding("user", Fail, "not root: a node makes namespaces, cgroups and firewall rules", "run berth as root (sudo)")
}

// What networks and containers need of the kernel. Nothing else may be assumed.
var neededOptions = []string{
	"CONFIG_NET_NS", "CONFIG_PID_NS", "CONFIG_IPC_NS", "CONFIG_UTS_NS", "CONFIG_CGROUPS", "CONFIG_MEMCG", "CONFIG_CGROUP_PIDS",
	"CONFIG_SECCOMP_FILTER", "CONFIG_OVERLAY_FS", "CONFIG_VETH", "CONFIG_BRIDGE",
	"CONFIG_NF_TABLES", "CONFIG_NF_TABLES_INET", "CONFIG_NFT_NAT", "CONFIG_NFT_MASQ", "CONFIG_NF_CONNTRACK",
	// Of virtual networks: rules at each interface, states of connections, ends of them when an address goes.
	"CONFIG_NF_TABLES_NETDEV", "CONFIG_NETFILTER_INGRESS", "CONFIG_NFT_CT", "CONFIG_NF_CT_NETLINK",
}

func kernel(f Facts) []Finding {
	if f.KernelConfig == nil {
		return finding("kernel", Warn, f.Kernel+": its configuration is neither in /proc/config.gz nor in /boot",
			"if a task fails to start, compare the kernel with docs/operations.md, \"What the kernel must have\"")
	}
	var missing []string
	for _, option := range neededOptions {
		if !f.KernelConfig[option] {
			missing = append(missing, option)
		}
	}
	if len(missing) > 0 {
		return finding("kernel", Fail, f.Kernel+" lacks "+strings.Join(missing, ", "), "boot a kernel that has them; Debian's own does")
	}
	return ok("kernel", f.Kernel+" has every feature that is needed")
}

func overlay(f Facts) []Finding {
	if f.Filesystems == "" || slices.Contains(strings.Fields(f.Filesystems), "overlay") {
		return ok("overlay", "the overlay file system is there")
	}
	return finding("overlay", Warn, "the overlay file system is not loaded", "modprobe overlay")
}

// cgroups finds the layout that stops shims: a version 1 hierarchy this process belongs to that is mounted nowhere.
func cgroups(f Facts) []Finding {
	mounted, unified := cgroupMounts(f.Mounts)
	var lost []string
	for line := range strings.Lines(f.ProcCgroup) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 || parts[1] == "" {
			continue
		}
		for controller := range strings.SplitSeq(parts[1], ",") {
			if !mounted[controller] {
				lost = append(lost, controller)
			}
		}
	}
	switch {
	case len(lost) > 0:
		return finding("cgroups", Warn, "version 1 hierarchies that are mounted nowhere: "+strings.Join(lost, ", "),
			fmt.Sprintf("mkdir -p /sys/fs/cgroup/%[1]s && mount -t cgroup -o %[2]s none /sys/fs/cgroup/%[1]s (berth's own containerd gets it mounted anyway; another's does not)",
				strings.TrimPrefix(lost[0], "name="), mountOption(lost[0])))
	case mounted["memory"] && mounted["cpu"]:
		return ok("cgroups", "version 1, every hierarchy mounted")
	case unified:
		return ok("cgroups", "version 2")
	}
	return finding("cgroups", Fail, "no cgroup hierarchy with cpu and memory is mounted", "mount -t cgroup2 none /sys/fs/cgroup")
}

func mountOption(controller string) string {
	if strings.HasPrefix(controller, "name=") {
		return "none," + controller
	}
	return controller
}

func cgroupMounts(mounts string) (controllers map[string]bool, unified bool) {
	controllers = map[string]bool{}
	for line := range strings.Lines(mounts) {
		fields := strings.Fields(line)
		if len(fields) < 4 {
			continue
		}
		switch fields[2] {
		case "cgroup2":
			unified = true
		case "cgroup":
			for option := range strings.SplitSeq(fields[3], ",") {
				controllers[option] = true
			}
		}
	}
	return controllers, unified
}

func port(f Facts) []Finding {
	switch {
	case f.Running:
		return ok("port", f.Settings.Listen+" is the running region's")
	case f.PortError != nil:
		return finding("port", Fail, fmt.Sprintf("%s cannot be listened on: %v", f.Settings.Listen, f.PortError),
			"find who holds it (ss -ltnp), or choose another: --listen 127.0.0.1:4567")
	}
	return ok("port", f.Settings.Listen+" is free")
}

// agents: the TLS endpoint for agents of other machines, if there is to be one.
func agents(f Facts) []Finding {
	listen := f.Settings.AgentListen
	_, number, _ := net.SplitHostPort(listen)
	switch {
	case listen == "":
		return nil
	case f.AgentError != nil:
		return finding("agents", Fail, fmt.Sprintf("%s cannot be listened on: %v", listen, f.AgentError),
			"find who holds it (ss -ltnp), or give agent-listen another address of this machine")
	case number != "443":
		return finding("agents", Warn, listen+" is not port 443, and amazon-ecs-agent verifies certificates on no other",
			"give agent-listen port 443, or start every agent with -k, which verifies nothing")
	}
	return ok("agents", listen+" is for agents of other machines")
}

func firewall(f Facts) []Finding {
	switch {
	case f.DropsErr != nil:
		return finding("firewall", Warn, "whether another firewall drops forwarded packets is not known: "+f.DropsErr.Error(), "run this as root, with nft installed (apt-get install nftables)")
	case len(f.Drops) == 0:
		return ok("firewall", "nobody else drops forwarded packets")
	}
	return finding("firewall", Fail, "forwarded packets are dropped by "+strings.Join(f.Drops, ", ")+": containers in bridge mode reach nobody (Docker sets this policy)",
		fmt.Sprintf("iptables -I DOCKER-USER -i %[1]s0 -j ACCEPT; iptables -I DOCKER-USER -o %[1]s0 -j ACCEPT, or without Docker: iptables -P FORWARD ACCEPT", f.Settings.Name))
}

const (
	gib          = 1 << 30
	diskFloor    = 2 * gib  // an image of usual size no longer unpacks
	diskComfort  = 10 * gib // images, logs and the store's history of a few services
	diskFreeText = "%.1f GiB free under %s"
)

func disk(f Facts) []Finding {
	if f.DiskErr != nil {
		return finding("disk", Warn, "free space is not known: "+f.DiskErr.Error(), "check that "+f.Settings.DataDir+" can be made and read")
	}
	text := fmt.Sprintf(diskFreeText, float64(f.DiskFree)/gib, f.Settings.DataDir)
	const remedy = "free some, or put the data elsewhere: --data-dir"
	switch {
	case f.DiskFree < diskFloor:
		return finding("disk", Fail, text, remedy)
	case f.DiskFree < diskComfort:
		return finding("disk", Warn, text, remedy)
	}
	return ok("disk", text)
}

func region(f Facts) []Finding {
	switch {
	case f.Running:
		return ok("region", "runs at "+f.Settings.Endpoint())
	case f.Joined != "":
		return ok("region", f.Joined)
	}
	return ok("region", "does not run (berth up starts it)")
}
