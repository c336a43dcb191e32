package inventory

import (
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"strings"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// edgePrefix is how the names of links to routers begin.
func edgePrefix(o Options) string { return o.Name + "." }

// poolProtocol marks routes to public addresses; poolMetric tells the installations' unreachable ones apart.
const poolProtocol = 0xbe

func poolMetric(o Options) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(o.Name)) // a hash does not fail
	return int(h.Sum32()>>2) + 1
}

const dumpTries = 50

func dump[T any](f func() (T, error)) (out T, err error) {
	for range dumpTries {
		if out, err = f(); !errors.Is(err, netlink.ErrDumpInterrupted) && !errors.Is(err, unix.EINTR) {
			break
		}
	}
	return out, err
}

// takeRoutes reads the machine's routes to public addresses. Those by a link go with it.
func (v *Inventory) takeRoutes(o Options) {
	routes, err := dump(func() ([]netlink.Route, error) { return netlink.RouteList(nil, unix.AF_INET) })
	if err != nil {
		v.fail("routes", err)
		return
	}
	links := map[int]string{}
	all, err := dump(netlink.LinkList)
	if err != nil {
		v.fail("links", err)
		return
	}
	for _, l := range all {
		links[l.Attrs().Index] = l.Attrs().Name
	}
	for _, r := range routes {
		by := links[r.LinkIndex]
		ours := r.Type == unix.RTN_UNREACHABLE && r.Priority == poolMetric(o) || strings.HasPrefix(by, edgePrefix(o))
		if r.Protocol == poolProtocol && ours {
			v.add(Route, strings.TrimSpace(fmt.Sprint(r.Dst, " ", by)), "", "")
		}
	}
}

// takeRouters reads the links and routes of each router: they are their interfaces'. What is made ahead is nobody's.
func (v *Inventory) takeRouters(o Options) {
	entries, err := os.ReadDir(filepath.Join(o.RunDir, "vpc"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		v.fail("routers", err)
	}
	for _, e := range entries {
		if err := v.takeRouter(e.Name(), filepath.Join(o.RunDir, "vpc", e.Name())); err != nil {
			v.fail("router "+e.Name(), err)
		}
	}
}

func (v *Inventory) takeRouter(vpc, path string) error {
	var s unix.Statfs_t
	if unix.Statfs(path, &s) != nil || s.Type != unix.NSFS_MAGIC {
		v.add(Mount, path, "", "a file without a namespace")
		return nil
	}
	ns, err := netns.GetFromPath(path)
	if err != nil {
		return fmt.Errorf("open its namespace: %w", err)
	}
	defer func() { _ = ns.Close() }()
	h, err := netlink.NewHandleAt(ns, unix.NETLINK_ROUTE)
	if err != nil {
		return fmt.Errorf("netlink: %w", err)
	}
	defer h.Close()
	links, err := dump(h.LinkList)
	if err != nil {
		return fmt.Errorf("links: %w", err)
	}
	owners := map[int]string{}
	for _, l := range links {
		a := l.Attrs()
		owners[a.Index] = a.Alias
		if a.Name != "lo" && a.Name != "edge" {
			v.add(Link, vpc+" "+a.Name, a.Alias, "in a router")
		}
	}
	routes, err := dump(func() ([]netlink.Route, error) { return h.RouteList(nil, unix.AF_INET) })
	if err != nil {
		return fmt.Errorf("routes: %w", err)
	}
	for _, r := range routes {
		if owner := owners[r.LinkIndex]; owner != "" {
			v.add(Route, fmt.Sprintf("%s %s", vpc, r.Dst), owner, "in a router")
		}
	}
	return v.takeWays(h, vpc, links, routes)
}
