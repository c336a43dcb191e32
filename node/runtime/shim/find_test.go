package shim

import "testing"

func TestCommandLine(t *testing.T) {
	t.Parallel()
	config := Config{BinDir: "/opt/berth/bin", Address: "/run/berth/containerd.sock", Namespace: "berth"}
	bin, sandbox, addr := "/opt/berth/bin/containerd-shim-runc-v2", "/opt/berth/bin/containerd-shim-berth-v1", config.Address
	for _, c := range []struct {
		args []string
		task string
	}{
		{[]string{bin, "-namespace", "berth", "-id", "abc", "-address", addr, ""}, "abc"},
		{[]string{sandbox, "-namespace", "berth", "-address", addr, "-id", "abc"}, "abc"},
		{[]string{bin, "-namespace", "berth", "-id", "abc", "-address", "/run/containerd/containerd.sock", ""}, ""},
		{[]string{bin, "-namespace", "another", "-id", "abc", "-address", addr, ""}, ""},
		{[]string{"/usr/bin/containerd-shim-runc-v2", "-id", "abc", "-address", addr, ""}, ""},
		{[]string{""}, ""},
	} {
		if task, ok := config.idIn(c.args); (ok && task != c.task) || ok != (c.task != "") {
			t.Errorf("%q: %q %v", c.args, task, ok)
		}
	}
}
