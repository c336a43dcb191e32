// Package detour leads packets that have the mark of an interface to that interface, whatever their destination: by a routing table each.
//
// Guarantees:
//
//   - After Set only its addresses have detours, also those of an earlier process, once Read was called.
//   - One that stays is not gone for a moment.
package detour

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/node/network/netspace"
	"github.com/berth-ecs/berth/node/network/router/rules"
)

// priority is before the main table's and after that of the router's own addresses.
const priority = 100

// Detours are those of one router. The zero value has none.
type Detours struct{ have map[netip.Addr]bool }

// Set makes them lead to addresses by the links of indices.
func (d *Detours) Set(nl *netlink.Handle, links map[netip.Addr]int) error {
	want := map[netip.Addr]bool{}
	var errs error
	for a, index := range links {
		want[a] = true
		route := &netlink.Route{LinkIndex: index, Gw: a.AsSlice(), Flags: int(netlink.FLAG_ONLINK), Table: tableOf(a)}
		if err := nl.RouteReplace(route); err != nil {
			errs = errors.Join(errs, fmt.Errorf("router: route by interface %s: %w", a, err))
			continue
		}
		if !d.have[a] {
			if err := nl.RuleAdd(ruleOf(a)); err != nil && !errors.Is(err, unix.EEXIST) {
				errs = errors.Join(errs, fmt.Errorf("router: rule for interface %s: %w", a, err))
			}
		}
	}
	for a := range d.have {
		if !want[a] {
			errs = errors.Join(errs, remove(nl, a))
		}
	}
	d.have = want
	return errs
}

func tableOf(a netip.Addr) int { return int(rules.Mark(a)) }

func ruleOf(a netip.Addr) *netlink.Rule {
	r := netlink.NewRule()
	r.Family, r.Priority, r.Mark, r.Table = unix.AF_INET, priority, rules.Mark(a), tableOf(a)
	return r
}

// remove leaves the route to go with its link.
func remove(nl *netlink.Handle, a netip.Addr) error {
	if err := nl.RuleDel(ruleOf(a)); err != nil && !netspace.Absent(err) {
		return fmt.Errorf("router: rule for interface %s: %w", a, err)
	}
	routes, err := netspace.Dump(func() ([]netlink.Route, error) {
		return nl.RouteListFiltered(unix.AF_INET, &netlink.Route{Table: tableOf(a)}, netlink.RT_FILTER_TABLE)
	})
	for _, r := range routes {
		if e := nl.RouteDel(&r); e != nil && !netspace.Absent(e) {
			err = errors.Join(err, e)
		}
	}
	if err != nil {
		return fmt.Errorf("router: route by interface %s: %w", a, err)
	}
	return nil
}

// Read reads the detours that are there.
func (d *Detours) Read(nl *netlink.Handle) error {
	list, err := netspace.Dump(func() ([]netlink.Rule, error) { return nl.RuleList(unix.AF_INET) })
	if err != nil {
		return fmt.Errorf("router: read rules: %w", err)
	}
	d.have = map[netip.Addr]bool{}
	for _, r := range list {
		if r.Priority == priority {
			m := r.Mark
			d.have[netip.AddrFrom4([4]byte{byte(m >> 24), byte(m >> 16), byte(m >> 8), byte(m)})] = true
		}
	}
	return nil
}
