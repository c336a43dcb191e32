package network

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"

	"github.com/berth-ecs/berth/node/network/netspace"
	"github.com/berth-ecs/berth/node/network/ports"
)

// view is what the kernel holds of ours at one moment.
type view struct {
	mounts    []string // ids with a mounted namespace
	files     []string // ids of files below netns that are no mounts
	ports     []port
	published []ports.Mapping
	senders   []sender
}

// look reads ports before anything that refers to them, so that what a concurrent Attach adds meanwhile is never taken
// for something without an owner.
func (n *Network) look() (v view, err error) {
	if v.ports, err = n.ports(); err != nil {
		return v, err
	}
	if v.published, err = n.rules.readPublished(); err != nil {
		return v, err
	}
	if v.senders, err = n.rules.readSenders(); err != nil {
		return v, err
	}
	entries, err := os.ReadDir(n.cfg.netnsDir())
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return v, fmt.Errorf("network: %w", err)
	}
	for _, e := range entries {
		switch {
		case !idRule.MatchString(e.Name()):
		case netspace.Mounted(n.cfg.netns(e.Name())):
			v.mounts = append(v.mounts, e.Name())
		default:
			v.files = append(v.files, e.Name())
		}
	}
	return v, nil
}

// Endpoints lists what really is in the kernel, sorted by id.
func (n *Network) Endpoints(ctx context.Context) ([]Endpoint, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	v, err := n.look()
	if err != nil {
		return nil, err
	}
	found := v.attachments(n.cfg)
	out := make([]Endpoint, len(found))
	for i, a := range found {
		out[i] = a.Endpoint
	}
	return out, nil
}

// attachments puts together what belongs together: the mount makes the endpoint, link and elements add to it.
func (v view) attachments(c Config) []*attachment {
	links := map[string]port{}
	addrs := map[string]netip.Addr{}
	for _, p := range v.ports {
		if id, a, err := parseAlias(p.alias); err == nil {
			links[id], addrs[id] = p, a
		}
	}
	elems := map[string][]ports.Mapping{}
	for _, p := range v.published {
		elems[p.ID] = append(elems[p.ID], p)
	}
	var out []*attachment
	for _, id := range v.mounts {
		a := &attachment{Endpoint: Endpoint{ID: id, Mode: None, Netns: c.netns(id)}, elems: elems[id], port: links[id]}
		if addr, ok := addrs[id]; ok {
			a.Mode, a.Address, a.Gateway, a.MAC = Bridge, addr, c.gateway(), macOf(addr).String()
		}
		a.Ports = ports.Bindings(a.elems)
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b *attachment) int { return cmp.Compare(a.ID, b.ID) })
	return out
}
