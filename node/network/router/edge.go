package router

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/node/network/netspace"
	"github.com/berth-ecs/berth/node/network/router/inner"
	"github.com/berth-ecs/berth/node/network/router/rules"
	"github.com/berth-ecs/berth/nodeconf"
)

// edge is the link between a router and the machine.
type edge struct {
	name        string // the machine's end
	here, there int    // indices: in the router, on the machine
}

// edgeAddr is the router's address at its edge; rules.Host is the machine's. They are the same at every edge: nobody else sees them.
var edgeAddr = netip.MustParseAddr("169.254.64.2")

// edgeMTU: what does not fit further on is told so by the machine.
const edgeMTU = 9001

// ensureEdge makes the edge, or puts it right. A link that lost its other end is gone with it.
func (v *vpc) ensureEdge(conf nodeconf.VPC) error {
	name := v.r.cfg.edge(conf.Net)
	if v.whole && v.edge.name == name {
		return nil
	}
	here, err := v.nl.LinkByName(rules.Edge)
	if err != nil && !netspace.Absent(err) {
		return fmt.Errorf("router: edge of VPC %s: %w", v.id, err)
	}
	there, e := v.r.nl.LinkByName(name)
	if e != nil && !netspace.Absent(e) {
		return fmt.Errorf("router: link %s: %w", name, e)
	}
	if err != nil || e != nil || here.Attrs().ParentIndex != there.Attrs().Index || there.Attrs().ParentIndex != here.Attrs().Index {
		if here, there, err = v.makeEdge(name, here, there); err != nil {
			return err
		}
	}
	v.edge = edge{name, here.Attrs().Index, there.Attrs().Index}
	v.publics = nil
	if err := errors.Join(v.configureThere(there), v.configureHere(here)); err != nil {
		return err
	}
	return errors.Join(netspace.AwaitCarrier(v.nl, rules.Edge), netspace.AwaitCarrier(v.r.nl, name))
}

func (v *vpc) makeEdge(name string, old ...netlink.Link) (here, there netlink.Link, err error) {
	for i, h := range []*netlink.Handle{v.nl, v.r.nl} {
		if old[i] != nil {
			if err := deleteLink(h, old[i]); err != nil {
				return nil, nil, err
			}
		}
	}
	veth := &netlink.Veth{
		LinkAttrs: netlink.LinkAttrs{Name: rules.Edge, MTU: edgeMTU, TxQLen: -1},
		PeerName:  name, PeerMTU: edgeMTU, PeerNamespace: netlink.NsFd(v.r.home),
	}
	if err := v.nl.LinkAdd(veth); err != nil {
		return nil, nil, fmt.Errorf("router: make link %s: %w", name, err)
	}
	if here, err = v.nl.LinkByName(rules.Edge); err != nil {
		return nil, nil, fmt.Errorf("router: edge of VPC %s: %w", v.id, err)
	}
	if there, err = v.r.nl.LinkByName(name); err != nil {
		return nil, nil, fmt.Errorf("router: link %s: %w", name, err)
	}
	return here, there, nil
}

func (v *vpc) configureThere(link netlink.Link) error {
	name := link.Attrs().Name
	err := netspace.Sysctls([][2]string{
		{"ipv6/conf/" + name + "/disable_ipv6", "1"},
		{"ipv4/conf/" + name + "/rp_filter", "0"}, // by the higher of it and that of all; the rules know better
		{"ipv4/conf/" + name + "/send_redirects", "0"},
	})
	if err != nil {
		return err
	}
	if err := v.r.nl.AddrReplace(link, &netlink.Addr{IPNet: netspace.Single(rules.Host)}); err != nil {
		return fmt.Errorf("router: address %s on %s: %w", rules.Host, name, err)
	}
	if err := v.r.nl.LinkSetAlias(link, v.id); err != nil {
		return fmt.Errorf("router: mark link %s: %w", name, err)
	}
	if err := v.r.nl.LinkSetUp(link); err != nil {
		return fmt.Errorf("router: bring up %s: %w", name, err)
	}
	return netspace.SetSegments(v.r.nl, link, inner.LargeSegments)
}

func (v *vpc) configureHere(link netlink.Link) error {
	err := netspace.Inside(v.ns, func() error {
		return netspace.Sysctl("0", "ipv4/conf/"+rules.Edge+"/proxy_arp")
	})
	if err != nil {
		return err
	}
	if err := v.nl.AddrReplace(link, &netlink.Addr{IPNet: netspace.Single(edgeAddr)}); err != nil {
		return fmt.Errorf("router: address %s: %w", edgeAddr, err)
	}
	if err := v.nl.LinkSetUp(link); err != nil {
		return fmt.Errorf("router: bring up the edge: %w", err)
	}
	if err := netspace.SetSegments(v.nl, link, inner.LargeSegments); err != nil {
		return err
	}
	index := link.Attrs().Index
	way := &netlink.Route{LinkIndex: index, Dst: netspace.Single(rules.Host), Scope: unix.RT_SCOPE_LINK}
	out := &netlink.Route{LinkIndex: index, Gw: rules.Host.AsSlice(), Flags: int(netlink.FLAG_ONLINK)}
	for _, route := range []*netlink.Route{way, out} {
		if err := v.nl.RouteReplace(route); err != nil {
			return fmt.Errorf("router: route to the machine: %w", err)
		}
	}
	return nil
}

// setPublics has the machine send public addresses here. Those that are gone are returned.
func (v *vpc) setPublics(want map[netip.Addr]bool) (gone []netip.Addr, errs error) {
	have := v.publics
	if have == nil {
		var err error
		if have, err = v.routedHere(); err != nil {
			return nil, err
		}
	}
	for a := range want {
		if have[a] {
			continue
		}
		if err := v.r.nl.RouteReplace(v.publicRoute(a)); err != nil {
			errs = errors.Join(errs, fmt.Errorf("router: route to %s: %w", a, err))
		}
	}
	for a := range have {
		if want[a] {
			continue
		}
		gone = append(gone, a)
		if err := v.r.nl.RouteDel(v.publicRoute(a)); err != nil && !netspace.Absent(err) {
			errs = errors.Join(errs, fmt.Errorf("router: route to %s: %w", a, err))
		}
	}
	v.publics = want
	return gone, errs
}

func (v *vpc) publicRoute(a netip.Addr) *netlink.Route {
	return &netlink.Route{
		LinkIndex: v.edge.there, Dst: netspace.Single(a), Gw: edgeAddr.AsSlice(), Src: rules.Host.AsSlice(),
		Flags: int(netlink.FLAG_ONLINK), Protocol: routeProtocol,
	}
}

func (v *vpc) routedHere() (map[netip.Addr]bool, error) {
	routes, err := netspace.Dump(func() ([]netlink.Route, error) {
		return v.r.nl.RouteListFiltered(unix.AF_INET, &netlink.Route{LinkIndex: v.edge.there}, netlink.RT_FILTER_OIF)
	})
	if err != nil {
		return nil, fmt.Errorf("router: read routes: %w", err)
	}
	out := map[netip.Addr]bool{}
	for _, r := range routes {
		if p, ok := netspace.PrefixOf(r.Dst); ok && p.IsSingleIP() && r.Protocol == routeProtocol {
			out[p.Addr()] = true
		}
	}
	return out, nil
}
