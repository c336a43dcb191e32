package doctor

import "strings"

// What encrypts between machines, each in the kernel's words and in people's.
var encryptions = [][2]string{{"CONFIG_WIREGUARD", "WireGuard"}, {"CONFIG_INET_ESP", "IPsec"}}

// nodes: VPCs that span machines need VXLAN, which is not encrypted. A machine that is alone is asked nothing.
func nodes(f Facts) []Finding {
	if f.Settings.Join == "" && f.Settings.Server == "" && f.Settings.PeerListen == "" && f.Settings.AgentListen == "" {
		return nil
	}
	if f.KernelConfig == nil {
		return ok("nodes", "what tasks on different nodes say to each other is not encrypted; whether the kernel has WireGuard or IPsec is not known")
	}
	if !f.KernelConfig["CONFIG_VXLAN"] {
		return finding("nodes", Fail, "the kernel lacks CONFIG_VXLAN: tasks on different nodes do not reach each other", "boot a kernel that has it; Debian's own does")
	}
	var has []string
	for _, e := range encryptions {
		if f.KernelConfig[e[0]] {
			has = append(has, e[1])
		}
	}
	const plain = "what tasks on different nodes say to each other is not encrypted"
	if len(has) == 0 {
		return finding("nodes", Warn, plain+", and the kernel has neither WireGuard nor IPsec",
			"give the machines a network of their own, or a kernel with WireGuard")
	}
	return ok("nodes", plain+" by berth; the kernel has "+strings.Join(has, " and ")+": with node-address on such a link it is")
}

// records: an etcd that somebody else runs, if it is one.
func records(f Facts) []Finding {
	switch {
	case !f.Settings.SharesEtcd():
		return nil
	case f.EtcdErr != nil:
		return finding("etcd", Fail, f.EtcdErr.Error(), "see docs/operations.md, \"An existing etcd\"; etcdctl endpoint health asks it as its other clients do")
	}
	return ok("etcd", f.Etcd)
}
