package router

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/internal/failpoint"
	"github.com/berth-ecs/berth/node/network/router/rules"
	"github.com/berth-ecs/berth/node/network/router/ruleset"
)

// grave is the link of an interface that is gone: nothing it sends comes in any more, no route leads to it and no mount names its namespace.
// The kernel deletes a link only after all processors have moved on, tens of milliseconds later, so that it is deleted beside everything
// else, and with others at once. What a process that dies leaves of them, the next one finds as links without a mount.
type grave struct {
	id   string
	link netlink.Link
}

// key is that of the fragment which keeps the link shut, "" for a link that has none.
func (g *grave) key() string {
	if g.id == "" || g.link.Attrs().Name != rules.Link(g.id) {
		return ""
	}
	return rules.Key(g.id)
}

// bury hands a link over to be deleted.
func (v *vpc) bury(id string, link netlink.Link) {
	v.graves[link.Attrs().Name] = &grave{id, link}
	select {
	case v.r.dig <- struct{}{}:
	default:
	}
}

// shut are the fragments of links that wait to be deleted: they let nothing in.
func (v *vpc) shut(set map[string]ruleset.Fragment) {
	for _, g := range v.graves {
		if k := g.key(); k != "" {
			set[k] = rules.Shut(g.id)
		}
	}
}

// exhume makes room for an interface that comes again under the name of one whose link is not deleted yet.
func (v *vpc) exhume(name string) error {
	g := v.graves[name]
	if g == nil {
		return nil
	}
	if err := deleteLink(v.nl, g.link); err != nil {
		return err
	}
	return v.forgetGraves([]*grave{g})
}

// forgetGraves removes the rules of links that are deleted. When nothing is known of the rules, the next turn replaces all of them.
func (v *vpc) forgetGraves(gone []*grave) error {
	var keys []string
	for _, g := range gone {
		name := g.link.Attrs().Name
		if v.graves[name] != g {
			continue
		}
		delete(v.graves, name)
		if k := g.key(); k != "" && v.whole {
			keys = append(keys, k)
		}
	}
	if len(keys) == 0 {
		return nil
	}
	if err := v.book.Forget(keys); err != nil {
		v.whole = false
		v.r.again()
		return fmt.Errorf("router: rules of links that are gone: %w", err)
	}
	return nil
}

// maxDoomed links are deleted at once: meanwhile the kernel makes no other link.
const maxDoomed = 32

// digger deletes links until ctx ends.
func (r *Routers) digger(ctx context.Context) {
	for {
		var again <-chan time.Time
		if err := r.dispose(ctx); err != nil {
			r.cfg.Log.Warn("links that are gone are not deleted yet", "error", err)
			again = time.After(retryFirst)
		}
		select {
		case <-ctx.Done():
			return
		case <-r.dig:
		case <-again:
		}
	}
}

// dispose deletes all links that wait for it, a batch of one router after the other.
func (r *Routers) dispose(ctx context.Context) error {
	r.digging.Lock()
	defer r.digging.Unlock()
	for ctx.Err() == nil {
		v, batch, s, err := r.batch()
		if err != nil || v == nil {
			return err
		}
		links := make([]netlink.Link, len(batch))
		for i, g := range batch {
			links[i] = g.link
		}
		err = s.deleteLinks(links)
		s.close()
		if err != nil {
			return err
		}
		failpoint.Hit(failpoint.ENIDeleted)
		r.mu.Lock()
		if r.vpcs[v.id] == v {
			err = v.forgetGraves(batch)
		}
		r.mu.Unlock()
		if err != nil {
			return err
		}
	}
	return nil
}

// batch are links of one router that wait, and a socket there of its own: the router's is not to wait for them.
func (r *Routers) batch() (*vpc, []*grave, *bulk, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, v := range r.vpcs {
		if len(v.graves) == 0 {
			continue
		}
		all := slices.Collect(maps.Values(v.graves))
		s, err := openBulk(v.ns)
		return v, all[:min(len(all), maxDoomed)], s, err
	}
	return nil, nil, nil, nil
}

// doomed is the group of links that are deleted together.
const doomed = 0xbe0d

// bulk deletes links of a namespace, many for the price of one.
type bulk struct {
	h *netlink.Handle
	s map[int]*nl.SocketHandle
}

func openBulk(ns netns.NsHandle) (*bulk, error) {
	h, err := netlink.NewHandleAt(ns, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("router: netlink: %w", err)
	}
	s, err := nl.GetNetlinkSocketAt(ns, netns.None(), unix.NETLINK_ROUTE)
	if err != nil {
		h.Close()
		return nil, fmt.Errorf("router: netlink: %w", err)
	}
	return &bulk{h, map[int]*nl.SocketHandle{unix.NETLINK_ROUTE: {Socket: s}}}, nil
}

func (b *bulk) close() {
	b.h.Close()
	b.s[unix.NETLINK_ROUTE].Close()
}

// deleteLinks deletes links; those that are gone already are no error.
func (b *bulk) deleteLinks(links []netlink.Link) error {
	if len(links) == 1 {
		return deleteLink(b.h, links[0])
	}
	var errs error
	some := false
	for _, l := range links {
		err := b.h.LinkSetGroup(l, doomed)
		some = some || err == nil
		if err != nil && !isAbsent(err) {
			errs = errors.Join(errs, fmt.Errorf("router: delete link %s: %w", l.Attrs().Name, err))
		}
	}
	if !some {
		return errs
	}
	req := nl.NewNetlinkRequest(unix.RTM_DELLINK, unix.NLM_F_ACK)
	req.Sockets = b.s
	req.AddData(nl.NewIfInfomsg(unix.AF_UNSPEC))
	req.AddData(nl.NewRtAttr(unix.IFLA_GROUP, nl.Uint32Attr(doomed)))
	if _, err := req.Execute(unix.NETLINK_ROUTE, 0); err != nil && !isAbsent(err) {
		errs = errors.Join(errs, fmt.Errorf("router: delete links: %w", err))
	}
	return errs
}
