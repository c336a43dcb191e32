package router

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/google/nftables"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/node/network/netspace"
	"github.com/berth-ecs/berth/node/network/router/bulk"
	"github.com/berth-ecs/berth/node/network/router/detour"
	"github.com/berth-ecs/berth/node/network/router/inner"
	"github.com/berth-ecs/berth/node/network/router/overlay"
	"github.com/berth-ecs/berth/node/network/router/rules"
	"github.com/berth-ecs/berth/node/network/router/ruleset"
	"github.com/berth-ecs/berth/node/network/router/shortcut"
	"github.com/berth-ecs/berth/nodeconf"
)

// vpc is the router of one VPC.
type vpc struct {
	r      *Routers
	id     string
	ns     netns.NsHandle
	nl     *netlink.Handle // in the router
	book   *ruleset.Book
	plan   *rules.Plan
	whole  bool // the kernel has what plan, ports and the rest say
	edge   edge
	way    *overlay.Way // to other nodes
	ports  map[string]*port
	graves map[string]*grave // by the link's name
	spare  nursery
	quit   chan struct{}   // ends the watch of links
	spent  map[string]bool // interfaces that may begin no flows, as far as the rules say so

	locals   map[netip.Addr]bool // addresses of the router itself
	ranges   map[netip.Prefix]bool
	publics  map[netip.Addr]bool // that the machine sends here
	short    *shortcut.Router    // nil where the kernel has none
	crossing int                 // index of the link to other nodes that this process put its programs on
	detours  detour.Detours      // to interfaces that routes name
	made     bool                // by this process
	adopted  bool                // spares of an earlier process are gone

	late   map[netip.Addr]bool // of interfaces that went; their connections are not ended yet
	ending *ending             // what the digger is at; nil for nothing
}

// The addresses at which every router has the resolver and metadata.
var (
	metadataAddr = netip.MustParseAddr("169.254.170.2")
	resolverAddr = netip.MustParseAddr("169.254.169.253")
)

// openVPC adopts a VPC's router, or makes one. The mount is what makes it exist: everything else is put right by the first sync.
func (r *Routers) openVPC(id string) (*vpc, error) {
	if !idRule.MatchString(id) {
		return nil, fmt.Errorf("router: VPC id %q: must be 1 to 128 letters, digits, dashes, dots or underscores", id)
	}
	path := r.cfg.vpcMount(id)
	made := !netspace.Mounted(path)
	if made {
		if err := makeRouter(path); err != nil {
			return nil, err
		}
	}
	v := &vpc{r: r, id: id, made: made, plan: rules.NewPlan(id), ports: map[string]*port{}, graves: map[string]*grave{}, late: map[netip.Addr]bool{}, quit: make(chan struct{})}
	var err error
	if v.ns, err = netns.GetFromPath(path); err != nil {
		return nil, fmt.Errorf("router: namespace of VPC %s: %w", id, err)
	}
	if v.nl, err = netlink.NewHandleAt(v.ns, unix.NETLINK_ROUTE, unix.NETLINK_NETFILTER); err != nil {
		_ = v.ns.Close()
		return nil, fmt.Errorf("router: netlink of VPC %s: %w", id, err)
	}
	v.book, v.way = ruleset.New(routerTable, v.dial), overlay.New(r.machine(), v.ns, v.nl)
	if v.short, err = r.lanes.Router(v.ns); err == nil {
		err = v.watch()
	}
	if err != nil {
		v.release()
		return nil, err
	}
	return v, nil
}

func makeRouter(path string) error {
	if err := netspace.Unmount(path); err != nil { // a file without a mount
		return err
	}
	ns, err := netspace.New(func(netns.NsHandle) error { return netspace.Sysctls(rules.Settings) })
	if err != nil {
		return err
	}
	defer func() { _ = ns.Close() }()
	return netspace.Mount(ns, path)
}

