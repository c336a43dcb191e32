package overlay

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/netip"
	"reflect"
	"slices"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/node/network/netspace"
	"github.com/berth-ecs/berth/node/network/router/rules"
	"github.com/berth-ecs/berth/nodeconf"
)

// Way is a router's way to the interfaces of its VPC that are on other nodes.
type Way struct {
	machine Machine
	ns      netns.NsHandle // the router's
	nl      *netlink.Handle

	link    netlink.Link               // nil for none
	remotes map[string]nodeconf.Remote // to which there is a way
	count   map[netip.Addr]int         // of them on each node
	known   map[netip.Addr]bool        // nodes that the device knows

	narrowest int // what the way to some node was found to take; 0: nobody said
}

// New is a way to nobody, of the router that a namespace and its handle are of.
func New(m Machine, ns netns.NsHandle, nl *netlink.Handle) *Way {
	return &Way{machine: m, ns: ns, nl: nl, remotes: map[string]nodeconf.Remote{}, count: map[netip.Addr]int{}, known: map[netip.Addr]bool{}}
}

// Adopt begins with the device of an earlier process, which may not be what it has to be.
func (w *Way) Adopt(link netlink.Link) { w.link = link }

// Up says whether there is a device.
func (w *Way) Up() bool { return w.link != nil }

// Link is the device, or nil.
func (w *Way) Link() netlink.Link { return w.link }

// Nodes are those that remotes are on, in order.
func (w *Way) Nodes() []netip.Addr { return slices.SortedFunc(maps.Keys(w.count), netip.Addr.Compare) }

// Turn is what a change makes different.
type Turn struct {
	Come []nodeconf.Remote // new, or different
	Gone []nodeconf.Remote // as they were
	Left []netip.Addr      // addresses that a remote had and has no more
}

// Empty says whether nothing is.
func (t *Turn) Empty() bool { return len(t.Come)+len(t.Gone) == 0 }

// Add compares a remote with what the configuration says, if it does.
func (w *Way) Add(t *Turn, id string, now nodeconf.Remote, is bool) {
	old, had := w.remotes[id]
	is = is && w.machine.Reaches(now)
	if had == is && reflect.DeepEqual(old, now) {
		return
	}
	if is {
		t.Come = append(t.Come, now)
	}
	if !had {
		return
	}
	t.Gone = append(t.Gone, old)
	for _, a := range old.Addresses {
		if a.Is4() && (!is || !slices.Contains(now.Addresses, a)) {
			t.Left = append(t.Left, a)
		}
	}
}

// Take makes a change what is wanted; Lead makes it so.
func (w *Way) Take(t *Turn) {
	for _, r := range t.Gone {
		delete(w.remotes, r.ID)
		if w.count[r.Node]--; w.count[r.Node] == 0 {
			delete(w.count, r.Node)
		}
	}
	for _, r := range t.Come {
		w.remotes[r.ID] = r
		w.count[r.Node]++
	}
}

// Lead makes the way what is wanted after a change that was taken, for a VPC of a number. Whole says that nothing else is different.
func (w *Way) Lead(t *Turn, number uint32, whole bool) error {
	fresh, err := w.ensure(number, whole)
	if err != nil {
		return err
	}
	come, gone := t.Come, t.Gone
	if fresh {
		come, gone, w.known = slices.Collect(maps.Values(w.remotes)), nil, map[netip.Addr]bool{}
	}
	return errors.Join(w.abandon(come, gone), w.meet(), w.lead(come))
}

// Remove removes the way: there is nothing of the VPC on other nodes.
func (w *Way) Remove() error {
	if w.link != nil {
		if err := w.delete(); err != nil {
			return err
		}
	}
	*w = *New(w.machine, w.ns, w.nl)
	return nil
}

func (w *Way) delete() error {
	if err := w.nl.LinkDel(w.link); err != nil && !netspace.Absent(err) {
		return fmt.Errorf("router: delete the overlay: %w", err)
	}
	w.link = nil
	return nil
}

// Known adds the addresses of remotes, which are behind the device.
func (w *Way) Known(known map[netip.Addr]int, all iter.Seq[nodeconf.Remote]) {
	if w.link == nil {
		return
	}
	for r := range all {
		for _, a := range r.Addresses {
			if w.machine.Reaches(r) {
				known[a] = w.link.Attrs().Index
			}
		}
	}
}

// abandon removes the ways to addresses that are gone, as far as the link had them.
func (w *Way) abandon(come, gone []nodeconf.Remote) error {
	stays := map[netip.Addr]bool{}
	for _, r := range come {
		for _, a := range r.Addresses {
			stays[a] = true
		}
	}
	var errs error
	for _, r := range gone {
		for _, a := range r.Addresses {
			if a.Is4() && !stays[a] {
				errs = errors.Join(errs, w.unlead(a))
			}
		}
	}
	return errs
}

// unlead makes an address one that nobody has.
func (w *Way) unlead(a netip.Addr) error {
	index := w.link.Attrs().Index
	var errs error
	err := w.nl.RouteDel(&netlink.Route{LinkIndex: index, Dst: netspace.Single(a), Scope: unix.RT_SCOPE_LINK})
	if err != nil && !netspace.Absent(err) {
		errs = fmt.Errorf("router: route to %s: %w", a, err)
	}
	err = w.nl.NeighDel(&netlink.Neigh{LinkIndex: index, IP: a.AsSlice()})
	if err != nil && !netspace.Absent(err) {
		errs = errors.Join(errs, fmt.Errorf("router: neighbour %s: %w", a, err))
	}
	return errs
}

// lead leads what is for a remote to its node.
func (w *Way) lead(come []nodeconf.Remote) error {
	index := w.link.Attrs().Index
	for _, r := range come {
		mac := rules.NodeMAC(r.Node)
		for _, a := range r.Addresses {
			if !a.Is4() {
				continue
			}
			if err := w.nl.NeighSet(&netlink.Neigh{LinkIndex: index, IP: a.AsSlice(), HardwareAddr: mac, State: netlink.NUD_PERMANENT}); err != nil {
				return fmt.Errorf("router: neighbour %s: %w", a, err)
			}
			if err := w.nl.RouteReplace(&netlink.Route{LinkIndex: index, Dst: netspace.Single(a), Scope: unix.RT_SCOPE_LINK}); err != nil {
				return fmt.Errorf("router: route to %s: %w", a, err)
			}
		}
	}
	return nil
}

// meet tells the device where nodes are, and forgets those that have nothing of the VPC any more.
func (w *Way) meet() error {
	var errs error
	for a := range w.count {
		if w.known[a] {
			continue
		}
		if err := w.nl.NeighSet(w.forwarding(a)); err != nil {
			errs = errors.Join(errs, fmt.Errorf("router: way to node %s: %w", a, err))
			continue
		}
		w.known[a] = true
	}
	for a := range w.known {
		if w.count[a] > 0 {
			continue
		}
		if err := w.nl.NeighDel(w.forwarding(a)); err != nil && !netspace.Absent(err) {
			errs = errors.Join(errs, fmt.Errorf("router: way to node %s: %w", a, err))
			continue
		}
		delete(w.known, a)
	}
	return errs
}

// forwarding is the entry of the device's forwarding table that leads to a node.
func (w *Way) forwarding(node netip.Addr) *netlink.Neigh {
	return &netlink.Neigh{
		LinkIndex: w.link.Attrs().Index, Family: unix.AF_BRIDGE, State: netlink.NUD_PERMANENT, Flags: netlink.NTF_SELF,
		IP: node.AsSlice(), HardwareAddr: rules.NodeMAC(node),
	}
}
