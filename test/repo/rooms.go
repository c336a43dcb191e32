package repo

import (
	"path"
	"slices"
	"strings"
)

// The wings of the house: one AWS service each.
var wings = []string{"ecs", "vpc", "elb", "acm", "cloudmap", "mesh", "scaling", "metrics", "logs", "iam", "secrets", "registry", "events"}

// wingOf returns the wing a package belongs to, or "".
func wingOf(dir string) string {
	first, _, _ := strings.Cut(dir, "/")
	if slices.Contains(wings, first) {
		return first
	}
	return ""
}

// room is the part of a package's path that says what it does: the second element, "" for the wing's root.
func room(dir string) string {
	parts := strings.SplitN(dir, "/", 3)
	if len(parts) < 2 {
		return ""
	}
	return parts[1]
}

func isAPI(dir string) bool     { return wingOf(dir) != "" && strings.HasSuffix(room(dir), "api") }
func isControl(dir string) bool { return wingOf(dir) != "" && room(dir) == "control" }
func isTables(dir string) bool  { return wingOf(dir) != "" && room(dir) == "tables" }

// Pure rooms outside of the wings: the rules of the agent protocol, what a node makes of a payload, and how machines join.
var pureBeside = []string{"session", "nodeconf", "proxyconf", "joining"}

// isPure: a wing's root and every room that is not api, control, tables or a data plane's control.
func isPure(dir string) bool {
	if slices.Contains(pureBeside, dir) {
		return true
	}
	return wingOf(dir) != "" && !isAPI(dir) && !isControl(dir) && !isTables(dir) && !slices.Contains(impureRooms, path.Join(wingOf(dir), room(dir)))
}

// Rooms of wings that talk to the outside by their nature: to proxies, to what keeps bulk content, or to nodes.
var impureRooms = []string{"mesh/xds", "mesh/feed", "registry/shelf", "vpc/feed"}

// Everything that runs on a machine that runs tasks; the rest of the product is the server.
const nodeRoot = "node"

// The places that know every part and may import all.
var wiringRoots = []string{"cmd", "sim", "test"}
