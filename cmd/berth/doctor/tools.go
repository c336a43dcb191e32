package doctor

import (
	"fmt"
	"strconv"
	"strings"
)

const shim = "containerd-shim-runc-v2"

var requiredTools = []string{"containerd", shim, "ctr", "runc"}

// enter runs health checks. A node does without it, at a price.
const enter = "berth-enter"

// The oldest containerd whose configuration and shim bootstrap the node speaks.
var oldestContainerd = release{2, 4, 0}

func tools(f Facts) []Finding {
	var out []Finding
	for _, name := range requiredTools {
		if name == "containerd" && f.Settings.ContainerdAddress != "" {
			continue // somebody else's serves the node
		}
		out = append(out, oneTool(name, f.Tools[name])...)
	}
	if t := f.Tools[enter]; t.Path == "" {
		return append(out, finding(enter, Warn, "not found: each health check costs a runc", "make up installs it (hack/install.sh)")...)
	}
	return append(out, ok(enter, f.Tools[enter].Version+" at "+f.Tools[enter].Path)...)
}

func oneTool(name string, t Tool) []Finding {
	const install = "make up installs it (hack/install.sh)"
	if t.Path == "" {
		return finding(name, Fail, "not found", install)
	}
	text := fmt.Sprintf("%s at %s", t.Version, t.Path)
	v, known := parseRelease(t.Version)
	switch {
	case !known:
		return finding(name, Warn, t.Path+" does not say its version", "reinstall it: "+install)
	case name != "runc" && v.before(oldestContainerd):
		return finding(name, Fail, fmt.Sprintf("%s is older than %s", text, oldestContainerd), install)
	}
	return ok(name, text)
}

// The first releases of each line in which CVE-2025-31133, CVE-2025-52565 and CVE-2025-52881 are mended.
var mendedRunc = []release{{1, 2, 8}, {1, 3, 3}, {1, 4, 0}}

// runcEscapes: a container can leave a runc that lacks the fixes, so a node refuses it unless told otherwise.
func runcEscapes(f Facts) []Finding {
	v, known := parseRelease(f.Tools["runc"].Version)
	if !known || safeRunc(v) {
		return nil
	}
	text := fmt.Sprintf("runc %s lets containers escape (CVE-2025-31133, -52565, -52881)", v)
	if f.Settings.AllowOldRunc {
		return finding("runc", Warn, text+"; allow-old-runc accepts that", "make up installs a mended one")
	}
	return finding("runc", Fail, text+": the node refuses it", "make up installs a mended one; --allow-old-runc accepts the risk")
}

func safeRunc(v release) bool {
	for _, mended := range mendedRunc {
		if v[0] == mended[0] && v[1] == mended[1] {
			return !v.before(mended)
		}
	}
	return !v.before(mendedRunc[len(mendedRunc)-1])
}

// release is major, minor, patch. Pre-releases count as their release.
type release [3]int

func (r release) String() string { return fmt.Sprintf("%d.%d.%d", r[0], r[1], r[2]) }

func (r release) before(o release) bool {
	for i := range r {
		if r[i] != o[i] {
			return r[i] < o[i]
		}
	}
	return false
}

func parseRelease(s string) (release, bool) {
	s, _, _ = strings.Cut(s, "-")
	parts := strings.Split(s, ".")
	if len(parts) != 3 {
		return release{}, false
	}
	var r release
	for i, p := range parts {
		n, err := strconv.Atoi(p)
		if err != nil {
			return release{}, false
		}
		r[i] = n
	}
	return r, true
}