// release lets go of what this process has open.
func (v *vpc) release() {
	v.drain()
	close(v.quit)
	v.short.Close()
	v.book.Close()
	v.nl.Close()
	_ = v.ns.Close()
}

// ensureGround gives the router the addresses at which it answers, and nothing where the VPC has no interface.
func (v *vpc) ensureGround(c *nodeconf.Resources) error {
	conf := c.VPCs[v.id]
	lo, err := v.nl.LinkByName("lo")
	if err == nil {
		err = v.nl.LinkSetUp(lo)
	}
	if err != nil {
		return fmt.Errorf("router: bring up lo: %w", err)
	}
	locals := map[netip.Addr]bool{metadataAddr: true, resolverAddr: true}
	if a := rules.Resolver(conf); a.IsValid() {
		locals[a] = true
	}
	for _, s := range c.Subnets {
		if s.VPC == v.id && s.Gateway.Is4() {
			locals[s.Gateway] = true
		}
	}
	ranges := map[netip.Prefix]bool{}
	for _, p := range conf.CIDRs {
		if p.Addr().Is4() {
			ranges[p.Masked()] = true
		}
	}
	err = errors.Join(v.setLocals(lo, locals), v.setRanges(ranges))
	v.locals, v.ranges = locals, ranges
	return err
}

func (v *vpc) setLocals(lo netlink.Link, want map[netip.Addr]bool) error {
	have := v.locals
	if !v.whole {
		var err error
		if have, err = inner.AddressesOf(v.nl, lo); err != nil {
			return err
		}
	}
	var errs error
	for a := range want {
		if !have[a] {
			if err := v.nl.AddrReplace(lo, &netlink.Addr{IPNet: netspace.Single(a)}); err != nil {
				errs = errors.Join(errs, fmt.Errorf("router: address %s: %w", a, err))
			}
		}
	}
	for a := range have {
		if !want[a] && !a.IsLoopback() {
			if err := v.nl.AddrDel(lo, &netlink.Addr{IPNet: netspace.Single(a)}); err != nil && !errors.Is(err, unix.EADDRNOTAVAIL) {
				errs = errors.Join(errs, fmt.Errorf("router: address %s: %w", a, err))
			}
		}
	}
	return errs
}

// setRanges: without them the router would answer ARP for addresses that nobody has, and send their packets to the machine.
func (v *vpc) setRanges(want map[netip.Prefix]bool) error {
	var errs error
	for p := range want {
		if !v.whole || !v.ranges[p] {
			if err := v.nl.RouteReplace(&netlink.Route{Dst: netspace.IPNet(p), Type: unix.RTN_UNREACHABLE}); err != nil {
				errs = errors.Join(errs, fmt.Errorf("router: make %s unreachable: %w", p, err))
			}
		}
	}
	for p := range v.ranges {
		if !want[p] {
			if err := v.nl.RouteDel(&netlink.Route{Dst: netspace.IPNet(p), Type: unix.RTN_UNREACHABLE}); err != nil && !netspace.Absent(err) {
				errs = errors.Join(errs, fmt.Errorf("router: route to %s: %w", p, err))
			}
		}
	}
	return errs
}

// destroy takes the router down: links first, because a socket that somebody has open in it would keep it alive.
func (v *vpc) destroy() error {
	v.drain()
	links, err := netspace.Dump(v.nl.LinkList)
	if err != nil {
		err = fmt.Errorf("router: list links: %w", err)
	}
	links = slices.DeleteFunc(links, func(l netlink.Link) bool { return l.Attrs().Name == "lo" })
	return errors.Join(err, v.deleteAll(links), netspace.Unmount(v.r.cfg.vpcMount(v.id)))
}

func (v *vpc) deleteAll(links []netlink.Link) error {
	if len(links) == 0 {
		return nil
	}
	b, err := bulk.Open(v.ns)
	if err != nil {
		return err
	}
	defer b.Close()
	return b.Delete(links)
}

func (v *vpc) dial() (*nftables.Conn, error) { return ruleset.Dial(int(v.ns)) }
