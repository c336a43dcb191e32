package inventory

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	taskA = "0123456789abcdef0123456789abcdef"
	taskB = "ffffffffffffffffffffffffffffffff"
)

func healthy() Inventory {
	var v Inventory
	v.add(Link, "x0", "", "")
	v.add(Link, "x_000001", taskA+"-0", taskA+"-0 172.28.0.2")
	v.add(Netns, "/run/x/netns/"+taskA+"-0", taskA+"-0", "")
	v.add(Element, "x_net publish: tcp . 80 -> 172.28.0.2 . 80", taskA+"-0", "")
	v.add(Cgroup, "/sys/fs/cgroup/cpu/x/"+taskA, taskA, "")
	v.add(Process, "shim "+taskA+" pid 7", taskA, "")
	v.add(Process, "container "+taskA+"-0 pid 8", taskA+"-0", "")
	v.add(Container, taskA+"-0", taskA+"-0", "")
	v.add(Task, taskA+"-0", taskA+"-0", "8 RUNNING")
	v.sort()
	return v
}

func TestExpect(t *testing.T) {
	a := Running{TaskID: taskA, ID: taskA + "-0", Endpoint: taskA + "-0"}
	boxed, ended := a, a
	boxed.Sandbox, ended.Ended = true, true
	inBox := func(v *Inventory) {
		v.Items = slices.DeleteFunc(v.Items, func(i Item) bool { return strings.HasPrefix(i.Key, "container ") })
		v.add(Process, "sandbox "+taskA+" pid 10", taskA, "")
		v.add(Process, "gofer "+taskA+"-0 pid 11", taskA+"-0", "")
		v.add(Container, taskA+"-sandbox", taskA, "")
		v.add(Task, taskA+"-sandbox", taskA, "10 RUNNING")
	}
	for _, c := range []struct {
		name    string
		change  func(*Inventory)
		running []Running
		want    []string // a part of each finding
	}{
		{"all is well", func(*Inventory) {}, []Running{a}, nil},
		{"a leaked snapshot", func(v *Inventory) { v.add(Snapshot, taskB+"-1", taskB+"-1", "") }, []Running{a}, []string{"leaked: snapshot  " + taskB}},
		{"a leaked loop device", func(v *Inventory) { v.add(Storage, "loop3 /data/storage/"+taskB+".ext4 (deleted)", taskB, "") }, []Running{a}, []string{"leaked: storage   loop3"}},
		{"a task started twice", func(v *Inventory) { v.add(Process, "shim "+taskA+" pid 9", taskA, "") }, []Running{a}, []string{"has 2 shims"}},
		{"a stopped one", func(v *Inventory) { v.Items = v.without(Task) }, []Running{a}, []string{"has 0 running tasks"}},
		{"no process", func(v *Inventory) { v.Items = v.without(Process) }, []Running{a}, []string{"has 0 shims", "has 0 processes"}},
		{"no namespace", func(v *Inventory) { v.Items = v.without(Netns) }, []Running{a}, []string{"has 0 network namespaces"}},
		{"what could not be read", func(v *Inventory) { v.Problems = []string{"links: no"} }, []Running{a}, []string{"could not be read: links"}},
		{"in a sandbox", inBox, []Running{a}, nil},
		{"in the sandbox it asked for", inBox, []Running{boxed}, nil},
		{"not in the sandbox it asked for", func(*Inventory) {}, []Running{boxed}, []string{"has 0 sandboxes", "has 0 gofers", "has 0 first", "has 0 running first"}},
		{"a gofer too many", func(v *Inventory) { inBox(v); v.add(Process, "gofer "+taskA+"-0 pid 12", taskA+"-0", "") }, []Running{a}, []string{"has 2 gofers"}},
		{"a sandbox of nobody's", func(v *Inventory) { v.add(Process, "sandbox "+taskB+" pid 12", taskB, "") }, []Running{a}, []string{"leaked: process   sandbox " + taskB}},
		{"what has ended goes on", func(*Inventory) {}, []Running{ended}, []string{"has ended and has a process   container"}},
		{"what has ended", func(v *Inventory) { v.Items = v.without(Process) }, []Running{ended}, nil},
		{"nothing should run", func(*Inventory) {}, nil, []string{"cgroup", "container", "element", "link", "netns", "process", "process", "task"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := healthy()
			c.change(&v)
			got := Expect(v, c.running)
			if len(got) != len(c.want) {
				t.Fatalf("%d findings, want %d:\n%s", len(got), len(c.want), strings.Join(got, "\n"))
			}
			for i, part := range c.want {
				if !strings.Contains(got[i], part) {
					t.Errorf("finding %q, want %q in it", got[i], part)
				}
			}
		})
	}
}

func (v Inventory) without(k Kind) []Item {
	var out []Item
	for _, i := range v.Items {
		if i.Kind != k {
			out = append(out, i)
		}
	}
	return out
}

func TestDiff(t *testing.T) {
	before, after := healthy(), healthy()
	after.Items = after.without(Process)
	after.add(Process, "container "+taskA+"-0 pid 99", taskA+"-0", "")
	gone, added := Diff(before, after)
	if len(gone) != 2 || len(added) != 1 || added[0].Key != "container "+taskA+"-0 pid 99" {
		t.Errorf("gone %v, added %v: want the shim and the old process gone, the new one added", gone, added)
	}
	if gone, added := Diff(before, before); gone != nil || added != nil {
		t.Errorf("no change: gone %v, added %v", gone, added)
	}
}

