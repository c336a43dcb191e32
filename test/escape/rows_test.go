package escape

// row is one line of the page.
type row struct {
	name    string       // of the attempt, in ./attempt
	words   string       // what it is
	stops   []protection // on runc: each of them is enough
	sandbox protection   // what stops it in gVisor
}

// What stops an attempt in a sandbox, beside capabilities.
const (
	gvisor protection = "gVisor has nothing to get at"
	inside protection = "what it gets is the sandbox's own"
)

// crowd takes what others need; it is made alone.
const crowd = "kernel: processes"

func stops(p ...protection) []protection { return p }

var rows = []row{
	{"devices: /dev/mem", "make a node of `/dev/mem` and open it", stops(devices), gvisor},
	{"devices: /dev/port", "the same with `/dev/port`", stops(devices), gvisor},
	{"devices: kernel log", "open a node of `/dev/kmsg` to write into the machine's log", stops(devices), gvisor},
	{"devices: disk", "read a disk of the machine from a node of it", stops(devices), gvisor},
	{"devices: loop-control", "open a node of `/dev/loop-control`", stops(devices), gvisor},
	{"devices: fuse", "open a node of `/dev/fuse`", stops(devices), inside},
	{"devices: kvm", "open a node of `/dev/kvm`", stops(devices), gvisor},
	{"devices: tun", "make an interface by a node of `/dev/net/tun`", stops(capabilities), capabilities},
	{"proc: sysrq-trigger", "open `/proc/sysrq-trigger` for writing", stops(kernelPaths), inside},
	{"proc: core_pattern", "write `/proc/sys/kernel/core_pattern`", stops(kernelPaths), gvisor},
	{"proc: sys/kernel", "write `/proc/sys/kernel/panic`", stops(kernelPaths), gvisor},
	{"proc: sys/vm", "write `/proc/sys/vm/overcommit_memory`", stops(kernelPaths), gvisor},
	{"proc: irq", "open `/proc/irq/default_smp_affinity` for writing", stops(kernelPaths), gvisor},
	{"proc: kcore", "read `/proc/kcore`", stops(kernelPaths), gvisor},
	{"proc: keys", "read `/proc/keys`", stops(kernelPaths), gvisor},
	{"proc: timer_list", "read `/proc/timer_list`", stops(kernelPaths), gvisor},
	{"sys: uevent_helper", "open `/sys/kernel/uevent_helper` for writing", stops(readOnlySys), gvisor},
	{"sys: huge pages", "open `/sys/kernel/mm/transparent_hugepage/enabled` or `ksm/run` for writing", stops(readOnlySys), gvisor},
	{"sys: power", "open `/sys/power/state` for writing", stops(readOnlySys), gvisor},
	{"sys: firmware", "list `/sys/firmware`", stops(kernelPaths), gvisor},
	{"sys: control groups", "open a `cgroup.procs` of `/sys/fs/cgroup` for writing", stops(readOnlySys), gvisor},
	{"mounts: tmpfs", "mount a tmpfs", stops(capabilities, seccomp), capabilities},
	{"mounts: bind", "mount `/` elsewhere", stops(capabilities, seccomp), capabilities},
	{"mounts: proc", "mount a new `/proc`, without masked paths", stops(capabilities, seccomp), capabilities},
	{"mounts: sysfs", "mount a new, writable `/sys`", stops(capabilities, seccomp), capabilities},
	{"mounts: debugfs", "mount debugfs", stops(capabilities, seccomp), gvisor},
	{"mounts: control groups", "mount control groups and open `release_agent` or `cgroup.procs`", stops(capabilities, seccomp), capabilities},
	{"mounts: /proc/sys writable", "mount `/proc/sys` again, writable", stops(capabilities, seccomp), gvisor},
	{"mounts: /sys writable", "mount `/sys` again, writable", stops(capabilities, seccomp), capabilities},
	{"mounts: uncover /sys/firmware", "unmount what hides `/sys/firmware`", stops(capabilities, seccomp), gvisor},
	{"mounts: pivot_root", "`pivot_root` to another directory", stops(capabilities, seccomp), capabilities},
	{"mounts: open_tree", "copy a mount by `open_tree`", stops(capabilities, seccomp), capabilities},
	{"mounts: fsopen", "`fsopen`", stops(capabilities, seccomp), capabilities},
	{"mounts: mount_setattr", "make `/sys` writable by `mount_setattr`", stops(capabilities, seccomp), gvisor},
	{"network: raw socket", "open a raw socket", stops(capabilities), capabilities},
	{"network: packet socket", "open a packet socket", stops(capabilities), capabilities},
	{"network: vsock", "open a socket to the hypervisor (`AF_VSOCK`)", stops(seccomp), gvisor},
	{"network: address", "give an interface an address", stops(capabilities), capabilities},
	{"network: firewall", "list nftables", stops(capabilities), gvisor},
	{"namespaces: user", "make a user namespace", stops(seccomp), inside},
	{"namespaces: mount", "make a mount namespace", stops(capabilities, seccomp), inside},
	{"namespaces: network", "make a network namespace", stops(capabilities, seccomp), capabilities},
	{"namespaces: user and mount", "make a user namespace with a mount namespace in it", stops(seccomp), inside},
	{"namespaces: a neighbour's", "enter the network namespace of another container's process", stops(processes, capabilities, seccomp), gvisor},
	{"namespaces: the first process", "enter the mount namespace of process 1", stops(processes, capabilities, seccomp), gvisor},
	{"kernel: init_module", "load a kernel module (`init_module`)", stops(capabilities, seccomp), gvisor},
	{"kernel: finit_module", "load a kernel module from a file (`finit_module`)", stops(capabilities, seccomp), gvisor},
	{"kernel: delete_module", "unload a kernel module", stops(capabilities, seccomp), gvisor},
	{"kernel: bpf", "make a `bpf` map", stops(capabilities, seccomp), gvisor},
	{"kernel: perf_event_open", "count events of a whole processor", stops(capabilities, seccomp), gvisor},
	{"kernel: add_key", "`add_key`", stops(seccomp), gvisor},
	{"kernel: keyctl", "`keyctl`", stops(seccomp), inside},
	{"kernel: syslog", "read the machine's log (`dmesg`)", stops(capabilities, seccomp), gvisor},
	{"kernel: adjtimex", "set the clock's speed (`adjtimex`)", stops(capabilities), gvisor},
	{"kernel: settimeofday", "`settimeofday`", stops(capabilities, seccomp), gvisor},
	{"kernel: reboot", "`reboot`", stops(capabilities, seccomp), gvisor},
	{"kernel: swapon", "`swapon`", stops(capabilities, seccomp), gvisor},
	{"kernel: swapoff", "`swapoff`", stops(capabilities, seccomp), gvisor},
	{"kernel: acct", "`acct`", stops(capabilities, seccomp), gvisor},
	{"kernel: kexec_load", "`kexec_load`", stops(capabilities, seccomp), gvisor},
	{"kernel: ioperm", "`ioperm`", stops(capabilities, seccomp), gvisor},
	{"kernel: iopl", "`iopl`", stops(capabilities, seccomp), gvisor},
	{"kernel: userfaultfd", "`userfaultfd`", stops(capabilities, seccomp), gvisor},
	{"kernel: io_uring_setup", "`io_uring_setup`", stops(seccomp), gvisor},
	{"kernel: nice", "run before everybody else (`setpriority` -20)", stops(capabilities), inside},
	{"kernel: oom_score_adj", "never be ended for want of memory (`oom_score_adj` -1000)", stops(capabilities), inside},
	{"kernel: rlimit", "raise a hard limit", stops(capabilities), capabilities},
	{crowd, "begin more processes than a task may have, and wait for none", stops(limit), inside},
	{"files: the first process", "read the machine's files through `/proc/1/root`", stops(processes, capabilities), gvisor},
	{"files: upwards", "leave the root by `..` and symbolic links", stops(rootChange), gvisor},
	{"files: chroot", "leave the root by `chroot` and `..`", stops(rootChange), gvisor},
	{"files: open_by_handle_at", "open a file by its number on the disk (`open_by_handle_at`)", stops(capabilities, seccomp), gvisor},
	{"files: inherited descriptors", "go out by a directory that the first process inherited, or works in", stops(descriptors), gvisor},
	{"files: setuid", "become root again by a setuid program", stops(noNewRights), gvisor},
	{"files: a program from outside", "overwrite a program of the machine that enters the container (a health check's)", stops(processes, capabilities), gvisor},
	{"neighbours: see", "see a process of another container of the task, or of another task", stops(processes), gvisor},
	{"neighbours: signal", "signal it", stops(processes), gvisor},
	{"neighbours: ptrace", "trace it", stops(processes), gvisor},
	{"neighbours: memory", "read its memory in `/proc`", stops(processes), gvisor},
	{"neighbours: process_vm_readv", "read its memory by `process_vm_readv`", stops(processes), gvisor},
	{"neighbours: environment", "read its environment", stops(processes), gvisor},
	{"neighbours: root", "read its files through `/proc/PID/root`", stops(processes), gvisor},
	{"neighbours: pidfd_getfd", "take its open files by `pidfd_getfd`", stops(processes, seccomp), gvisor},
	{"neighbours: shared memory", "read another task's System V shared memory", stops(ipc), gvisor},
	{"neighbours: localhost", "reach what another task has on its localhost", stops(otherNetwork), gvisor},
	{"node: sockets by path", "reach the sockets of containerd, of shims and of the node by their paths", stops(files), gvisor},
	{"node: abstract socket", "reach an abstract socket of the machine", stops(network), gvisor},
	{"node: API", "reach the region's API and the node's introspection at the machine's addresses", stops(network), gvisor},
	{"node: another's metadata", "read another task's metadata", stops(otherNetwork), gvisor},
	{"node: instance metadata", "read an instance's metadata at 169.254.169.254", stops(link), gvisor},
}

func apartFrom(name string) (out []string) {
	for _, r := range rows {
		if r.name != name {
			out = append(out, r.name)
		}
	}
	return out
}
