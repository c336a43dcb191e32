package spec

import (
	"fmt"
	"slices"
	"strings"
)

// defaultCaps are Docker's fourteen.
var defaultCaps = []string{
	"CAP_AUDIT_WRITE", "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_MKNOD",
	"CAP_NET_BIND_SERVICE", "CAP_NET_RAW", "CAP_SETFCAP", "CAP_SETGID", "CAP_SETPCAP", "CAP_SETUID", "CAP_SYS_CHROOT",
}

// allCaps is every capability Linux has, in the kernel's order.
var allCaps = []string{
	"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID",
	"CAP_SETUID", "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN",
	"CAP_NET_RAW", "CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT",
	"CAP_SYS_PTRACE", "CAP_SYS_PACCT", "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_RESOURCE",
	"CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE", "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL",
	"CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND",
	"CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
}

// Capabilities is Docker's rule: the defaults (all when privileged), with drop
// taken out and add put in; ALL stands for every one. held bounds the result to
// what this machine can give (a bit per capability); runc refuses more.
func Capabilities(add, drop []string, privileged bool, held uint64) ([]string, error) {
	addAll, adds, err := capNames("add", add)
	if err != nil {
		return nil, err
	}
	dropAll, drops, err := capNames("drop", drop)
	if err != nil {
		return nil, err
	}
	var out []string
	for i, c := range allCaps {
		in := privileged || addAll || (!dropAll && slices.Contains(defaultCaps, c))
		in = in && (privileged || !slices.Contains(drops, c)) || slices.Contains(adds, c)
		if !in {
			continue
		}
		if held&(1<<i) == 0 {
			if slices.Contains(adds, c) && !privileged {
				return nil, fmt.Errorf("linuxParameters.capabilities.add: this machine does not have %s", c)
			}
			continue
		}
		out = append(out, c)
	}
	return out, nil
}

func capNames(field string, names []string) (all bool, out []string, err error) {
	for _, n := range names {
		n = strings.ToUpper(n)
		if n == "ALL" {
			all = true
			continue
		}
		if !strings.HasPrefix(n, "CAP_") {
			n = "CAP_" + n
		}
		if !slices.Contains(allCaps, n) {
			return false, nil, fmt.Errorf("linuxParameters.capabilities.%s: %q is no capability", field, n)
		}
		out = append(out, n)
	}
	return all, out, nil
}

// Bits are capabilities as the kernel counts them.
func Bits(names []string) (bits uint64) {
	for i, c := range allCaps {
		if slices.Contains(names, c) {
			bits |= 1 << i
		}
	}
	return bits
}
