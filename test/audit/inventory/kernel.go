package inventory

import (
	"bufio"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/vishvananda/netlink"
)

// takeMounts reads every mount below the installation's directories, and the named namespaces of `ip netns`.
func (v *Inventory) takeMounts(o Options) {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		v.fail("mounts", err)
		return
	}
	defer func() { _ = f.Close() }()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		path, kind, ok := parseMount(lines.Text())
		switch {
		case !ok:
		case kind == "nsfs" && (o.below(path) || isNamed(o, path)):
			v.add(Netns, path, endpointOf(o, path), "")
		case o.below(path):
			v.add(Mount, path, ownerIn(path), kind)
		}
	}
	if err := lines.Err(); err != nil {
		v.fail("mounts", err)
	}
}

func isNamed(o Options, path string) bool {
	dir, base := filepath.Split(path)
	return dir == "/run/netns/" && strings.HasPrefix(base, o.Name)
}

// endpointOf: an endpoint's namespace and an interface's are mounted under their ids, what runsc mounts lies in the directory of a task.
// Routers are infrastructure.
func endpointOf(o Options, path string) string {
	dir, base := filepath.Split(path)
	if dir = filepath.Clean(dir); dir == filepath.Join(o.RunDir, "netns") || dir == filepath.Join(o.RunDir, "eni") {
		return base
	}
	return ownerIn(path)
}

// takeStates lists what is written down of each task and container beside containerd's records.
func (v *Inventory) takeStates(o Options) {
	for _, dir := range []string{"shims", filepath.Join("runc", o.Name), "runsc"} {
		dir = filepath.Join(o.RunDir, dir)
		entries, err := os.ReadDir(dir)
		if err != nil && !os.IsNotExist(err) {
			v.fail("states", err)
		}
		for _, e := range entries {
			v.add(State, filepath.Join(dir, e.Name()), ownerIn(e.Name()), "")
		}
	}
}

// parseMount takes mount point and file system type out of a line of mountinfo.
func parseMount(line string) (path, kind string, ok bool) {
	left, right, found := strings.Cut(line, " - ")
	fields, rest := strings.Fields(left), strings.Fields(right)
	if !found || len(fields) < 5 || len(rest) < 1 {
		return "", "", false
	}
	unescape := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
	return unescape.Replace(fields[4]), rest[0], true
}

// takeLinks finds links by the installation's naming scheme: the bridge <name>0 and its ports <name>_*.
func (v *Inventory) takeLinks(o Options) {
	links, err := dump(netlink.LinkList)
	if err != nil {
		v.fail("links", err)
		return
	}
	for _, link := range links {
		l := link.Attrs()
		edge := strings.HasPrefix(l.Name, edgePrefix(o))
		if l.Name != o.Name+"0" && !strings.HasPrefix(l.Name, o.Name+"_") && !edge {
			continue
		}
		owner, _, _ := strings.Cut(l.Alias, " ")
		if edge { // its alias is the VPC's id
			owner = ""
		}
		v.add(Link, l.Name, owner, l.Alias)
	}
}

// takeCgroups walks every hierarchy below /<name>, /<name>-own, /<name>-hold and /<name>-proxy: one per controller on v1, one in all on v2.
func (v *Inventory) takeCgroups(o Options) {
	const root = "/sys/fs/cgroup"
	top, err := os.ReadDir(root)
	if err != nil {
		v.fail("cgroups", err)
		return
	}
	var trees []string
	for _, name := range []string{o.Name, o.Name + "-own", o.Name + "-hold", o.Name + "-proxy"} { // of tasks, and of the installation's processes
		trees = append(trees, filepath.Join(root, name))
		for _, e := range top {
			if e.IsDir() && e.Name() != name {
				trees = append(trees, filepath.Join(root, e.Name(), name))
			}
		}
	}
	for _, tree := range trees {
		if _, err := os.Stat(tree); err != nil {
			continue
		}
		err := filepath.WalkDir(tree, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				v.add(Cgroup, path, ownerIn(path), population(path))
			}
			if os.IsNotExist(err) {
				return nil // gone between reading the list and the directory
			}
			return err
		})
		if err != nil {
			v.fail("cgroup "+tree, err)
		}
	}
}

func population(cgroup string) string {
	b, err := os.ReadFile(filepath.Join(cgroup, "cgroup.procs"))
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%d processes", len(strings.Fields(string(b))))
}

// inCgroup matches a line of /proc/PID/cgroup whose path is the installation's cgroup or below it.
func inCgroup(name string) *regexp.Regexp {
	return regexp.MustCompile(`(?m)^[0-9]+:[^:]*:/(?:unified/)?` + regexp.QuoteMeta(name) + `(/.*)?$`)
}
