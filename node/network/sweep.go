package network

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/nftables"
	"github.com/vishvananda/netlink"

	"github.com/berth-ecs/berth/node/network/netspace"
	"github.com/berth-ecs/berth/node/network/ports"
)

// adopt takes over the endpoints of an earlier process and removes what that one left half done.
func (n *Network) adopt() error {
	v, err := n.look()
	if err != nil {
		return err
	}
	for _, a := range v.attachments(n.cfg) {
		n.known[a.ID] = a
		if a.Mode == Bridge {
			n.addrs.claim(a.Address)
			n.links[a.port.name] = true
			if err := n.heal(a); err != nil {
				return err
			}
		}
		for _, p := range a.elems {
			if err := n.book.Adopt(a.ID, ports.Key{Proto: p.Proto, Port: p.HostPort}); err != nil {
				n.log.Warn("an adopted host port is bound by another program", "endpoint", a.ID, "port", p.HostPort, "error", err)
			}
		}
	}
	return n.clean(v)
}

// heal gives an adopted endpoint back what somebody may have taken: its place on the bridge, when that was made anew, and
// the right to send, when all rules of the machine were flushed.
func (n *Network) heal(a *attachment) error {
	attrs := netlink.LinkAttrs{Name: a.port.name, Index: a.port.index, MasterIndex: a.port.master}
	if err := n.rejoin(&netlink.Veth{LinkAttrs: attrs}); err != nil {
		return err
	}
	who := sender{a.port.name, macOf(a.Address), a.Address}
	return n.tx.apply(change{set: n.rules.owners, elems: []nftables.SetElement{who.element()}})
}

// rejoin puts a link on the bridge that is not.
func (n *Network) rejoin(link netlink.Link) error {
	a := link.Attrs()
	if a.MasterIndex == n.bridge {
		return nil
	}
	if err := errors.Join(n.nl.LinkSetMasterByIndex(link, n.bridge), n.nl.LinkSetHairpin(link, true)); err != nil {
		return fmt.Errorf("network: put link %s back on the bridge: %w", a.Name, err)
	}
	return nil
}

// Sweep removes every endpoint keep does not want, and everything of ours that belongs to no endpoint. It may run beside
// Attach: what is being made is left alone.
func (n *Network) Sweep(ctx context.Context, keep func(id string) bool) error {
	v, err := n.look()
	if err != nil {
		return err
	}
	var errs error
	for _, a := range v.attachments(n.cfg) {
		if keep(a.ID) {
			continue
		}
		if err := n.Detach(ctx, a.ID); err != nil {
			errs = errors.Join(errs, fmt.Errorf("network: sweep endpoint %s: %w", a.ID, err))
		}
	}
	return errors.Join(errs, n.clean(v))
}

// clean removes leftovers: files that are no mounts, published ports without an endpoint, links that are neither in use
// nor being made, and rights to send from links that are gone.
func (n *Network) clean(v view) error {
	var errs error
	for _, id := range v.files {
		errs = errors.Join(errs, n.unlessKnown(id, func() error { return netspace.Unmount(n.cfg.netns(id)) }))
	}
	mounted := map[string]bool{}
	for _, id := range v.mounts {
		mounted[id] = true
	}
	for _, p := range v.published {
		if !mounted[p.ID] {
			errs = errors.Join(errs, n.unlessKnown(p.ID, func() error { return n.cleanPublished(p.ID) }))
			mounted[p.ID] = true // its other elements went with it
		}
	}
	for _, p := range v.ports {
		if !n.ownsLink(p.name) {
			errs = errors.Join(errs, n.deleteLink(p))
		}
	}
	for _, s := range v.senders {
		if s.link != n.cfg.metadataLink() && !n.ownsLink(s.link) {
			errs = errors.Join(errs, n.tx.discard(change{set: n.rules.owners, elems: []nftables.SetElement{s.element()}}))
		}
	}
	return errs
}

// cleanPublished looks again, because since the first look the port may have gone to somebody else.
func (n *Network) cleanPublished(id string) error {
	all, err := n.rules.readPublished()
	if err != nil {
		return err
	}
	var dead []ports.Mapping
	for _, p := range all {
		if p.ID == id {
			dead = append(dead, p)
		}
	}
	return n.tx.discard(change{set: n.rules.publish, elems: elementsOf(dead)})
}

// unlessKnown runs f when nobody has, makes or removes the endpoint.
func (n *Network) unlessKnown(id string, f func() error) error {
	defer n.ids.lock(id)()
	if n.find(id) != nil {
		return nil
	}
	return f()
}

func (n *Network) ownsLink(name string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.links[name]
}
