package router

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/berth-ecs/berth/node/network/netspace"
	"github.com/berth-ecs/berth/node/network/router/overlay"
	"github.com/berth-ecs/berth/node/network/router/rules"
	"github.com/berth-ecs/berth/node/network/router/ruleset"
	"github.com/berth-ecs/berth/nodeconf"
)

// Apply makes the machine what the configuration is after the change, and reports what is not so. One that is a whole configuration may come
// at any time; the first has to be one. What fails is tried again until it works or another change takes it away. The error is of a change
// that does not follow what was applied before it.
func (r *Routers) Apply(ctx context.Context, d nodeconf.Delta) (Report, error) {
	if err := context.Cause(ctx); err != nil {
		return Report{}, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	keys, err := r.follow(d)
	if err != nil {
		return Report{}, err
	}
	return r.sync(keys), nil //nolint:contextcheck // spares are made until Close
}

// ApplyConfig applies a whole configuration.
func (r *Routers) ApplyConfig(ctx context.Context, c *nodeconf.Config) (Report, error) {
	return r.Apply(ctx, nodeconf.Delta{To: c.Version, Set: c.Resources})
}

// follow changes what is wanted and says which resources are different.
func (r *Routers) follow(d nodeconf.Delta) ([]nodeconf.Key, error) {
	if d.From != 0 {
		if !r.told {
			return nil, &nodeconf.StaleError{Have: 0, From: d.From}
		}
		if err := r.want.Apply(d); err != nil {
			return nil, fmt.Errorf("router: %w", err)
		}
		return rules.Keys(d), nil
	}
	var next nodeconf.Config
	if err := next.Apply(d); err != nil {
		return nil, fmt.Errorf("router: %w", err)
	}
	keys := rules.Keys(nodeconf.Diff(&r.want, &next))
	r.want = next
	return keys, nil
}

// sync goes through all routers; one that the change does not touch does nothing.
func (r *Routers) sync(keys []nodeconf.Key) Report {
	failed := map[string]error{}
	sweep := !r.told
	r.told = true
	for id, v := range r.vpcs {
		if _, wanted := r.want.VPCs[id]; !wanted {
			if err := r.closeVPC(v); err != nil {
				failed[id] = err
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(r.want.VPCs)) {
		v := r.vpcs[id]
		if v == nil {
			var err error
			if v, err = r.openVPC(id); err != nil {
				failed[id] = err
				continue
			}
			r.vpcs[id] = v
		}
		sweep = sweep || !v.whole
		maps.Copy(failed, v.apply(&r.want.Resources, keys))
	}
	if sweep {
		if err := r.sweep(); err != nil {
			failed["sweep"] = err
		}
	}
	if len(failed) > 0 {
		r.again()
	}
	return Report{r.want.Version, failed}
}

// closeVPC takes a router down with everything in it.
func (r *Routers) closeVPC(v *vpc) error {
	var errs error
	for id, p := range v.ports {
		r.ready.Unset(id, nil)
		if p.spare != nil {
			p.spare.close()
		}
		errs = errors.Join(errs, netspace.Unmount(r.cfg.eniMount(id)))
	}
	if errs = errors.Join(errs, v.destroy()); errs == nil {
		v.way = overlay.New(r.machine(), v.ns, v.nl)
		errs = r.dismiss(v.id)
	}
	if errs == nil {
		v.release()
		delete(r.vpcs, v.id)
	}
	return errs
}

// sweep removes mounts and edges that belong to no router and no interface.
func (r *Routers) sweep() error {
	enis, err := netspace.Names(r.cfg.eniDir(), idRule.MatchString)
	for _, id := range enis {
		owned := false
		for _, v := range r.vpcs {
			owned = owned || v.ports[id] != nil
		}
		if !owned {
			err = errors.Join(err, netspace.Unmount(r.cfg.eniMount(id)))
		}
	}
	vpcs, e := netspace.Names(r.cfg.vpcDir(), idRule.MatchString)
	err = errors.Join(err, e)
	for _, id := range vpcs {
		if r.vpcs[id] == nil {
			err = errors.Join(err, r.removeVPC(id))
		}
	}
	if !r.guard.Up() { // of an earlier process
		err = errors.Join(err, r.guard.Lower())
	}
	used := map[string]bool{}
	for _, v := range r.vpcs {
		used[v.edge.name] = true
	}
	return errors.Join(err, r.removeEdges(func(name string) bool { return !used[name] }))
}

// removeVPC takes down a router of which nothing is known but its mount.
func (r *Routers) removeVPC(id string) error {
	path := r.cfg.vpcMount(id)
	if !netspace.Mounted(path) {
		return netspace.Unmount(path)
	}
	v, err := r.openVPC(id)
	if err != nil {
		return err
	}
	defer v.release()
	return v.destroy()
}

func (r *Routers) removeEdges(which func(name string) bool) error {
	links, err := netspace.Dump(r.nl.LinkList)
	if err != nil {
		return fmt.Errorf("router: list links: %w", err)
	}
	var errs error
	for _, l := range links {
		if name := l.Attrs().Name; strings.HasPrefix(name, EdgePrefix(r.cfg.Name)) && which(name) {
			errs = errors.Join(errs, deleteLink(r.nl, l))
		}
	}
	return errs
}

// remove takes everything away that an installation has, by what it finds alone.
func (r *Routers) remove(ctx context.Context) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	enis, err := netspace.Names(r.cfg.eniDir(), idRule.MatchString)
	for _, id := range enis {
		err = errors.Join(err, netspace.Unmount(r.cfg.eniMount(id)))
	}
	vpcs, e := netspace.Names(r.cfg.vpcDir(), idRule.MatchString)
	err = errors.Join(err, e)
	for _, id := range vpcs {
		err = errors.Join(err, r.removeVPC(id))
	}
	err = errors.Join(err, r.removeEdges(func(string) bool { return true }))
	if e := r.nl.RouteDel(r.poolRoute()); e != nil && !netspace.Absent(e) {
		err = errors.Join(err, fmt.Errorf("router: route of the pool: %w", e))
	}
	err = errors.Join(err, ruleset.Remove(r.cfg.table(), dialHere), r.guard.Lower())
	if e := os.Remove(r.cfg.lockFile()); e != nil && !errors.Is(e, os.ErrNotExist) {
		err = errors.Join(err, fmt.Errorf("router: %w", e))
	}
	_, _ = os.Remove(r.cfg.eniDir()), os.Remove(r.cfg.vpcDir()) // only when nothing else is in them
	return err
}

const (
	retryFirst = time.Second
	retryLast  = 30 * time.Second
)

// again has the loop try what failed.
func (r *Routers) again() {
	select {
	case r.kick <- struct{}{}:
	default:
	}
}

// retry tries what failed until nothing does.
func (r *Routers) retry(ctx context.Context) {
	pause := retryFirst
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.kick:
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		r.mu.Lock()
		report := r.sync(nil) //nolint:contextcheck // as in Apply
		r.mu.Unlock()
		pause = min(2*pause, retryLast)
		if len(report.Failed) == 0 {
			pause = retryFirst
		}
		for id, err := range report.Failed {
			r.cfg.Log.Warn("not as it should be", "id", id, "error", err)
		}
	}
}