func TestParse(t *testing.T) {
	path, kind, ok := parseMount(`91 24 0:4 net:[4026532281] /run/my\040dir/netns/a rw shared:7 - nsfs nsfs rw`)
	if !ok || path != "/run/my dir/netns/a" || kind != "nsfs" {
		t.Errorf("mount: %q %q %v", path, kind, ok)
	}
	port, inode, ok := parseSocket("tcp", "   0: 0100007F:11D6 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100")
	if !ok || port != 4566 || inode != "4711" {
		t.Errorf("socket: %d %s %v", port, inode, ok)
	}
	if _, _, ok := parseSocket("tcp", "   0: 0100007F:11D6 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100"); ok {
		t.Error("a connection is no listener")
	}
	if got := ownerIn("/x/" + taskB + "/" + taskA + "-3/rootfs"); got != taskA+"-3" {
		t.Errorf("owner %q", got)
	}
	if c := inCgroup("x"); c.MatchString("3:cpu:/xy/a") || !c.MatchString("0::/x") || c.FindString("3:cpu:/y\n4:pids:/x/"+taskA) == "" {
		t.Error("cgroup lines are not told apart")
	}
}

func TestClassify(t *testing.T) {
	o := Options{Name: "x", RunDir: "/run/x", DataDir: "/var/lib/x"}
	for _, c := range []struct {
		args   string
		cgroup string
		want   string // class and owner; empty: none of ours
	}{
		{"/var/lib/x/init pause /run/x", "9:memory:/x/" + taskA + "/pause", "pause " + taskA},
		{"/var/lib/x/init -- sh", "9:memory:/x/" + taskA + "/" + taskA + "-0", "container " + taskA + "-0"},
		{"/opt/b/containerd-shim-runc-v2 -namespace x -id " + taskA + " -address /run/x/containerd.sock", "", "shim " + taskA},
		{"/opt/b/containerd-shim-runc-v2 -namespace x -id " + taskA + " -address /run/other/containerd.sock", "", ""},
		{"/opt/b/containerd-shim-berth-v1 -namespace x -address /run/x/containerd.sock -id " + taskA, "", "shim " + taskA},
		{"runsc-sandbox --root=/run/x/runsc/" + taskA + "/x boot " + taskA + "-sandbox", "9:memory:/x/" + taskA + "/" + taskA + "-sandbox", "sandbox " + taskA},
		{"runsc-gofer --root=/run/x/runsc gofer --bundle /run/x/b/" + taskA + "-1 " + taskA + "-1", "9:memory:/x/" + taskA + "/" + taskA + "-sandbox", "gofer " + taskA + "-1"},
		{"/opt/b/runsc --root=/run/x/runsc/" + taskA + "/x wait " + taskA + "-0", "", "other " + taskA + "-0"},
		{"/opt/b/containerd --config /var/lib/x/containerd.toml", "", "containerd "},
		{"/usr/bin/containerd", "", ""},
		{"/bin/berth hold --run=/run/x", "", "hold "},
		{"/opt/b/envoy -c /run/x/proxy/bootstrap.json --disable-hot-restart", "", "envoy "},
		{"/opt/b/envoy -c /run/other/proxy/bootstrap.json --disable-hot-restart", "", ""},
		{"sleep 100", "3:cpu:/x/" + taskA + "/" + taskA + "-0", "container " + taskA + "-0"},
		{"sleep 100", "", ""},
		{"vi /run/xy/file", "", ""},
	} {
		p, ok := classify(o, 1, strings.Fields(c.args), c.cgroup)
		got := ""
		if ok {
			got = p.class + " " + p.owner
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.args, got, c.want)
		}
	}
}

func TestParseRules(t *testing.T) {
	const ruleset = `{"nftables":[{"metainfo":{"version":"1.0.6"}},{"table":{"family":"ip","name":"x_net","handle":1}},
		{"table":{"family":"ip","name":"xy_net","handle":9}},
		{"chain":{"family":"ip","table":"x_net","name":"guard","handle":2,"prio":-300}},
		{"rule":{"family":"ip","table":"x_net","chain":"guard","handle":3,"expr":[{"drop":null}]}},
		{"map":{"family":"ip","name":"publish","table":"x_net","type":["inet_proto","inet_service"],"handle":4,"map":"ipv4_addr . inet_service",
		  "elem":[[{"elem":{"val":{"concat":["tcp",80]},"comment":"abc 1-2"}},{"concat":["10.0.0.1",80]}]]}},
		{"set":{"family":"bridge","name":"owners","table":"x_net","handle":5,"elem":[{"concat":["eth0","0a:be:00:00:00:01","1.2.3.4"]}]}}]}`
	var v Inventory
	if err := v.parseRules(Options{Name: "x"}, []byte(ruleset)); err != nil {
		t.Fatal(err)
	}
	v.sort()
	want := []Item{
		{Element, "x_net owners: eth0 . 0a:be:00:00:00:01 . 1.2.3.4", "", ""},
		{Element, "x_net publish: tcp . 80 -> 10.0.0.1 . 80", "abc", "abc 1-2"},
		{Rule, "chain ip x_net guard", "", "0 elements"},
		{Rule, "map ip x_net publish", "", "1 elements"},
		{Rule, "rule ip x_net guard #3", "", ""},
		{Rule, "set bridge x_net owners", "", "1 elements"},
		{Rule, "table ip x_net", "", ""},
	}
	if diff := cmp.Diff(want, v.Items); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
