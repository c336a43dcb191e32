package router

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/node/network/netspace"
	"github.com/berth-ecs/berth/node/network/router/rules"
)

// detourPriority is before the main table's and after that of the router's own addresses.
const detourPriority = 100

// detour leads packets with the mark of an interface that a route names to that interface, whatever their destination.
func (v *vpc) detour() error {
	want := map[netip.Addr]bool{}
	var errs error
	for id := range v.plan.Targets() {
		p := v.ports[id]
		if p == nil || p.conf.SourceCheck || len(p.conf.Addresses) == 0 {
			continue
		}
		a := p.conf.Addresses[0]
		want[a] = true
		route := &netlink.Route{
			LinkIndex: p.link.Attrs().Index, Gw: a.AsSlice(), Flags: int(netlink.FLAG_ONLINK), Table: detourTable(a),
		}
		if err := v.nl.RouteReplace(route); err != nil {
			errs = errors.Join(errs, fmt.Errorf("router: route by interface %s: %w", id, err))
			continue
		}
		if !v.detours[a] {
			if err := v.nl.RuleAdd(detourRule(a)); err != nil && !errors.Is(err, unix.EEXIST) {
				errs = errors.Join(errs, fmt.Errorf("router: rule for interface %s: %w", id, err))
			}
		}
	}
	for a := range v.detours {
		if !want[a] {
			errs = errors.Join(errs, v.undetour(a))
		}
	}
	v.detours = want
	return errs
}

func detourTable(a netip.Addr) int { return int(rules.Mark(a)) }

func detourRule(a netip.Addr) *netlink.Rule {
	r := netlink.NewRule()
	r.Family, r.Priority, r.Mark, r.Table = unix.AF_INET, detourPriority, rules.Mark(a), detourTable(a)
	return r
}

// undetour leaves the route to go with its link.
func (v *vpc) undetour(a netip.Addr) error {
	if err := v.nl.RuleDel(detourRule(a)); err != nil && !isAbsent(err) {
		return fmt.Errorf("router: rule for interface %s: %w", a, err)
	}
	routes, err := netspace.Dump(func() ([]netlink.Route, error) {
		return v.nl.RouteListFiltered(unix.AF_INET, &netlink.Route{Table: detourTable(a)}, netlink.RT_FILTER_TABLE)
	})
	for _, r := range routes {
		if e := v.nl.RouteDel(&r); e != nil && !isAbsent(e) {
			err = errors.Join(err, e)
		}
	}
	if err != nil {
		return fmt.Errorf("router: route by interface %s: %w", a, err)
	}
	return nil
}

// tidyDetours reads the detours that are there.
func (v *vpc) tidyDetours() error {
	list, err := netspace.Dump(func() ([]netlink.Rule, error) { return v.nl.RuleList(unix.AF_INET) })
	if err != nil {
		return fmt.Errorf("router: read rules: %w", err)
	}
	v.detours = map[netip.Addr]bool{}
	for _, r := range list {
		if r.Priority == detourPriority {
			m := r.Mark
			v.detours[netip.AddrFrom4([4]byte{byte(m >> 24), byte(m >> 16), byte(m >> 8), byte(m)})] = true
		}
	}
	return nil
}
