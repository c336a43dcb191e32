package router

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/internal/failpoint"
	"github.com/berth-ecs/berth/node/network/netspace"
	"github.com/berth-ecs/berth/node/network/router/inner"
	"github.com/berth-ecs/berth/node/network/router/rules"
	"github.com/berth-ecs/berth/node/network/router/shortcut"
	"github.com/berth-ecs/berth/nodeconf"
)

// port is the router's end of an interface.
type port struct {
	conf  nodeconf.Interface
	link  netlink.Link
	spare *spare        // what it is made of, until it is mounted
	lead  shortcut.Lead // of the programs on the link that this process put there
	done  bool          // mounted and as conf says
}

// claim makes a spare the interface's: name and alias, so that the rules to come hold for its link.
func (v *vpc) claim(i nodeconf.Interface) (p *port, err error) {
	if err := netspace.Unmount(v.r.cfg.eniMount(i.ID)); err != nil { // of an interface that lost its link
		return nil, err
	}
	name := rules.Link(i.ID)
	if err := v.exhume(name); err != nil {
		return nil, err
	}
	s, err := v.nextSpare()
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			v.dropSpare(s)
		}
	}()
	if err := v.nl.LinkSetAlias(s.link, i.ID); err != nil {
		return nil, fmt.Errorf("router: mark link of %s: %w", i.ID, err)
	}
	failpoint.Hit(failpoint.ENIMarked)
	if err := v.nl.LinkSetName(s.link, name); err != nil {
		return nil, fmt.Errorf("router: name link of %s: %w", i.ID, err)
	}
	s.link.Attrs().Name = name
	return &port{conf: i, link: s.link, spare: s, lead: shortcut.Direct}, nil
}

// finish connects an interface whose rules are in force. The mount makes it exist.
func (v *vpc) finish(p *port, s nodeconf.Subnet) error {
	if err := v.routeTo(p, p.conf.Addresses); err != nil {
		return err
	}
	if p.spare == nil {
		h, eth0, done, err := inner.Enter(v.r.cfg.eniMount(p.conf.ID))
		if err != nil {
			return err
		}
		defer done()
		err = errors.Join(v.cut(p, h, eth0), v.hasten(p, eth0), inner.Configure(h, eth0, p.conf, s))
		p.done = err == nil
		return err
	}
	if err := errors.Join(v.cut(p, p.spare.nl, p.spare.inner), v.hasten(p, p.spare.inner)); err != nil {
		return err
	}
	if err := inner.Configure(p.spare.nl, p.spare.inner, p.conf, s); err != nil {
		return err
	}
	failpoint.Hit(failpoint.ENIConfigured)
	if err := netspace.Mount(p.spare.ns, v.r.cfg.eniMount(p.conf.ID)); err != nil {
		return err
	}
	p.spare.close()
	p.spare, p.done = nil, true
	return nil
}

// cut says how much both ends of an interface take at once.
func (v *vpc) cut(p *port, h *netlink.Handle, eth0 netlink.Link) error {
	size := inner.Segments(eth0, v.way.Up())
	return errors.Join(netspace.SetSegments(v.nl, p.link, size), netspace.SetSegments(h, eth0, size))
}

// routeTo: with the neighbour known for good, nothing is asked of a task before its first packet arrives.
func (v *vpc) routeTo(p *port, addrs []netip.Addr) error {
	mac, err := net.ParseMAC(p.conf.MAC)
	if err != nil {
		return fmt.Errorf("router: interface %s: %w", p.conf.ID, err)
	}
	index := p.link.Attrs().Index
	for _, a := range addrs {
		if !a.Is4() {
			continue
		}
		if err := v.nl.RouteReplace(&netlink.Route{LinkIndex: index, Dst: netspace.Single(a), Scope: unix.RT_SCOPE_LINK}); err != nil {
			return fmt.Errorf("router: route to %s: %w", a, err)
		}
		if err := v.nl.NeighSet(&netlink.Neigh{LinkIndex: index, IP: a.AsSlice(), HardwareAddr: mac, State: netlink.NUD_PERMANENT}); err != nil {
			return fmt.Errorf("router: neighbour %s: %w", a, err)
		}
	}
	return nil
}

// forget takes addresses of an interface that goes on without them away.
func (v *vpc) forget(p *port, addrs []netip.Addr) error {
	var errs error
	for _, a := range addrs {
		err := v.nl.RouteDel(&netlink.Route{LinkIndex: p.link.Attrs().Index, Dst: netspace.Single(a), Scope: unix.RT_SCOPE_LINK})
		if err != nil && !netspace.Absent(err) {
			errs = errors.Join(errs, fmt.Errorf("router: route to %s: %w", a, err))
		}
		err = v.nl.NeighDel(&netlink.Neigh{LinkIndex: p.link.Attrs().Index, IP: a.AsSlice()})
		if err != nil && !netspace.Absent(err) {
			errs = errors.Join(errs, fmt.Errorf("router: neighbour %s: %w", a, err))
		}
	}
	return errs
}

// dismantle removes an interface whose rules let nothing in any more, all but its link. It can be repeated.
func (v *vpc) dismantle(p *port) error {
	if err := netspace.Unmount(v.r.cfg.eniMount(p.conf.ID)); err != nil {
		return err
	}
	failpoint.Hit(failpoint.ENIUnmounted)
	if p.spare != nil {
		p.spare.close()
	}
	v.bury(p.conf.ID, p.link)
	return v.forget(p, p.conf.Addresses)
}

// endpoint is what a task learns.
func (v *vpc) endpoint(p *port, c *nodeconf.Resources) Endpoint {
	s := c.Subnets[p.conf.Subnet]
	return Endpoint{
		ID: p.conf.ID, VPC: v.id, Netns: v.r.cfg.eniMount(p.conf.ID), MAC: p.conf.MAC, MTU: inner.MTU(p.conf),
		Addresses: p.conf.Addresses, Addresses6: p.conf.Addresses6, Subnet: s.CIDR, Gateway: s.Gateway,
		Resolver: rules.Resolver(c.VPCs[v.id]), Public: p.conf.Public,
	}
}

// detour leads to the interfaces that routes name.
func (v *vpc) detour() error {
	links := map[netip.Addr]int{}
	for id := range v.plan.Targets() {
		if p := v.ports[id]; p != nil && !p.conf.SourceCheck && len(p.conf.Addresses) > 0 {
			links[p.conf.Addresses[0]] = p.link.Attrs().Index
		}
	}
	return v.detours.Set(v.nl, links)
}
