package cgroup

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestUnmounted(t *testing.T) {
	t.Parallel()
	const member = "4:memory:/x\n3:cpu,cpuacct:/\n2:name=systemd:/\n1:misc:/\n0::/\n"
	const mounts = "30 25 0:26 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n" +
		"31 25 0:27 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n" +
		"32 25 0:28 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd\n" +
		"33 25 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
	if d := cmp.Diff([]string{"misc"}, unmounted(member, mounts)); d != "" {
		t.Error(d)
	}
}
