package doctor

import (
	"errors"
	"strings"
	"testing"

	"github.com/berth-ecs/berth/internal/config"
)

const (
	v1Mounts = "cgroup /sys/fs/cgroup/cpu cgroup rw,relatime,cpu 0 0\ncgroup /sys/fs/cgroup/memory cgroup rw,relatime,memory 0 0\n" +
		"cgroup /sys/fs/cgroup/systemd cgroup rw,relatime,name=systemd 0 0\ncgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n"
	v1Cgroup = "9:name=systemd:/\n4:memory:/x\n1:cpu:/\n0::/\n"
)

// healthy is a machine without findings.
func healthy(t *testing.T) Facts {
	t.Helper()
	s, err := config.Load(config.Layers{})
	if err != nil {
		t.Fatal(err)
	}
	f := Facts{
		Settings: s, Root: true, Kernel: "6.1.0", KernelConfig: map[string]bool{}, Filesystems: "nodev\toverlay\n\text4\n",
		ProcCgroup: v1Cgroup, Mounts: v1Mounts, DiskFree: 100 * gib, Tools: map[string]Tool{},
	}
	for _, option := range neededOptions {
		f.KernelConfig[option] = true
	}
	f.KernelConfig["CONFIG_VXLAN"], f.KernelConfig["CONFIG_WIREGUARD"] = true, true
	for _, name := range requiredTools {
		f.Tools[name] = Tool{Path: "/opt/berth/bin/" + name, Version: "2.4.2"}
	}
	f.Tools["runc"] = Tool{Path: "/opt/berth/bin/runc", Version: "1.4.3"}
	for _, name := range sandboxTools {
		f.Tools[name] = Tool{Path: "/opt/berth/bin/" + name, Version: "1.0.0"}
	}
	f.Proxy = "1.40.0"
	f.Tools[enter] = Tool{Path: "/opt/berth/bin/berth-enter", Version: "1.0.0"}
	return f
}

func TestExamine(t *testing.T) {
	tests := map[string]struct {
		change func(*Facts)
		check  string // the one check that is not OK
		level  Level
		says   string
	}{
		"healthy":            {},
		"version 2":          {change: func(f *Facts) { f.ProcCgroup, f.Mounts = "0::/\n", "cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n" }},
		"the region runs":    {change: func(f *Facts) { f.Running, f.PortError = true, errors.New("in use") }},
		"a node that joined": {change: func(f *Facts) { f.Joined = "this machine is a node" }},
		"not root":           {func(f *Facts) { f.Root = false }, "user", Fail, "not root"},
		"kernel not known":   {func(f *Facts) { f.KernelConfig = nil }, "kernel", Warn, "/proc/config.gz"},
		"no veth":            {func(f *Facts) { f.KernelConfig["CONFIG_VETH"] = false }, "kernel", Fail, "CONFIG_VETH"},
		"nodes, nothing encrypts": {func(f *Facts) {
			f.Settings.Server, f.KernelConfig["CONFIG_WIREGUARD"] = "https://10.0.0.5:8443", false
		}, "nodes", Warn, "neither WireGuard nor IPsec"},
		"nodes, WireGuard": {change: func(f *Facts) {
			f.Settings.Join = "ticket"
		}},
		"nodes, no VXLAN": {func(f *Facts) { f.Settings.PeerListen, f.KernelConfig["CONFIG_VXLAN"] = "10.0.0.5:2380", false }, "nodes", Fail, "CONFIG_VXLAN"},
		"an etcd":         {change: func(f *Facts) { f.Settings.Etcd = []string{"https://10.0.0.9:2379"}; f.Etcd = "version 3.6.0" }},
		"an etcd that is too old": {func(f *Facts) {
			f.Settings.Etcd, f.EtcdErr = []string{"https://10.0.0.9:2379"}, errors.New("it has version 3.4.0")
		}, "etcd", Fail, "3.4.0"},
		"no overlay":            {func(f *Facts) { f.Filesystems = "ext4" }, "overlay", Warn, "not loaded"},
		"hierarchy not mounted": {func(f *Facts) { f.ProcCgroup += "12:rdma:/\n" }, "cgroups", Warn, "rdma"},
		"named one not mounted": {func(f *Facts) { f.ProcCgroup += "13:name=elogind:/\n" }, "cgroups", Warn, "name=elogind"},
		"no hierarchy":          {func(f *Facts) { f.ProcCgroup, f.Mounts = "", "" }, "cgroups", Fail, "no cgroup hierarchy"},
		"no gVisor":             {change: func(f *Facts) { f.Tools["runsc"] = Tool{} }},
		"gVisor is wanted":      {func(f *Facts) { f.Tools["runsc"] = Tool{}; f.Settings.FargateRuntime = "runsc" }, "fargate", Fail, "runsc not found"},
		"no gVisor is wanted":   {change: func(f *Facts) { f.Tools["runsc"] = Tool{}; f.Settings.FargateRuntime = "runc" }},
		"no shim":               {func(f *Facts) { f.Tools[shim] = Tool{} }, shim, Fail, "not found"},
		"old containerd":        {func(f *Facts) { f.Tools["containerd"] = Tool{"/usr/bin/containerd", "1.6.20"} }, "containerd", Fail, "older than 2.4.0"},
		"no berth-enter":        {func(f *Facts) { f.Tools[enter] = Tool{} }, enter, Warn, "costs a runc"},
		"silent tool":           {func(f *Facts) { f.Tools["ctr"] = Tool{Path: "/x/ctr"} }, "ctr", Warn, "does not say"},
		"Debian 12's runc":      {func(f *Facts) { f.Tools["runc"] = Tool{"/usr/sbin/runc", "1.1.5"} }, "runc", Fail, "CVE-2025-31133"},
		"runc 1.3.2":            {func(f *Facts) { f.Tools["runc"] = Tool{"/usr/sbin/runc", "1.3.2"} }, "runc", Fail, "refuses"},
		"runc 1.3.3":            {change: func(f *Facts) { f.Tools["runc"] = Tool{"/usr/sbin/runc", "1.3.3"} }},
		"runc 2.0.0":            {change: func(f *Facts) { f.Tools["runc"] = Tool{"/usr/sbin/runc", "2.0.0"} }},
		"port taken":            {func(f *Facts) { f.PortError = errors.New("address already in use") }, "port", Fail, "already in use"},
		"agents' port taken": {func(f *Facts) {
			f.Settings.AgentListen, f.AgentError = "10.0.0.5:443", errors.New("address already in use")
		}, "agents", Fail, "10.0.0.5:443"},
		"agents' other port":     {func(f *Facts) { f.Settings.AgentListen = "10.0.0.5:8443" }, "agents", Warn, "443"},
		"agents' port":           {change: func(f *Facts) { f.Settings.AgentListen = "10.0.0.5:443" }},
		"Docker's policy":        {func(f *Facts) { f.Drops = []string{"ip filter FORWARD"} }, "firewall", Fail, "ip filter FORWARD"},
		"firewall not known":     {func(f *Facts) { f.DropsErr = errors.New("not permitted") }, "firewall", Warn, "not permitted"},
		"no loop devices":        {func(f *Facts) { f.StorageErr = errors.New("there are no loop devices") }, "storage", Warn, "no FARGATE task can run: there are no loop devices"},
		"FARGATE is not offered": {change: func(f *Facts) { f.StorageErr = errors.New("no"); f.Settings.Fargate = false }},
		"disk nearly full":       {func(f *Facts) { f.DiskFree = 5 * gib }, "disk", Warn, "5.0 GiB"},
		"disk full":              {func(f *Facts) { f.DiskFree = gib }, "disk", Fail, "1.0 GiB"},
		"disk not known":         {func(f *Facts) { f.DiskErr = errors.New("stale") }, "disk", Warn, "stale"},
		"an old runc is allowed": {func(f *Facts) { f.Tools["runc"] = Tool{"/r", "1.1.5"}; f.Settings.AllowOldRunc = true }, "runc", Warn, "accepts that"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			facts := healthy(t)
			if test.change != nil {
				test.change(&facts)
			}
			found := false
			for _, f := range Examine(facts) {
				if f.Level == OK {
					continue
				}
				if f.Check != test.check || f.Level != test.level || !strings.Contains(f.Text, test.says) {
					t.Errorf("unexpected: %+v", f)
				}
				if f.Remedy == "" {
					t.Errorf("no remedy: %+v", f)
				}
				found = true
			}
			if !found && test.check != "" {
				t.Errorf("check %s found nothing", test.check)
			}
		})
	}
}

