package repo

import (
	"strings"
	"testing"
)

func TestImports(t *testing.T) {
	const berth = Module + "/"
	tests := map[string]struct {
		dir, imports string
		rule         string // "": allowed
		says         string
	}{
		"pure, std":              {"ecs/place", "slices", "", ""},
		"pure, time's types":     {"ecs", "time", "", ""},
		"pure, shapes":           {"ecs", berth + "wire/shape/ecs", "", ""},
		"pure, own root":         {"ecs/place", berth + "ecs", "", ""},
		"pure, the clock":        {"ecs", berth + "internal/clock", "pure", "time is an input"},
		"pure, context":          {"ecs", "context", "pure", "same input"},
		"pure, logging":          {"ecs/rollout", "log/slog", "pure", "does not log"},
		"pure, randomness":       {"vpc/compile", "crypto/rand", "pure", "identifiers as an input"},
		"pure, the store":        {"ecs", berth + "store", "pure", "pure room"},
		"pure, its tables":       {"ecs/place", berth + "ecs/tables", "pure", "pure room"},
		"pure, a library":        {"ecs", "github.com/prometheus/client_golang/prometheus", "pure", "pure room"},
		"tables, the store":      {"ecs/tables", berth + "store", "", ""},
		"api calls control":      {"ecs/ecsapi", berth + "ecs/control", "api-control", "meet only in the store"},
		"control answers":        {"ecs/control", berth + "wire", "api-control", "never answers a request"},
		"control, shapes":        {"ecs/control", berth + "wire/shape", "", ""},
		"wing to wing":           {"ecs/control", berth + "vpc/tables", "wings", "declares the one to three methods"},
		"node, session":          {"node/agent", berth + "session", "", ""},
		"node, control":          {"node/agent", berth + "ecs/control", "node", "another machine"},
		"server, node":           {"session/hub", berth + "node/agent", "node", "nothing in the server imports the node"},
		"the program, node":      {"cmd/berth/nodeproc", berth + "node/agent", "", ""},
		"etcd in its place":      {"store/etcd", "go.etcd.io/etcd/client/v3", "", ""},
		"etcd elsewhere":         {"loop", "go.etcd.io/etcd/client/v3", "library", "belongs to [store/etcd]"},
		"containerd elsewhere":   {"node/agent", "github.com/containerd/containerd/v2/client", "library", "belongs to [node/runtime]"},
		"a name that only looks": {"store/etcdish", "go.etcd.io/etcd/client/v3", "library", "belongs to [store/etcd]"},
		"unknown library":        {"loop", "example.com/shiny", "library", "docs/decisions"},
		"tests are free":         {"test/e2e", "example.com/shiny", "", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			tree := load(t, map[string]string{test.dir + "/x.go": "package x\nimport _ \"" + test.imports + "\"\n"})
			found := Imports(tree)
			if test.rule == "" {
				if len(found) > 0 {
					t.Errorf("unexpected: %v", found)
				}
				return
			}
			for _, f := range found {
				if f.Rule == test.rule && strings.Contains(f.Text, test.says) && f.Where == test.dir+"/x.go" {
					return
				}
			}
			t.Errorf("want rule %q saying %q, got %v", test.rule, test.says, found)
		})
	}
}

func TestImportsLeavesTestsAndOtherModulesOut(t *testing.T) {
	tree := load(t, map[string]string{
		"loop/x_test.go": "package loop\nimport _ \"example.com/shiny\"\n",
		"shim/go.mod":    "module example.com/shim\n",
		"shim/main.go":   "package main\nimport _ \"example.com/shiny\"\n",
	})
	if found := Imports(tree); len(found) > 0 {
		t.Errorf("unexpected: %v", found)
	}
}

func TestPurity(t *testing.T) {
	body := "package x\nimport \"time\"\nfunc f() time.Time { go f(); return time.Now() }\n"
	if found := Purity(load(t, map[string]string{"ecs/place/x.go": body})); len(found) != 2 {
		t.Errorf("want a goroutine and the clock, got %v", found)
	}
	if found := Purity(load(t, map[string]string{"ecs/control/x.go": body})); len(found) != 0 {
		t.Errorf("loops may: %v", found)
	}
}
