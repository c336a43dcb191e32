package cgroup

import (
	"fmt"
	"os"
	"strings"
)

// Unmounted lists the v1 hierarchies this process is in that are mounted
// nowhere ("cpu,cpuacct", "name=systemd"). containerd's shim fails with one:
// "cannot find cgroup mount destination".
func Unmounted() ([]string, error) {
	member, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil, fmt.Errorf("cgroup: %w", err)
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, fmt.Errorf("cgroup: %w", err)
	}
	return unmounted(string(member), string(mounts)), nil
}

func unmounted(member, mountinfo string) []string {
	mounted := map[string]bool{}
	for line := range strings.Lines(mountinfo) {
		_, after, _ := strings.Cut(line, " - ")
		if f := strings.Fields(after); len(f) == 3 && f[0] == "cgroup" {
			for option := range strings.SplitSeq(f[2], ",") {
				mounted[option] = true
			}
		}
	}
	var out []string
	for line := range strings.Lines(member) {
		f := strings.SplitN(strings.TrimSpace(line), ":", 3) // id:controllers:path
		if len(f) != 3 || f[1] == "" {
			continue // v2
		}
		first, _, _ := strings.Cut(f[1], ",")
		if !mounted[first] {
			out = append(out, f[1])
		}
	}
	return out
}