func TestParseKernelConfig(t *testing.T) {
	got := parseKernelConfig(strings.NewReader("# CONFIG_A is not set\nCONFIG_B=y\nCONFIG_C=m\nCONFIG_D=\"text\"\n"))
	if len(got) != 2 || !got["CONFIG_B"] || !got["CONFIG_C"] {
		t.Errorf("got %v", got)
	}
}

func TestGatherReadsThisMachine(t *testing.T) {
	f := Gather(t.Context(), healthy(t).Settings, true)
	if f.Kernel == "" || f.ProcCgroup == "" || f.Mounts == "" || len(f.Tools) != len(requiredTools)+1+len(sandboxTools) || f.DiskErr != nil {
		t.Errorf("facts are missing: %+v", f)
	}
}

// What FARGATE tasks run on is said also where nothing is wrong.
func TestFargateIsSaid(t *testing.T) {
	tests := map[string]struct {
		change func(*Facts)
		want   string
	}{
		"gVisor":      {func(*Facts) {}, "tasks run in gVisor sandboxes: /opt/berth/bin/runsc"},
		"no gVisor":   {func(f *Facts) { f.Tools["runsc"] = Tool{} }, "tasks run on runc: runsc not found; make sandbox installs gVisor"},
		"only runc":   {func(f *Facts) { f.Settings.FargateRuntime = "runc" }, "tasks run on runc (fargate-runtime)"},
		"not offered": {func(f *Facts) { f.Settings.Fargate = false }, "not offered (fargate is false)"},
	}
	for name, test := range tests {
		f := healthy(t)
		test.change(&f)
		if got := fargate(f); len(got) != 1 || got[0].Level != OK || got[0].Text != test.want {
			t.Errorf("%s: %+v, want %q", name, got, test.want)
		}
	}
}

// A node without Envoy works, but for load balancers.
func TestExamineProxy(t *testing.T) {
	f := healthy(t)
	f.Proxy, f.ProxyErr = "", errors.New("no Envoy is installed")
	for _, found := range Examine(f) {
		if found.Check == "proxy" && (found.Level != Warn || !strings.Contains(found.Text, "no load balancers here") || found.Blocks()) {
			t.Errorf("%v", found)
		}
	}
}
