package router

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"reflect"
	"slices"

	"github.com/berth-ecs/berth/internal/failpoint"
	"github.com/berth-ecs/berth/node/network/router/inner"
	"github.com/berth-ecs/berth/node/network/router/overlay"
	"github.com/berth-ecs/berth/node/network/router/rules"
	"github.com/berth-ecs/berth/nodeconf"
)

// turn is one change of one router.
type turn struct {
	c      *nodeconf.Resources
	keys   []nodeconf.Key
	change rules.Change
	come   []*port // new, or different: to be finished
	gone   []*port
	dead   []netip.Addr // addresses whose connections end
	left   []netip.Addr // those of interfaces that go: they end a moment later
	others overlay.Turn // on other nodes
	public bool         // public addresses are different
	failed map[string]error
}

// apply makes the router what the configuration says. After a failure nothing is taken for granted: the next one looks at everything.
func (v *vpc) apply(c *nodeconf.Resources, keys []nodeconf.Key) map[string]error {
	t := &turn{c: c, keys: keys, failed: map[string]error{}}
	err := v.ground(t)
	if err == nil {
		t.change = v.plan.Update(c, t.keys)
		maps.Copy(t.failed, t.change.Failed)
		v.sort(t)
		v.sortRemotes(t)
		if err = v.endBefore(t); err == nil {
			err = v.rules(t)
		}
	}
	if err == nil {
		v.connect(t)
		err = errors.Join(v.withdraw(t), v.translate(t), v.detour(), v.cross(t))
		err = errors.Join(err, v.endTurn(t))
	}
	if err != nil || !v.whole || !t.idle() {
		err = errors.Join(err, v.short.Turn())
	}
	if err != nil {
		t.failed[v.id] = err
		for _, p := range t.come {
			if !p.done {
				t.failed[p.conf.ID] = err
			}
		}
	}
	for id, why := range t.failed {
		v.r.ready.Unset(id, why)
	}
	v.whole = len(t.failed) == len(t.change.Failed) && err == nil
	v.fill()
	return t.failed
}

// ground is what has to be there before the rules.
func (v *vpc) ground(t *turn) error {
	inherited := !v.adopted && !v.made
	if !v.whole {
		t.keys = rules.Everything(t.c)
		v.plan = rules.NewPlan(v.id)
		if err := v.adopt(t); err != nil {
			return err
		}
	}
	for _, k := range t.keys {
		if (k.Kind == "VPCs" && k.ID == v.id) || k.Kind == "Subnets" {
			err := errors.Join(v.ensureGround(t.c), v.ensureEdge(t.c.VPCs[v.id]))
			if err == nil && inherited {
				err = v.endStrays(t.c)
			}
			return err
		}
	}
	return nil
}

// sort tells interfaces that come from those that go, and claims links for those that come.
func (v *vpc) sort(t *turn) {
	ids := map[string]bool{}
	for _, k := range t.keys {
		if k.Kind == "Interfaces" {
			ids[k.ID] = true
		}
	}
	if !v.whole {
		for id := range v.ports {
			ids[id] = true
		}
	}
	for id := range ids {
		i, wanted := t.c.Interfaces[id]
		wanted = wanted && i.VPC == v.id && t.change.Failed[id] == nil
		p := v.ports[id]
		if p != nil && wanted && (p.conf.Subnet != i.Subnet || p.conf.MAC != i.MAC) { // another one under the same id
			p = nil
			v.replace(t, id)
		}
		switch {
		case p != nil && !wanted:
			v.leave(t, p)
		case p != nil:
			v.differ(t, p, i)
		case wanted:
			p, err := v.claim(i)
			if err != nil {
				t.failed[id] = err
				continue
			}
			v.ports[id] = p
			t.come = append(t.come, p)
			t.public = t.public || len(i.Public) > 0
		}
	}
}

func (v *vpc) leave(t *turn, p *port) {
	v.r.ready.Unset(p.conf.ID, nil)
	t.public = t.public || len(p.conf.Public) > 0
	t.gone = append(t.gone, p)
	t.left = append(t.left, p.conf.Addresses...)
	delete(v.ports, p.conf.ID)
}

// replace makes room for an interface that is not the one of its id any more.
func (v *vpc) replace(t *turn, id string) {
	p := v.ports[id]
	v.leave(t, p)
	t.gone = t.gone[:len(t.gone)-1]
	err := v.dismantle(p)
	if err == nil {
		err = v.exhume(p.link.Attrs().Name)
	}
	if err != nil {
		t.failed[v.id] = err
	}
}

// differ: groups, public addresses and source checks are rules; the rest is the link's.
func (v *vpc) differ(t *turn, p *port, i nodeconf.Interface) {
	old := p.conf
	if p.done && reflect.DeepEqual(old, i) {
		return
	}
	var lost []netip.Addr
	for _, a := range old.Addresses {
		if !slices.Contains(i.Addresses, a) {
			lost = append(lost, a)
		}
	}
	if err := v.forget(p, lost); err != nil {
		t.failed[i.ID] = err
	}
	t.dead = append(t.dead, lost...)
	if old.MTU != i.MTU || !p.done {
		if err := v.nl.LinkSetMTU(p.link, inner.MTU(i)); err != nil {
			t.failed[i.ID] = fmt.Errorf("router: MTU of %s: %w", i.ID, err)
		}
	}
	t.public = t.public || !slices.Equal(old.Public, i.Public)
	p.conf, p.done = i, false
	t.come = append(t.come, p)
}

// rules is the one transaction of a change.
func (v *vpc) rules(t *turn) error {
	defer failpoint.Around(failpoint.Rules)()
	for _, p := range t.gone { // until its link is deleted
		k := rules.Key(p.conf.ID)
		t.change.Set[k] = rules.Shut(p.conf.ID)
		t.change.Gone = slices.DeleteFunc(t.change.Gone, func(gone string) bool { return gone == k })
	}
	if !v.whole {
		v.shut(t.change.Set)
		v.spent = nil
		return v.book.Replace(t.change.Set, func(device string) bool {
			if v.graves[device] != nil {
				return true
			}
			for _, p := range v.ports {
				if p.spare == nil && p.link.Attrs().Name == device {
					return true
				}
			}
			return false
		})
	}
	if len(t.change.Set)+len(t.change.Gone) == 0 {
		return nil
	}
	return v.book.Change(t.change.Set, t.change.Gone)
}

func (v *vpc) connect(t *turn) {
	for _, p := range t.come {
		if err := v.finish(p, t.c.Subnets[p.conf.Subnet]); err != nil {
			t.failed[p.conf.ID] = err
			continue
		}
		v.r.ready.Set(p.conf.ID, v.endpoint(p, t.c))
	}
}

func (v *vpc) withdraw(t *turn) error {
	var errs error
	for _, p := range t.gone {
		if err := v.dismantle(p); err != nil {
			errs = errors.Join(errs, err)
		}
	}
	return errs
}

// translate has the machine send here what the VPC's public addresses are.
func (v *vpc) translate(t *turn) error {
	changed := v.publics == nil || t.public
	for _, k := range t.keys {
		changed = changed || k.Kind == "NATs"
	}
	if !changed {
		return nil
	}
	want := map[netip.Addr]bool{}
	for _, p := range v.ports {
		for _, a := range p.conf.Public {
			want[a.Public] = true
		}
	}
	for _, n := range t.c.NATs {
		if n.VPC == v.id && n.Public.Is4() {
			want[n.Public] = true
		}
	}
	gone, err := v.setPublics(want)
	t.dead = append(t.dead, gone...)
	return err
}
