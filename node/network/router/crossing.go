package router

import (
	"errors"
	"iter"

	"github.com/berth-ecs/berth/node/network/router/inner"
	"github.com/berth-ecs/berth/node/network/router/overlay"
	"github.com/berth-ecs/berth/node/network/router/shortcut"
	"github.com/berth-ecs/berth/nodeconf"
)

func (r *Routers) machine() overlay.Machine {
	return overlay.Machine{Address: r.cfg.Address, MTU: r.cfg.AddressMTU, NL: r.nl}
}

// sortRemotes tells what is different of what is on other nodes.
func (v *vpc) sortRemotes(t *turn) {
	for _, k := range t.keys {
		if k.Kind == "Remotes" {
			now, is := t.c.Remotes[k.ID]
			v.way.Add(&t.others, k.ID, now, is && now.VPC == v.id)
		}
	}
	t.left = append(t.left, t.others.Left...)
}

// cross makes the way to what is on other nodes what the configuration says. On a machine alone there is nothing to do.
func (v *vpc) cross(t *turn) error {
	if t.others.Empty() && v.whole {
		return nil
	}
	spanned := v.way.Up()
	v.way.Take(&t.others)
	if len(v.way.Nodes()) == 0 {
		if err := v.way.Remove(); err != nil {
			return err
		}
		return errors.Join(v.r.dismiss(v.id), v.recut(spanned))
	}
	number := t.c.VPCs[v.id].Net
	if err := v.r.admit(v.id, overlay.VPC{Number: number, Nodes: v.way.Nodes()}); err != nil {
		return err
	}
	err := errors.Join(v.way.Lead(&t.others, number, v.whole), v.recut(spanned))
	if err != nil || v.crossing == v.way.Link().Attrs().Index {
		return err
	}
	if err := v.short.Attach(v.nl, v.way.Link(), shortcut.Across); err != nil {
		return err
	}
	v.crossing = v.way.Link().Attrs().Index
	return nil
}

// recut: what interfaces take at once is different when the VPC begins to span nodes, or ends.
func (v *vpc) recut(spanned bool) error {
	if v.way.Up() == spanned {
		return nil
	}
	var errs error
	for _, p := range v.ports {
		if !p.done {
			continue
		}
		h, eth0, done, err := inner.Enter(v.r.cfg.eniMount(p.conf.ID))
		if err == nil {
			err = v.cut(p, h, eth0)
			done()
		}
		errs = errors.Join(errs, err)
	}
	return errs
}

// admit comes before the device. The first of a process is of all VPCs.
func (r *Routers) admit(id string, to overlay.VPC) error {
	if r.guard.Up() {
		return r.guard.Admit(id, to)
	}
	all := map[string]overlay.VPC{}
	for id, c := range r.want.VPCs {
		w, t := overlay.New(r.machine(), 0, nil), overlay.Turn{}
		for o := range remotesOf(&r.want.Resources, id) {
			w.Add(&t, o.ID, o, true)
		}
		if w.Take(&t); !t.Empty() {
			all[id] = overlay.VPC{Number: c.Net, Nodes: w.Nodes()}
		}
	}
	return r.guard.Raise(all)
}

// dismiss: without VPCs on other nodes there is no guard.
func (r *Routers) dismiss(id string) error {
	if err := r.guard.Dismiss(id); err != nil || !r.guard.Up() {
		return err
	}
	for _, v := range r.vpcs {
		if v.way.Up() {
			return nil
		}
	}
	return r.guard.Lower()
}

func remotesOf(c *nodeconf.Resources, vpc string) iter.Seq[nodeconf.Remote] {
	return func(yield func(nodeconf.Remote) bool) {
		for _, o := range c.Remotes {
			if o.VPC == vpc && !yield(o) {
				return
			}
		}
	}
}
