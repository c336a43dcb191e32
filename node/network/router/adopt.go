package router

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/node/network/netspace"
	"github.com/berth-ecs/berth/node/network/router/overlay"
	"github.com/berth-ecs/berth/node/network/router/rules"
	"github.com/berth-ecs/berth/node/network/router/shortcut"
)

// adopt looks at everything that is in the router, takes over what the configuration wants and buries the rest. Rules are replaced later.
func (v *vpc) adopt(t *turn) error {
	for id, p := range v.ports {
		if p.spare != nil { // the last change failed half way
			v.dropSpare(p.spare)
			delete(v.ports, id)
		}
	}
	links, err := netspace.Dump(v.nl.LinkList)
	if err != nil {
		return fmt.Errorf("router: list links: %w", err)
	}
	before := v.ports
	v.ports, v.graves, v.way = map[string]*port{}, map[string]*grave{}, overlay.New(v.r.machine(), v.ns, v.nl)
	var errs error
	for _, l := range links {
		a := l.Attrs()
		switch {
		case a.Name == "lo" || a.Name == rules.Edge:
		case a.Name == rules.Overlay:
			v.way.Adopt(l)
		case strings.HasPrefix(a.Name, sparePrefix) && a.Alias == "" && v.adopted:
		case v.wanted(t, l):
			p := &port{conf: t.c.Interfaces[a.Alias], link: l}
			if old := before[a.Alias]; old != nil {
				p.conf = old.conf // so that what it loses is seen
			}
			v.ports[a.Alias] = p
		default:
			errs = errors.Join(errs, v.evict(l))
		}
	}
	v.adopted = true
	return errors.Join(errs, v.tidy(t))
}

// wanted: a link without a mount is one that is being made or unmade.
func (v *vpc) wanted(t *turn, l netlink.Link) bool {
	id := l.Attrs().Alias
	i, known := t.c.Interfaces[id]
	return known && i.VPC == v.id && l.Attrs().Name == rules.Link(id) && netspace.Mounted(v.r.cfg.eniMount(id))
}

func (v *vpc) evict(l netlink.Link) error {
	var err error
	if id := l.Attrs().Alias; idRule.MatchString(id) {
		v.r.ready.Unset(id, nil)
		err = netspace.Unmount(v.r.cfg.eniMount(id))
	}
	if !v.adopted { // the programs of an earlier process see what comes in before the rules that shut the link, and nobody ends their lanes
		if e := v.short.Attach(v.nl, l, shortcut.Direct); !netspace.Absent(e) { // one that nobody held open may go at any moment
			err = errors.Join(err, e)
		}
	}
	v.bury(l.Attrs().Alias, l)
	return err
}

// tidy removes routes, neighbours and rules of which nobody knows any more why they are there.
func (v *vpc) tidy(t *turn) error {
	known := map[netip.Addr]int{} // the link behind which an address is
	for id, p := range v.ports {
		for _, a := range t.c.Interfaces[id].Addresses {
			known[a] = p.link.Attrs().Index
		}
	}
	v.way.Known(known, remotesOf(t.c, v.id))
	ranges := map[netip.Prefix]bool{}
	for _, p := range t.c.VPCs[v.id].CIDRs {
		ranges[p.Masked()] = true
	}
	return errors.Join(v.tidyRoutes(known, ranges), v.tidyNeighbours(known), v.detours.Read(v.nl))
}

func (v *vpc) tidyRoutes(known map[netip.Addr]int, ranges map[netip.Prefix]bool) error {
	routes, err := netspace.Dump(func() ([]netlink.Route, error) { return v.nl.RouteList(nil, unix.AF_INET) })
	if err != nil {
		return fmt.Errorf("router: read routes: %w", err)
	}
	var errs error
	for _, r := range routes {
		dst, ok := netspace.PrefixOf(r.Dst)
		if !ok || dst.Bits() == 0 || ranges[dst] || dst.Addr() == rules.Host || (dst.IsSingleIP() && known[dst.Addr()] == r.LinkIndex) {
			continue
		}
		if err := v.nl.RouteDel(&r); err != nil && !netspace.Absent(err) {
			errs = errors.Join(errs, fmt.Errorf("router: route to %s: %w", dst, err))
		}
	}
	return errs
}

func (v *vpc) tidyNeighbours(known map[netip.Addr]int) error {
	list, err := netspace.Dump(func() ([]netlink.Neigh, error) { return v.nl.NeighList(0, unix.AF_INET) })
	if err != nil {
		return fmt.Errorf("router: read neighbours: %w", err)
	}
	var errs error
	for _, n := range list {
		a, _ := netip.AddrFromSlice(n.IP)
		if n.State&netlink.NUD_PERMANENT == 0 || known[a.Unmap()] == n.LinkIndex {
			continue
		}
		if err := v.nl.NeighDel(&n); err != nil && !netspace.Absent(err) {
			errs = errors.Join(errs, fmt.Errorf("router: neighbour %s: %w", a, err))
		}
	}
	return errs
}
