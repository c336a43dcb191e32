package router

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/google/nftables"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/node/network/netspace"
	"github.com/berth-ecs/berth/node/network/router/rules"
	"github.com/berth-ecs/berth/node/network/router/ruleset"
)

// routeProtocol marks routes of the pool, so that they are told from the operator's.
const routeProtocol = 0xbe

// claimPool makes every public address that nobody has unreachable, and refuses a pool that the machine routes somewhere else.
func (r *Routers) claimPool() error {
	routes, err := netspace.Dump(func() ([]netlink.Route, error) { return r.nl.RouteList(nil, unix.AF_INET) })
	if err != nil {
		return fmt.Errorf("router: read routes: %w", err)
	}
	for _, route := range routes {
		dst, ok := netspace.PrefixOf(route.Dst)
		if !ok || dst.Bits() == 0 || !dst.Overlaps(r.cfg.PublicPool) || r.ownRoute(route) {
			continue
		}
		return fmt.Errorf("router: PublicPool %s overlaps the machine's route to %s (link %d): configure another pool", r.cfg.PublicPool, dst, route.LinkIndex)
	}
	if err := r.nl.RouteReplace(r.poolRoute()); err != nil {
		return fmt.Errorf("router: make %s unreachable: %w", r.cfg.PublicPool, err)
	}
	return netspace.Sysctl("1", "ipv4/ip_forward")
}

func (r *Routers) poolRoute() *netlink.Route {
	return &netlink.Route{
		Dst: netspace.IPNet(r.cfg.PublicPool), Type: unix.RTN_UNREACHABLE, Protocol: routeProtocol, Priority: r.cfg.poolMetric(), Table: unix.RT_TABLE_MAIN,
	}
}

func (r *Routers) ownRoute(route netlink.Route) bool {
	if route.Protocol == routeProtocol && route.Priority == r.cfg.poolMetric() {
		return true
	}
	link, err := r.nl.LinkByIndex(route.LinkIndex)
	return err == nil && strings.HasPrefix(link.Attrs().Name, EdgePrefix(r.cfg.Name))
}

// installGuard replaces the machine's rules.
func (r *Routers) installGuard() error {
	b := ruleset.New(r.cfg.table(), dialHere)
	defer b.Close()
	var routed netip.Prefix
	if r.cfg.Routed {
		routed = r.cfg.PublicPool
	}
	machine := map[string]ruleset.Fragment{"machine": rules.Machine(EdgePrefix(r.cfg.Name), r.cfg.bridge(), routed)}
	return b.Replace(machine, func(string) bool { return true })
}

func dialHere() (*nftables.Conn, error) { return ruleset.Dial(0) }

// deleteLink removes a link; one that is gone already is no error.
func deleteLink(h *netlink.Handle, link netlink.Link) error {
	if err := h.LinkDel(link); err != nil && !netspace.Absent(err) {
		return fmt.Errorf("router: delete link %s: %w", link.Attrs().Name, err)
	}
	return nil
}
