package network

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	"github.com/google/nftables"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"

	"github.com/berth-ecs/berth/internal/failpoint"
	"github.com/berth-ecs/berth/node/network/netspace"
	"github.com/berth-ecs/berth/node/network/ports"
)

// Attach makes the endpoint, or returns the one that exists under this id. A host port that is taken is a *PortConflict.
// On an error nothing is left behind.
func (n *Network) Attach(ctx context.Context, id string, m Mode, publish []Port) (Endpoint, error) {
	if err := checkID(id); err != nil {
		return Endpoint{}, err
	}
	wishes, err := ports.Parse(publish)
	if err != nil {
		return Endpoint{}, err
	}
	if m != Bridge && m != None {
		return Endpoint{}, fmt.Errorf("network: mode %q: must be %q or %q", m, Bridge, None)
	}
	if m == None && len(publish) > 0 {
		return Endpoint{}, fmt.Errorf("network: endpoint %s: mode %q publishes no ports", id, None)
	}
	defer n.ids.lock(id)()
	if a := n.find(id); a != nil {
		if a.Mode != m {
			return Endpoint{}, fmt.Errorf("network: endpoint %s exists with mode %q, not %q", id, a.Mode, m)
		}
		return a.copy(), nil
	}
	if err := context.Cause(ctx); err != nil {
		return Endpoint{}, err
	}
	defer failpoint.Around(failpoint.Attach)()
	var a *attachment
	if m == None {
		a, err = n.attachNone(id)
	} else {
		a, err = n.attachBridge(id, wishes)
	}
	if err != nil {
		return Endpoint{}, err
	}
	n.remember(a)
	return a.copy(), nil
}

func (n *Network) attachNone(id string) (*attachment, error) {
	ns, err := buildLonely()
	if err != nil {
		return nil, err
	}
	defer func() { _ = ns.Close() }()
	if err := netspace.Mount(ns, n.cfg.netns(id)); err != nil {
		return nil, err
	}
	return &attachment{Endpoint: Endpoint{ID: id, Mode: None, Netns: n.cfg.netns(id)}}, nil
}

// attachBridge marks the link first and mounts last: the mount is what makes the endpoint exist for a later process.
func (n *Network) attachBridge(id string, wishes []ports.Wish) (_ *attachment, err error) {
	wishes, err = n.book.Take(id, wishes)
	if err != nil {
		return nil, err
	}
	s, err := n.nextSlot()
	if err != nil {
		n.book.Free(ports.KeysOf(wishes))
		return nil, err
	}
	defer func() { _ = s.ns.Close() }()
	a := n.bridgeAttachment(id, s.port, s.addr)
	for _, w := range wishes {
		a.elems = append(a.elems, w.Mappings(id, s.addr)...)
	}
	a.Ports = ports.Bindings(a.elems)
	if err := n.commission(a, s.ns); err != nil {
		n.logFailure("undo a failed attach", n.dismantle(a))
		return nil, err
	}
	return a, nil
}

func (n *Network) commission(a *attachment, ns netns.NsHandle) error {
	link := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: a.port.name, Index: a.port.index}}
	if err := n.nl.LinkSetAlias(link, alias(a.ID, a.Address)); err != nil {
		return fmt.Errorf("network: mark link %s: %w", a.port.name, err)
	}
	failpoint.Hit(failpoint.LinkMarked)
	if len(a.elems) > 0 {
		if err := n.tx.apply(change{set: n.rules.publish, elems: elementsOf(a.elems)}); err != nil {
			return err
		}
		n.logFailure("forget flows of newly published ports", n.forgetFlows(a.elems))
	}
	failpoint.Hit(failpoint.Published)
	return netspace.Mount(ns, a.Netns)
}

func (n *Network) bridgeAttachment(id string, p port, addr netip.Addr) *attachment {
	return &attachment{port: p, Endpoint: Endpoint{
		ID: id, Mode: Bridge, Netns: n.cfg.netns(id), Address: addr, Gateway: n.cfg.gateway(), MAC: macOf(addr).String(),
	}}
}

// Detach removes the endpoint and frees its ports at once; its address rests. An unknown id is no error.
func (n *Network) Detach(ctx context.Context, id string) error {
	if err := checkID(id); err != nil {
		return err
	}
	defer n.ids.lock(id)()
	a := n.find(id)
	if a == nil {
		return nil
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	return n.dismantle(a)
}

// dismantle takes ports away first, so that no packet is sent into nothing, and forgets the endpoint only when all of it
// is gone. It can be repeated.
func (n *Network) dismantle(a *attachment) error {
	defer failpoint.Around(failpoint.Detach)()
	if len(a.elems) > 0 {
		if err := n.tx.discard(change{set: n.rules.publish, elems: elementsOf(a.elems)}); err != nil {
			return err
		}
		n.logFailure("forget flows of withdrawn ports", n.forgetFlows(a.elems))
		n.book.Free(ports.Keys(a.elems))
	}
	failpoint.Hit(failpoint.Unpublished)
	if err := netspace.Unmount(a.Netns); err != nil {
		return err
	}
	failpoint.Hit(failpoint.Unmounted)
	if a.Mode == Bridge {
		if err := n.removePort(a.port, a.Address); err != nil {
			return err
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.known, a.ID)
	return nil
}

func (n *Network) find(id string) *attachment {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.known[id]
}

func (n *Network) remember(a *attachment) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.known[a.ID] = a
}

func (a *attachment) copy() Endpoint {
	e := a.Endpoint
	e.Ports = slices.Clone(e.Ports)
	return e
}

func elementsOf(ps []ports.Mapping) []nftables.SetElement {
	out := make([]nftables.SetElement, len(ps))
	for i, p := range ps {
		out[i] = elementOf(p)
	}
	return out
}
