package router

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/berth-ecs/berth/internal/failpoint"
	"github.com/berth-ecs/berth/node/network/router/bulk"
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
	v.r.wakeDigger()
}

func (r *Routers) wakeDigger() {
	select {
	case r.dig <- struct{}{}:
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

// digger deletes links, and ends connections, until ctx ends.
func (r *Routers) digger(ctx context.Context) {
	for {
		var again <-chan time.Time
		if err := r.dispose(ctx); err != nil {
			r.cfg.Log.Warn("links that are gone, or their connections, are still there", "error", err)
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

// job is what waits in one router: links to delete, and addresses whose connections end.
type job struct {
	v     *vpc
	links []*grave
	ends  *ending
	s     *bulk.Links // the router's own sockets are not to wait for it
}

// dispose does all that waits, a batch of one router after the other.
func (r *Routers) dispose(ctx context.Context) error {
	r.digging.Lock()
	defer r.digging.Unlock()
	for ctx.Err() == nil {
		j, err := r.nextJob()
		if err != nil || j == nil {
			return err
		}
		flows, links := j.do()
		if links == nil && len(j.links) > 0 {
			failpoint.Hit(failpoint.ENIDeleted)
		}
		r.mu.Lock()
		err = errors.Join(links, j.done(flows, links))
		r.mu.Unlock()
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *Routers) nextJob() (*job, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, v := range r.vpcs {
		if len(v.graves)+len(v.late) == 0 {
			continue
		}
		s, err := bulk.Open(v.ns)
		if err != nil {
			return nil, err
		}
		all := slices.Collect(maps.Values(v.graves))
		v.ending = &ending{slices.Collect(maps.Keys(v.late)), make(chan struct{})}
		clear(v.late)
		return &job{v, all[:min(len(all), maxDoomed)], v.ending, s}, nil
	}
	return nil, nil
}

func (j *job) do() (flows, links error) {
	defer j.s.Close()
	flows = endFlows(j.s.Handle, j.ends.addrs)
	close(j.ends.done)
	all := make([]netlink.Link, len(j.links))
	for i, g := range j.links {
		all[i] = g.link
	}
	return flows, j.s.Delete(all)
}

// done notes what a job did; what failed waits again.
func (j *job) done(flows, links error) error {
	j.v.ending = nil
	current := j.v.r.vpcs[j.v.id] == j.v
	if flows == nil && len(j.ends.addrs) > 0 && current {
		flows = j.v.short.Turn()
	}
	if flows != nil {
		for _, a := range j.ends.addrs {
			j.v.late[a] = true
		}
	}
	if links == nil && current {
		return errors.Join(flows, j.v.forgetGraves(j.links))
	}
	return flows
}
