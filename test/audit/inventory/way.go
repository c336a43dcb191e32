package inventory

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// takeWays reads where a router sends what is for other nodes: an address is routed to a VXLAN device, its neighbour is a link address there, and the
// device's forwarding table says which node that is. An address of which one of the three is missing leads nowhere.
func (v *Inventory) takeWays(h *netlink.Handle, vpc string, links []netlink.Link, routes []netlink.Route) error {
	for _, l := range links {
		if l.Type() != "vxlan" {
			continue
		}
		index := l.Attrs().Index
		forwarding, err := dump(func() ([]netlink.Neigh, error) { return h.NeighList(index, unix.AF_BRIDGE) })
		if err != nil {
			return fmt.Errorf("forwarding: %w", err)
		}
		neighbours, err := dump(func() ([]netlink.Neigh, error) { return h.NeighList(index, unix.AF_INET) })
		if err != nil {
			return fmt.Errorf("neighbours: %w", err)
		}
		nodes := map[string]string{}
		for _, n := range forwarding {
			nodes[n.HardwareAddr.String()] = n.IP.String()
			v.add(Way, vpc+" node "+n.IP.String(), "", n.HardwareAddr.String())
		}
		at, routed := map[string]string{}, map[string]bool{}
		for _, n := range neighbours {
			at[n.IP.String()] = nodes[n.HardwareAddr.String()]
		}
		for _, r := range routes {
			if r.LinkIndex == index && r.Dst != nil {
				routed[r.Dst.IP.String()] = true
				at[r.Dst.IP.String()] += ""
			}
		}
		for address, node := range at {
			if node == "" || !routed[address] {
				node = "nowhere"
			}
			v.add(Way, vpc+" "+address+" at "+node, "", "")
		}
	}
	return nil
}

// ExpectWays says what is wrong with a node's ways of a VPC: at are the nodes of the addresses that are not on this one.
func ExpectWays(v Inventory, vpc string, at map[string]string) (findings []string) {
	want := map[string]bool{}
	for address, node := range at {
		want[vpc+" "+address+" at "+node] = true
		want[vpc+" node "+node] = true
	}
	for _, i := range v.Of(Way) {
		if strings.HasPrefix(i.Key, vpc+" ") && !want[i.Key] {
			findings = append(findings, "leaked: "+i.String())
		}
		delete(want, i.Key)
	}
	for _, w := range slices.Sorted(maps.Keys(want)) {
		findings = append(findings, "there is no way "+w)
	}
	return findings
}
